import { isJsonObject } from '../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { badRequest, expired, timedOut } from '../../kube/status.ts'
import type { ApiContext } from './context.ts'
import { type ListOptions, selects } from './options.ts'
import type { ListMetadata } from './present.ts'
import { inVersion, resourceOf } from './registry.ts'

export interface Page {
  readonly objects: readonly ApiObject[]
  readonly metadata: ListMetadata
}

/** Where a list goes on: the state of which version, after which key. */
interface Position {
  readonly version: number
  readonly after: string
}

const FORGOTTEN = 'The provided continue parameter is too old to display a consistent list result'

/** Objects of a kind in one namespace (empty: in all), as of one version over all pages. Throws a Status. */
export async function listObjects(
  api: ApiContext,
  definition: ResourceDefinition,
  namespace: string,
  options: ListOptions,
  signal: AbortSignal,
): Promise<Page> {
  const resource = resourceOf(definition)
  const prefix = namespace === '' ? '' : `${namespace}/`
  const from = options.continueToken === '' ? undefined : parsePosition(options)
  const version = from?.version ?? exactVersion(api, options) ?? api.store.version
  const all =
    version === api.store.version ? api.store.list(resource, prefix) : api.store.listAt(resource, prefix, version)
  if (!all) throw expired(from ? FORGOTTEN : `The resourceVersion for the provided list is too old: ${version}`)
  const matches = selects(options)
  const rest = from ? all.filter(([key]) => key > from.after) : all
  // Of custom kinds only metadata is selected by, and as it is stored: a page is converted, not the whole collection.
  const found = rest.filter(([, object]) => matches(inVersion(object, definition)))
  const page = options.limit > 0 ? found.slice(0, options.limit) : found
  const last = page.at(-1)
  const left = found.length - page.length
  const isFiltered = options.labels.length + options.fields.length > 0
  return {
    objects: await api.converter.convert(
      page.map(([, object]) => object),
      definition,
      signal,
    ),
    metadata: {
      resourceVersion: String(version),
      ...(left > 0 && last ? { continue: positionText({ version, after: last[0] }) } : {}),
      // Kubernetes leaves the count out where it would have to look through everything.
      ...(left > 0 && !isFiltered ? { remainingItemCount: left } : {}),
    },
  }
}

function exactVersion(api: ApiContext, { version, versionMatch }: ListOptions): number | undefined {
  if (version === undefined) return undefined
  if (version > api.store.version)
    throw timedOut(`Too large resource version: ${version}, current: ${api.store.version}`)
  if (versionMatch === 'Exact' && version === 0) {
    throw badRequest(
      'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    )
  }
  return versionMatch === 'Exact' ? version : undefined
}

function positionText(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

function parsePosition({ continueToken, version }: ListOptions): Position {
  if (version !== undefined && version !== 0) {
    throw badRequest('resourceVersion: Forbidden: specifying resource version is not allowed when using continue')
  }
  try {
    const value: unknown = JSON.parse(Buffer.from(continueToken, 'base64url').toString('utf8'))
    if (isJsonObject(value) && typeof value['version'] === 'number' && typeof value['after'] === 'string') {
      return { version: value['version'], after: value['after'] }
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw badRequest('continue key is not valid: it is not one that this server gave out')
}
