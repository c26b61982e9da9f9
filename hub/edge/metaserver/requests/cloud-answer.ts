import type { JsonObject } from '../../../../schemas/index.ts'
import { arrayAt, isApiObject, isJsonObject, objectAt, textAt } from '../../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../../kube/resource.ts'
import { unavailable } from '../../../kube/status.ts'
import type { Answer } from '../../../serving/answers/answer.ts'
import { negotiate } from '../../../serving/answers/negotiate.ts'
import { includeOf, presentObject, type View } from '../../../serving/answers/present.ts'
import { type ListMetadata, presentList } from '../../../serving/answers/present-list.ts'
import { apiVersionOf } from '../../../serving/objects/registry.ts'
import type { ApplicationAnswer } from '../../applications/applications.ts'
import { undeclared } from '../objects/kinds.ts'
import { isTable, plainOf, shownTable } from './cloud-table.ts'
import type { NodeRequest } from './node-request.ts'

/** An answer of the cloud as the client of this node wants it. */
export function presentAnswer(request: NodeRequest, { code, object }: ApplicationAnswer, now: number): Answer {
  if (!object) throw unavailable('the cloud gave an answer without content')
  if (textAt(object, 'kind') === 'Status' && textAt(object, 'apiVersion') === 'v1') return statusOf(code, object)
  if (isTable(object)) return presentTable(request, object, now)
  return isList(object) ? presentAll(request, object, now) : presentOne(request, object, now, code)
}

function statusOf(code: number, object: JsonObject): Answer {
  const retry = objectAt(object, 'details')['retryAfterSeconds']
  return {
    ...{ code, type: 'application/json', text: `${JSON.stringify(object)}\n` },
    ...(typeof retry === 'number' ? { headers: { 'retry-after': String(retry) } } : {}),
  }
}

export function isList(object: JsonObject): boolean {
  return Array.isArray(object['items']) && textAt(object, 'kind').endsWith('List')
}

/** As a table to who wants one; to others the objects in it. */
function presentTable(request: NodeRequest, table: JsonObject, now: number): Answer {
  const { as, encoding, apiVersion } = negotiate(request.accept)
  if (as !== 'table' || encoding !== 'json')
    return presentAnswer(request, { code: 200, object: plainOf(table, request.path) }, now)
  const shown = shownTable(table, includeOf(request.url.searchParams), now)
  return { code: 200, type: 'application/json', text: `${JSON.stringify({ ...shown, apiVersion })}\n` }
}

function presentAll(request: NodeRequest, list: JsonObject, now: number): Answer {
  const apiVersion = textAt(list, 'apiVersion')
  const kind = textAt(list, 'kind').slice(0, -'List'.length)
  const items = arrayAt(list, 'items').flatMap((item): readonly ApiObject[] => {
    const object = isJsonObject(item) ? { apiVersion, kind, ...item } : undefined
    return isApiObject(object) ? [object] : []
  })
  const view = viewOf(request, items[0] ?? { apiVersion, kind, metadata: {} }, now)
  return presentList(view, items, metadataOf(objectAt(list, 'metadata')))
}

function metadataOf(metadata: JsonObject): ListMetadata {
  const { continue: goOn, remainingItemCount } = metadata
  return {
    resourceVersion: textAt(metadata, 'resourceVersion'),
    ...(typeof goOn === 'string' && goOn !== '' ? { continue: goOn } : {}),
    ...(typeof remainingItemCount === 'number' ? { remainingItemCount } : {}),
  }
}

function presentOne(request: NodeRequest, object: JsonObject, now: number, code: number): Answer {
  if (!isApiObject(object)) throw unavailable('the cloud gave an answer that is no object')
  return presentObject(viewOf(request, object, now), object, code)
}

/** The kind that was asked for, or what the answer is of: a scale, a token, a kind that nothing here declares. */
export function viewOf({ definition, url, accept, path }: NodeRequest, object: ApiObject, now: number): View {
  const isOwn = definition && definition.kind === object.kind && apiVersionOf(definition) === object.apiVersion
  const shown: ResourceDefinition = isOwn ? definition : undeclared(object, path.plural)
  return { form: negotiate(accept), definition: shown, include: includeOf(url.searchParams), now }
}
