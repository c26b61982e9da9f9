import { type Json, type JsonObject, OPERATIONS } from '../../../../schemas/index.ts'
import { isJsonObject, parseJson } from '../../kubernetes/guards.ts'
import { EVENTS, type Kubernetes, reasonOfError } from '../../kubernetes/index.ts'
import { type Ask, bodyOf, foreign, objectOf, type RequestTable, refused } from './ask.ts'

/** Of a patch, what a repetition of the same Event changes. */
const REPEATED = ['count', 'lastTimestamp', 'message', 'series'] as const

/** Events that a node has seen. Nobody waits for an answer. */
export function eventRequests(kubernetes: Kubernetes): RequestTable {
  const create = async (ask: Ask, event: JsonObject, signal: AbortSignal) => {
    checkSource(ask.node, event)
    await kubernetes.create(EVENTS, ask.namespace, event, signal)
    return undefined
  }
  /** Raises the Event that is there; one that expired meanwhile is made again. */
  const repeat = async (ask: Ask, event: JsonObject, change: JsonObject, signal: AbortSignal) => {
    checkSource(ask.node, event)
    const at = { namespace: ask.namespace, name: ask.name }
    const present = await kubernetes.get(EVENTS, at, signal)
    if (!present) return await create(ask, event, signal)
    if (hostOf(present) !== ask.node) throw refused('Forbidden', `Event ${at.namespace}/${at.name} is not of this node`)
    const patch = Object.fromEntries(REPEATED.flatMap((key) => (key in change ? [[key, change[key] ?? null]] : [])))
    try {
      await kubernetes.patch(EVENTS, at, patch, { type: 'merge' }, signal)
    } catch (error) {
      if (reasonOfError(error) !== 'NotFound') throw error
      await create(ask, event, signal)
    }
    return undefined
  }
  return {
    'insert event': { shape: 'none', perform: (ask, signal) => create(ask, fresh(objectOf(ask)), signal) },
    'update event': {
      shape: 'none',
      perform: (ask, signal) => repeat(ask, fresh(objectOf(ask)), bodyOf(ask), signal),
    },
    // {"event": {...}, "patchData": "<JSON patch as text>"}
    'patch event': {
      shape: 'none',
      async perform(ask, signal) {
        const { event, patchData } = bodyOf(ask)
        const change = typeof patchData === 'string' ? parseJson(patchData) : patchData
        if (!isJsonObject(change)) throw refused('BadRequest', 'the patch of an Event is no JSON object')
        return await repeat(ask, fresh(objectOf({ ...ask, content: event ?? null })), change, signal)
      },
    },
  }
}

export function isEvent(operation: string, type: string): boolean {
  const { insert, update, patch } = OPERATIONS
  return type === 'event' && (operation === insert || operation === update || operation === patch)
}

function checkSource(node: string, event: JsonObject): void {
  const host = hostOf(event)
  if (host !== '' && host !== node) throw foreign(`a node may not report as ${host}`)
}

function hostOf(event: object): string {
  const source: unknown = Reflect.get(event, 'source')
  const host = isJsonObject(source) ? source['host'] : undefined
  return typeof host === 'string' ? host : ''
}

/** Without what an API server gives an object. */
function fresh(event: JsonObject & { readonly metadata: JsonObject }): JsonObject {
  const { name, namespace, labels, annotations } = event.metadata
  const given: Record<string, Json> = {}
  for (const [key, value] of Object.entries({ name, namespace, labels, annotations })) {
    if (value !== undefined) given[key] = value
  }
  return { ...event, metadata: given }
}
