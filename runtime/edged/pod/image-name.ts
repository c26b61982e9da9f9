/** The name of an image, read and completed as `docker pull` does: `busybox` is `docker.io/library/busybox:latest`. */
export interface ImageName {
  /** For the runtime: as it was written, with `:latest` where there is neither tag nor digest. */
  readonly reference: string
  /** `docker.io`, `registry.local:5000`. */
  readonly registry: string
  /** Registry and path: `docker.io/library/busybox`. */
  readonly repository: string
  readonly tag?: string
  readonly digest?: string
}

/** Grammar of distribution/reference, which runtimes share. */
const COMPONENT = '[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*'
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`)
const LABEL = '(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])'
const HOST = new RegExp(`^(?:${LABEL}(?:[.]${LABEL})*|\\[[0-9A-Fa-f:]+\\])(?::[0-9]+)?$`)
const SUFFIX =
  /^(?<name>[^@]+?)(?::(?<tag>\w[\w.-]{0,127}))?(?:@(?<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}))?$/
const LONGEST_NAME = 255
const DEFAULT_REGISTRY = 'docker.io'
const DEFAULT_TAG = 'latest'

/** The name, or in words what is wrong with it. */
export function parseImageName(text: string): ImageName | string {
  if (/^[0-9a-f]{64}$/.test(text)) return 'invalid repository name, cannot be 64 hexadecimal digits'
  const found = SUFFIX.exec(text)?.groups
  if (!found) return 'invalid reference format'
  const { name = '', tag, digest } = found
  const { registry, path } = split(name)
  if (path !== path.toLowerCase()) return `invalid reference format: repository name (${path}) must be lowercase`
  if (!HOST.test(registry) || !PATH.test(path)) return 'invalid reference format'
  const repository = `${registry}/${path}`
  if (repository.length > LONGEST_NAME) return `repository name must not be more than ${LONGEST_NAME} characters`
  const isBare = tag === undefined && digest === undefined
  const named = isBare ? DEFAULT_TAG : tag
  return {
    reference: isBare ? `${text}:${DEFAULT_TAG}` : text,
    ...{ registry, repository },
    ...(named === undefined ? {} : { tag: named }),
    ...(digest === undefined ? {} : { digest }),
  }
}

/** Its names in a list of images: with its tag, and with its digest. */
export function listedAs({ repository, tag, digest }: ImageName): readonly string[] {
  return [
    // A digest decides; runtimes do not keep the tag beside it.
    ...(tag === undefined || digest !== undefined ? [] : [`${repository}:${tag}`]),
    ...(digest === undefined ? [] : [`${repository}@${digest}`]),
  ]
}

/** The first part is a registry where it could not be part of a path of the default one. */
function split(name: string) {
  const slash = name.indexOf('/')
  const first = name.slice(0, Math.max(0, slash))
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase()
  const registry = isHost ? first : DEFAULT_REGISTRY
  const path = isHost ? name.slice(slash + 1) : name
  if (registry !== DEFAULT_REGISTRY && registry !== `index.${DEFAULT_REGISTRY}`) return { registry, path }
  return { registry: DEFAULT_REGISTRY, path: path.includes('/') ? path : `library/${path}` }
}
