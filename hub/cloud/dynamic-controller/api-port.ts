import type { JsonObject } from '../../../schemas/index.ts'
import { isJsonObject } from '../kubernetes/guards.ts'
import type { Caller, CallerAnswer, CallerRequest, KubernetesCallers } from '../kubernetes/index.ts'
import { type ApiRequest, collectionPath, inForm, queryOf } from './api-request.ts'
import type { NodeRights, Verdict } from './node-rights.ts'
import { failure, statusOf } from './status.ts'

export interface ApiPorts {
  readonly callers: KubernetesCallers
  readonly rights: NodeRights
}

/** Who asks: a node in its own name, or the owner of a token there. */
export interface Asker {
  readonly node: string
  readonly caller: Exclude<Caller, 'cloud'> | 'node'
}

/** The API's answer; or a Status of ours that says why it was not asked. */
export async function askApi(
  { callers, rights }: ApiPorts,
  { node, caller }: Asker,
  asked: ApiRequest,
  signal: AbortSignal,
): Promise<CallerAnswer> {
  if (caller !== 'node') return callers.send(inForm(asked), caller, signal)
  const verdict = await rights.decide(node, asked, signal)
  if (!verdict.ok) return refused(verdict.status)
  // The decision was for this node and this request; the API is asked by who may ask it.
  const answer = await callers.send(narrowed(asked, verdict), 'cloud', signal)
  return passing(answer, verdict)
}

/** What says what an API is. A node may know what the API tells a node; health, version and keys are for anybody on it. */
export async function askPath(
  { callers, rights }: ApiPorts,
  { node, caller }: Asker,
  request: CallerRequest,
  signal: AbortSignal,
): Promise<CallerAnswer> {
  if (caller !== 'node') return callers.send(request, caller, signal)
  const status = DESCRIPTIONS.test(request.path) ? await rights.refusePath(node, request.path, signal) : undefined
  return status ? refused(status) : callers.send(request, 'cloud', signal)
}

const DESCRIPTIONS = /^\/(apis?|openapi)(\/|$)/

/** Path of a watch from the version on, as far as the node may have it. */
export function watchPath(asked: ApiRequest, verdict: Verdict | undefined, more: JsonObject): string {
  const { name } = asked.place
  const options = withSelector({ ...asked.options, ...more }, name === undefined ? undefined : `metadata.name=${name}`)
  const query = queryOf(withSelector(options, verdict?.ok ? verdict.fieldSelector : undefined))
  return `${collectionPath(asked.place)}?watch=true&allowWatchBookmarks=true&${query}`
}

export function withSelector(options: JsonObject, selector: string | undefined): JsonObject {
  if (selector === undefined) return options
  const own = options['fieldSelector']
  return { ...options, fieldSelector: typeof own === 'string' && own !== '' ? `${own},${selector}` : selector }
}

/** Of what a node may have only in part there is no Table: its rows are not told apart. */
function narrowed(asked: ApiRequest, verdict: Verdict) {
  const { request, options, verb, place } = asked
  if (!verdict.ok) return request
  if (verdict.fieldSelector === undefined) return verdict.passes ? request : inForm(asked)
  if (verb === 'get') return request
  return { ...request, path: `${collectionPath(place)}?${queryOf(withSelector(options, verdict.fieldSelector))}` }
}

function passing(answer: CallerAnswer, verdict: Verdict): CallerAnswer {
  const { body, status } = answer
  if (!verdict.ok || !verdict.passes || status >= 300 || !isJsonObject(body)) return answer
  const { passes } = verdict
  const items = body['items']
  if (Array.isArray(items))
    return { status, body: { ...body, items: items.filter((item) => isJsonObject(item) && passes(item)) } }
  return passes(body) ? answer : refused(failure(403, 'the object is not one of this node'))
}

function refused(status: JsonObject): CallerAnswer {
  const code = Number(status['code'])
  return { status: code, body: statusOf(code, status) }
}
