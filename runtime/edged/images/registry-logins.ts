import type { ImageAuth } from '../cri/runtime.ts'

/** What one entry of a pull secret says: a login, and for which images. */
export interface RegistryLogin {
  /** As it stands in the secret: `registry.local:5000`, `https://index.docker.io/v1/`, `*.acme.io/team`. */
  readonly place: string
  readonly auth: ImageAuth
}

const DOCKER_HUB = 'index.docker.io'

/**
 * The logins to try for an image, as a kubelet chooses them: each whose place fits, the more exact before the less exact; those of
 * Docker Hub under its old name only where nothing else fits.
 */
export function loginsFor(repository: string, logins: readonly RegistryLogin[]): readonly ImageAuth[] {
  const placed = logins.map(({ place, auth }) => ({ key: keyOf(place), auth }))
  const exact = placed.toSorted((a, b) => (a.key < b.key ? 1 : a.key > b.key ? -1 : 0))
  const fitting = exact.filter(({ key }) => fits(key, repository))
  const isOfHub = repository.startsWith('docker.io/')
  const chosen = fitting.length === 0 && isOfHub ? exact.filter(({ key }) => key === DOCKER_HUB) : fitting
  const unique = new Map(chosen.map(({ auth }) => [JSON.stringify(auth), auth]))
  return [...unique.values()]
}

/** Host and path; the API version in the path of old entries means the host. */
function keyOf(place: string): string {
  const [host = '', ...path] = place.replace(/^https?:\/\//, '').split('/')
  const rest = (path[0] === 'v1' || path[0] === 'v2') && path.length > 1 ? path.slice(1) : path
  const joined = rest.join('/')
  return joined === '' ? host : `${host}/${joined}`
}

/** Ports have to be the same, paths to begin with that of the key; `*` stands for any part of one label of the host. */
function fits(key: string, repository: string): boolean {
  const [wanted, found] = [partsOf(key), partsOf(repository)]
  return (
    wanted.port === found.port &&
    wanted.labels.length === found.labels.length &&
    found.path.startsWith(wanted.path) &&
    wanted.labels.every((label, at) => matches(label, found.labels[at] ?? ''))
  )
}

function partsOf(text: string) {
  const slash = text.indexOf('/')
  const host = slash < 0 ? text : text.slice(0, slash)
  const port = /:(\d+)$/.exec(host)?.[1] ?? ''
  const name = port === '' ? host : host.slice(0, -port.length - 1)
  return { port, labels: name.split('.'), path: slash < 0 ? '' : text.slice(slash) }
}

/** Each `*` is any text; no other character is special. Without backtracking: the parts are found from left to right. */
function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*')
  const [first = ''] = parts
  if (parts.length === 1) return pattern === text
  const last = parts.at(-1) ?? ''
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= text.length - last.length
}
