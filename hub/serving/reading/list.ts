import { nextTurn } from '../../../platform/time/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { badRequest, expired, tooLargeVersion } from '../../kube/status.ts'
import type { ListMetadata } from '../answers/present-list.ts'
import { countWithin, type Entry } from '../objects/ordered-objects.ts'
import { inVersion, resourceOf } from '../objects/registry.ts'
import type { ReadContext } from './context.ts'
import { candidates } from './list-candidates.ts'
import { type ListOptions, selects } from './list-options.ts'
import { type Position, parsePosition, positionText } from './list-position.ts'

export interface Page {
  readonly objects: readonly ApiObject[]
  readonly metadata: ListMetadata
}

/** Less than a millisecond's work each. */
const LOOKED_AT_ONCE = 1_000
const CONVERTED_AT_ONCE = 1_000
const TOO_OLD = 'The resourceVersion for the provided list is too old.'
const FORGOTTEN =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'

/** Objects of a kind in one namespace (empty: in all), as of one version over all pages. Throws a Status. */
export async function listObjects(
  api: ReadContext,
  definition: ResourceDefinition,
  namespace: string,
  options: ListOptions,
  signal: AbortSignal,
): Promise<Page> {
  const from = options.continueToken === '' ? undefined : positionOf(options)
  const version = from ? from.version : exactVersion(api, options)
  const at = version ?? api.store.version
  const view = api.store.view(resourceOf(definition), at)
  if (!view) throw from ? expired(FORGOTTEN, positionText({ ...from, version: undefined })) : expired(TOO_OLD)
  const start = from?.start ?? ''
  const { store } = api
  const matches = selects(options)
  const isFiltered = options.labels.length + options.fields.length > 0
  const limit = limitOf(options)
  const page: Entry[] = []
  let next: Entry | undefined
  let looked = 0
  for (const entry of candidates({ store, definition, namespace, fields: options.fields, view, version: at, start })) {
    if (++looked % LOOKED_AT_ONCE === 0) await nextTurn()
    // Of custom kinds only metadata is selected by, and as it is stored: a page is converted, not the whole collection.
    if (isFiltered && !matches(inVersion(entry[1], definition))) continue
    if (limit > 0 && page.length === limit) {
      next = entry
      break
    }
    page.push(entry)
  }
  const prefix = namespace === '' ? '' : `${namespace}/`
  const last = page.at(-1)
  return {
    objects: await convertAll(api, page, definition, signal),
    metadata: {
      resourceVersion: String(at),
      ...(next && last ? { continue: positionText({ version: at, start: `${last[0]}\0` }) } : {}),
      // Kubernetes leaves the count out where it would have to look through everything.
      ...(next && !isFiltered ? { remainingItemCount: countWithin(view, prefix, next[0]) } : {}),
    },
  }
}

/** A long list in parts, so that nobody waits for all of it. */
async function convertAll(
  { converter }: ReadContext,
  page: readonly Entry[],
  definition: ResourceDefinition,
  signal: AbortSignal,
): Promise<readonly ApiObject[]> {
  const objects: ApiObject[] = []
  for (let at = 0; at < page.length; at += CONVERTED_AT_ONCE) {
    if (at > 0) await nextTurn()
    const part = page.slice(at, at + CONVERTED_AT_ONCE).map(([, object]) => object)
    for (const object of await converter.convert(part, definition, signal)) objects.push(object)
  }
  return objects
}

/** Throws a Status where nothing of that version can be told yet. */
export function checkReached({ store }: ReadContext, version: number): void {
  if (version > store.version) throw tooLargeVersion(version, store.version)
}

function exactVersion(api: ReadContext, { version, versionMatch, limit }: ListOptions): number | undefined {
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
