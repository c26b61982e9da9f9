import { type Clock, ms, seconds } from '../../../platform/time/index.ts'
import {
  APPLICATION_GROUP,
  type ApplicationEvent,
  type Json,
  type JsonObject,
  MODULES,
  WATCH_EVENTS_RESOURCE,
} from '../../../schemas/index.ts'
import type { CloudHub } from '../cloudhub/delivery.ts'
import { isJsonObject } from '../kubernetes/guards.ts'
import { isExpired } from '../kubernetes/index.ts'
import { type ApiPorts, type Asker, watchPath } from './api-port.ts'
import type { ApiRequest } from './api-request.ts'
import { endOfToken } from './caller.ts'
import { failure, statusOf, statusOfError } from './status.ts'

export interface SkerryWatchPorts extends ApiPorts {
  readonly hub: CloudHub
  readonly clock: Clock
}

/** After this the API is asked anew, and so decides anew who asks and what he may. */
const TURN_SECONDS = 300
/** A reader that takes nothing for so long has left, or will ask again. */
const TAKEN_WITHIN = seconds(60)
const PAUSE = ms(200)
/** Of one frame, and of what waits here: beyond that the API is not read. */
const MOST_BYTES = 1024 * 1024

/** One watch for one caller on a Skerry edge: events as the API sends them, as fast as they are taken there. */
export class SkerryWatch {
  readonly #ports: SkerryWatchPorts
  readonly #asker: Asker
  readonly #asked: ApiRequest
  readonly #id: string
  #waiting: ApplicationEvent[] = []
  #bytes = 0
  #sending: Promise<void> | undefined
  readonly #notTaken = new AbortController()
  #version: string

  constructor(ports: SkerryWatchPorts, asker: Asker, asked: ApiRequest, id: string) {
    this.#ports = ports
    this.#asker = asker
    this.#asked = asked
    this.#id = id
    const { resourceVersion } = asked.options
    this.#version = typeof resourceVersion === 'string' ? resourceVersion : ''
  }

  /**
   * Until it is over; `onBegun` is told as soon as the API has said yes, and the rest goes to the edge. Gives a Status where the API
   * said no before. Rejects when the edge takes no more.
   */
  async run(onBegun: () => void, signal: AbortSignal): Promise<JsonObject | undefined> {
    let isBegun = false
    const begun = () => {
      if (!isBegun) onBegun()
      isBegun = true
    }
    const { clock } = this.#ports
    const ended = new AbortController()
    using _timer = this.#atEnd(() => ended.abort(EXPIRED))
    const limited = AbortSignal.any([signal, ended.signal, this.#notTaken.signal])
    for (;;) {
      const status = await this.#turn(begun, limited).catch((error: unknown) => {
        if (ended.signal.aborted && !signal.aborted) return EXPIRED_STATUS
        if (limited.aborted) throw limited.reason
        return isExpired(error) ? { ...statusOfError(error), code: 410 } : statusOfError(error)
      })
      if (!status) {
        signal.throwIfAborted()
        // An API that ends each watch at once is not asked without a pause.
        await clock.sleep(PAUSE, limited).catch(() => undefined)
        continue
      }
      if (!isBegun) return status
      await this.#flush(signal)
      await this.#send([], { ended: { status } }, signal)
      return undefined
    }
  }

  /** When the token ends, where that is soon; else a later request finds out. */
  #atEnd(callback: () => void): Disposable | undefined {
    const { clock } = this.#ports
    const { caller } = this.#asker
    const end = caller === 'node' ? undefined : endOfToken(caller.token)
    const left = end === undefined ? Number.POSITIVE_INFINITY : (end - clock.now()) / 1000
    return left < TURN_SECONDS * 10 ? clock.after(seconds(Math.max(0, left)), callback) : undefined
  }

  /** One request to the API. Nothing where it may go on. */
  async #turn(onBegun: () => void, signal: AbortSignal): Promise<JsonObject | undefined> {
    signal.throwIfAborted()
    const { callers, rights } = this.#ports
    const { node, caller } = this.#asker
    const verdict = caller === 'node' ? await rights.decide(node, { ...this.#asked, verb: 'watch' }, signal) : undefined
    if (verdict?.ok === false) return verdict.status
    const passes = verdict?.passes
    const path = watchPath(this.#asked, verdict, {
      timeoutSeconds: TURN_SECONDS,
      ...(this.#version === '' ? {} : { resourceVersion: this.#version }),
    })
    for await (const event of callers.events(path, caller === 'node' ? 'cloud' : caller, signal)) {
      if (event === undefined) {
        onBegun()
        continue
      }
      const read = readEvent(event)
      if (!read) return failure(502, 'the Kubernetes API sent something else than an event')
      if (read.type === 'ERROR') return statusOf(500, read.object)
      this.#version = versionOf(read.object) || this.#version
      if (read.type !== 'BOOKMARK' && passes && !passes(read.object)) continue
      this.#put({ type: read.type, object: read.object }, signal)
      if (this.#bytes >= MOST_BYTES) await this.#flush(signal)
    }
    return undefined
  }

  #put(event: ApplicationEvent, signal: AbortSignal): void {
    this.#waiting.push(event)
    this.#bytes += JSON.stringify(event.object).length
    if (this.#sending) return
    this.#sending = this.#drain(signal)
    this.#sending.catch((error: unknown) => this.#notTaken.abort(error))
  }

  async #flush(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await this.#sending
  }

  /** While one frame is under way, what comes meanwhile is gathered for the next. */
  async #drain(signal: AbortSignal): Promise<void> {
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const events = this.#waiting
      this.#waiting = []
      this.#bytes = 0
      await this.#send(events, {}, signal)
    }
    this.#sending = undefined
  }

  async #send(events: readonly ApplicationEvent[], more: object, signal: AbortSignal): Promise<void> {
    const { hub } = this.#ports
    const route = {
      source: MODULES.dynamicController,
      group: APPLICATION_GROUP,
      operation: 'update',
      resource: WATCH_EVENTS_RESOURCE,
    }
    const content: Json = JSON.parse(JSON.stringify({ skerry: { watch: this.#id, events, ...more } }))
    try {
      await hub.ask(this.#asker.node, { route, content }, { deadline: TAKEN_WITHIN, signal })
    } catch (error) {
      signal.throwIfAborted()
      throw new NotTaken('the edge does not take events of this watch', { cause: error })
    }
  }
}

/** The edge is away, has no such watch, or does not read it. */
export class NotTaken extends Error {
  override readonly name = 'NotTaken'
}

const EXPIRED = new Error('the token has ended')
const EXPIRED_STATUS = failure(401, 'the token of the caller has ended')

function readEvent(event: unknown) {
  if (!isJsonObject(event) || !isJsonObject(event['object'])) return undefined
  const { type, object } = event
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
    case 'BOOKMARK':
    case 'ERROR':
      return { type, object } as const
    default:
      return undefined
  }
}

function versionOf(object: JsonObject): string {
  const metadata = object['metadata']
  const version = isJsonObject(metadata) ? metadata['resourceVersion'] : undefined
  return typeof version === 'string' ? version : ''
}
