import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { badRequest, expired, tooLargeVersion } from '../../kube/status.ts'
import type { ApiContext } from './context.ts'
import { type ListOptions, selects } from './list-options.ts'
import { type Position, parsePosition, positionText } from './list-position.ts'
import type { ListMetadata } from './present.ts'
import { inVersion, resourceOf } from './registry.ts'

export interface Page {
  readonly objects: readonly ApiObject[]
  readonly metadata: ListMetadata
}

const TOO_OLD = 'The resourceVersion for the provided list is too old.'
const FORGOTTEN =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'

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
  const from = options.continueToken === '' ? undefined : positionOf(options)
  const version = from ? from.version : exactVersion(api, options)
  const at = version ?? api.store.version
  const start = from?.start ?? ''
  const isPresent = at === api.store.version
  const all = isPresent ? api.store.list(resource, prefix, start) : api.store.listAt(resource, prefix, at, start)
  if (!all) throw from ? expired(FORGOTTEN, positionText({ ...from, version: undefined })) : expired(TOO_OLD)
  const matches = selects(options)
  const isFiltered = options.labels.length + options.fields.length > 0
  // Of custom kinds only metadata is selected by, and as it is stored: a page is converted, not the whole collection.
  const found = isFiltered ? all.filter(([, object]) => matches(inVersion(object, definition))) : all
  const limit = limitOf(options)
  const page = limit > 0 ? found.slice(0, limit) : found
  const last = page.at(-1)
  const left = found.length - page.length
  return {
    objects: await api.converter.convert(
      page.map(([, object]) => object),
      definition,
      signal,
    ),
    metadata: {
      resourceVersion: String(at),
      ...(left > 0 && last ? { continue: positionText({ version: at, start: `${last[0]}\0` }) } : {}),
      // Kubernetes leaves the count out where it would have to look through everything.
      ...(left > 0 && !isFiltered ? { remainingItemCount: left } : {}),
    },
  }
}

/** Throws a Status where nothing of that version can be told yet. */
export function checkReached({ store }: ApiContext, version: number): void {
  if (version > store.version) throw tooLargeVersion(version, store.version)
}

function exactVersion(api: ApiContext, { version, versionMatch, limit }: ListOptions): number | undefined {
  if (version === undefined) return undefined
  checkReached(api, version)
  // A page of a version means exactly that one, unless it is said otherwise.
  const isExact = versionMatch === 'Exact' || (versionMatch === '' && limit > 0 && version !== 0)
  return isExact ? version : undefined
}

/** A list of any version comes whole. */
function limitOf({ limit, version, continueToken }: ListOptions): number {
  return version === 0 && continueToken === '' ? 0 : limit
}

function positionOf({ continueToken, version }: ListOptions): Position {
  if (version !== undefined && version !== 0) {
    throw badRequest('specifying resource version is not allowed when using continue')
  }
  return parsePosition(continueToken)
}
