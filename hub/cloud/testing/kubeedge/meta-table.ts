import type { Frame, FrameRoute, Json } from '../../../../schemas/index.ts'
import { isRecord, parseJson } from '../../kubernetes/guards.ts'

export interface MetaRow {
  readonly type: string
  readonly value: Json
}

/** What MetaManager says to a message of the cloud. */
export interface MetaReply {
  readonly route: FrameRoute
  readonly content: Json
}

/** Sources whose updates MetaManager acknowledges; of any other one it stores the update and stays silent. */
const UPDATE_SOURCES = ['edgecontroller', 'dynamiccontroller', 'devicecontroller', 'policycontroller']

/**
 * Table `meta` of an original edge, and MetaManager's rules for what the cloud sends: stored as it came, with no look at
 * versions, and acknowledged afterwards.
 */
export class MetaTable {
  readonly rows = new Map<string, MetaRow>()
  /** What the database says to every write until it is undefined again. */
  failure: string | undefined

  /** Undefined where an original edge says nothing at all. */
  take(frame: Frame): MetaReply | undefined {
    const { operation } = frame.route
    if (operation !== 'insert' && operation !== 'update' && operation !== 'delete') return undefined
    const failed = this.#apply(frame)
    if (failed !== undefined)
      return { route: { ...frame.route, operation: 'error', source: 'metamanager' }, content: failed }
    if (operation === 'update' && !UPDATE_SOURCES.includes(frame.route.source ?? '')) return undefined
    return { route: { ...routeOfReceipt(frame.route), operation: 'response' }, content: 'OK' }
  }

  /** An answer to a request of edged. Whatever it holds becomes the row, also a failure in the shape of an object. */
  cache(answer: Frame): void {
    const { content, route } = answer
    if (content === 'OK') return
    if (isRecord(content) && 'Object' in content && 'Err' in content) {
      if (content['Err'] === null) this.#put(route.resource, asJson(content['Object']))
    } else {
      this.#put(route.resource, content)
    }
  }

  #apply({ route, content }: Frame): string | undefined {
    if (this.failure !== undefined) return this.failure
    const { resource = '', operation } = route
    if (operation !== 'delete') this.#put(resource, content)
    else if (typeOf(resource) !== 'pod') this.rows.delete(resource)
    else return this.#deletePod(resource, content)
    return undefined
  }

  /** Only the pod of that uid; an answer of no object is a failure. */
  #deletePod(resource: string, content: Json): string | undefined {
    const given = typeof content === 'string' ? parseJson(content) : content
    if (!isRecord(given) || !isRecord(given['metadata'])) return 'failed to delete pod meta to DB: no object'
    const uid = String(given['metadata']['uid'])
    if (!JSON.stringify(this.rows.get(resource)?.value ?? '').includes(uid)) return undefined
    this.rows.delete(resource)
    this.rows.delete(resource.replace('/pod/', '/podpatch/'))
    return undefined
  }

  #put(resource: string | undefined, value: Json): void {
    this.rows.set(resource ?? '', { type: typeOf(resource), value })
  }
}

/** Twins of the edge get what DeviceController inserts or deletes before the receipt is written, with that route. */
function routeOfReceipt(route: FrameRoute): FrameRoute {
  if (route.source !== 'devicecontroller' || route.operation === 'update') return route
  return { ...route, source: 'meta', group: 'twin' }
}

/** `<namespace>/<type>[/<name>]`. */
function typeOf(resource = ''): string {
  return resource.split('/')[1] ?? ''
}

/** What was in a frame is JSON. */
function asJson(value: unknown): Json
function asJson(value: unknown): unknown {
  return value ?? null
}
