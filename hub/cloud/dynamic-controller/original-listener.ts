import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, ms, type Random, seconds } from '../../../platform/time/index.ts'
import { frameTypeOf, GROUPS, type Json, type JsonObject, MODULES, NO_NAMESPACE } from '../../../schemas/index.ts'
import type { CloudHub } from '../cloudhub/delivery.ts'
import { isJsonObject } from '../kubernetes/guards.ts'
import { isVersionLost } from '../kubernetes/index.ts'
import { type ApiPorts, askApi, watchPath } from './api-port.ts'
import type { ApiRequest } from './api-request.ts'
import { failure, statusOf } from './status.ts'

export interface OriginalListenerPorts extends ApiPorts {
  readonly hub: CloudHub
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** As KubeEdge sends what has to be acknowledged: again every five seconds, five times. */
const RECEIPT_WITHIN = seconds(5)
const TRIES = 5
const TURN_SECONDS = 300
/** One listener gives a node no more than this. */
const MOST_OBJECTS = 10_000
/** Between two turns, for an API that ends each at once. */
const PAUSE = ms(200)
const REST = { first: seconds(1), most: seconds(60) }

interface Held {
  readonly version: string
  readonly object: JsonObject
}

/**
 * One watch of an original edge: what is there as `insert`, then changes, each with its receipt. It outlives the session, as an
 * original edge says nothing of it after a reconnect: then it gets what changed meanwhile.
 */
export class OriginalListener {
  readonly #ports: OriginalListenerPorts
  readonly #node: string
  readonly #asked: ApiRequest
  /** What the node acknowledged, by uid. */
  readonly #held = new Map<string, Held>()
  /** Settles when the node has connected again. */
  #back = Promise.withResolvers<void>()

  constructor(ports: OriginalListenerPorts, node: string, asked: ApiRequest) {
    this.#ports = ports
    this.#node = node
    this.#asked = asked
  }

  /** The node has a session. */
  connected(): void {
    this.#back.resolve()
    this.#back = Promise.withResolvers()
  }

  /** Until the signal; `onListed` is told as soon as the API has said yes. Gives a Status where it said no before. */
  async run(onListed: () => void, signal: AbortSignal): Promise<JsonObject | undefined> {
    const { random, clock, log } = this.#ports
    const backoff = new Backoff(REST, random)
    let isListed = false
    for (;;) {
      try {
        const list = await this.#list(signal)
        if ('refused' in list) {
          if (!isListed || [401, 403].includes(Number(list.refused['code']))) return list.refused
          throw new Error(String(list.refused['message']))
        }
        if (!isListed) onListed()
        isListed = true
        await this.#tellAll(list.items, signal)
        backoff.reset()
        await this.#follow(list.version, signal)
      } catch (error) {
        if (signal.aborted) return undefined
        if (!isListed) throw error
        if (error instanceof AwayError) await Promise.race([this.#back.promise, aborted(signal)])
        else {
          log.debug('A watch of a node is begun again', { node: this.#node, error })
          await clock.sleep(backoff.next(), signal).catch(() => undefined)
        }
        if (signal.aborted) return undefined
      }
    }
  }

  async #list(signal: AbortSignal) {
    const asker = { node: this.#node, caller: 'node' } as const
    const { body, status } = await askApi(this.#ports, asker, this.#asked, signal)
    if (status >= 300 || !isJsonObject(body) || !Array.isArray(body['items']))
      return { refused: statusOf(status, body) }
    const items = body['items'].filter(isJsonObject)
    if (items.length > MOST_OBJECTS) return { refused: failure(413, `a node watches at most ${MOST_OBJECTS} objects`) }
    const { apiVersion, kind, metadata } = body
    const type = { apiVersion: apiVersion ?? '', kind: String(kind).replace(/List$/, '') }
    const version = isJsonObject(metadata) ? String(metadata['resourceVersion'] ?? '') : ''
    return { items: items.map((item) => ({ ...type, ...item })), version }
  }

  async #tellAll(items: readonly JsonObject[], signal: AbortSignal): Promise<void> {
    const present = new Set(items.map((item) => textIn(item, 'uid')))
    for (const [uid, { object }] of [...this.#held]) if (!present.has(uid)) await this.#tell('DELETED', object, signal)
    for (const item of items) await this.#tell('ADDED', item, signal)
  }

  /** Each turn ends after a while, and the next one asks anew what the node may have. */
  async #follow(from: string, signal: AbortSignal): Promise<void> {
    const { callers, rights } = this.#ports
    for (let version = from; ; await this.#ports.clock.sleep(PAUSE, signal)) {
      const verdict = await rights.decide(this.#node, { ...this.#asked, verb: 'watch' }, signal)
      // The list that follows says so.
      if (!verdict.ok) return
      const path = watchPath(this.#asked, verdict, { timeoutSeconds: TURN_SECONDS, resourceVersion: version })
      try {
        for await (const event of callers.events(path, 'cloud', signal)) {
          if (!isJsonObject(event) || !isJsonObject(event['object'])) continue
          const { type, object } = event
          if (type === 'ERROR') return
          version = textIn(object, 'resourceVersion') || version
          if (verdict.passes && !verdict.passes(object)) continue
          if (type !== 'BOOKMARK') await this.#tell(String(type), object, signal)
        }
      } catch (error) {
        if (isVersionLost(error)) return
        throw error
      }
    }
  }

  async #tell(type: string, object: JsonObject, signal: AbortSignal): Promise<void> {
    const [uid, version] = [textIn(object, 'uid'), textIn(object, 'resourceVersion')]
    const held = this.#held.get(uid)
    const isGone = type === 'DELETED'
    if (isGone ? !held : held?.version === version) return
    if (!held && this.#held.size >= MOST_OBJECTS) return
    await this.#deliver(isGone ? 'delete' : held ? 'update' : 'insert', object, signal)
    if (isGone) this.#held.delete(uid)
    else this.#held.set(uid, { version, object: skeleton(object) })
  }

  async #deliver(operation: string, object: JsonObject, signal: AbortSignal): Promise<void> {
    const { hub } = this.#ports
    const type = frameTypeOf(this.#asked.place.resource)
    const resource = `${textIn(object, 'namespace') || NO_NAMESPACE}/${type}/${textIn(object, 'name')}`
    const route = { source: MODULES.dynamicController, group: GROUPS.resource, operation, resource }
    for (let tries = 0; tries < TRIES; tries++) {
      if (!hub.isConnected(this.#node)) throw new AwayError('the node is away')
      try {
        await hub.ask(this.#node, { route, content: withoutFields(object) }, { deadline: RECEIPT_WITHIN, signal })
        return
      } catch (error) {
        signal.throwIfAborted()
        if (tries === TRIES - 1) throw error
        if (Reflect.get(Object(error), 'code') !== 'HUB_NODE_SILENT') await this.#ports.clock.sleep(ms(500), signal)
      }
    }
  }
}

class AwayError extends Error {
  override readonly name = 'AwayError'
}

async function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  if (!signal.aborted) await promise
}

/** What a deletion has to name. */
function skeleton({ apiVersion = '', kind = '', metadata }: JsonObject): JsonObject {
  const { name = '', namespace, uid = '', resourceVersion = '' } = isJsonObject(metadata) ? metadata : {}
  return {
    ...{ apiVersion, kind },
    metadata: { name, uid, resourceVersion, ...(namespace === undefined ? {} : { namespace }) },
  }
}

function withoutFields(object: JsonObject): Json {
  const { metadata } = object
  if (!isJsonObject(metadata)) return object
  const { managedFields: _left, ...rest } = metadata
  return { ...object, metadata: rest }
}

function textIn(object: JsonObject, name: string): string {
  const metadata = object['metadata']
  const value = isJsonObject(metadata) ? metadata[name] : undefined
  return typeof value === 'string' ? value : ''
}
