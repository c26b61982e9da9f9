import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, ms, type Random, seconds, unlessAborted } from '../../../platform/time/index.ts'
import type { ApplicationEvent, Frame, Json, JsonObject } from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import { isObject, objectIn, textIn } from '../json.ts'
import type { Road, RoadUser } from '../road.ts'
import { answerOfApplication, pathApplication, requestApplication } from './application-frames.ts'
import { ApplicationRequests, offline } from './application-requests.ts'
import type {
  ApplicationAnswer,
  ApplicationRequest,
  Applications,
  PathRequest,
  WatchedEvent,
  WatchRequest,
} from './applications.ts'
import { OriginalWatches } from './original-watches.ts'
import { SkerryWatches } from './skerry-watches.ts'

export interface ApplicationUplinkPorts {
  readonly frames: FrameFactory
  readonly nodeName: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

const PAGE = 500
/** Between two tries to go on with a watch while the cloud is there. */
const REST = { first: ms(500), most: seconds(30) }

/** What callers on this node ask of the Kubernetes API, by the link of the moment. */
export class ApplicationUplink implements Applications, RoadUser {
  readonly #ports: ApplicationUplinkPorts
  readonly #requests: ApplicationRequests
  readonly #skerry: SkerryWatches
  readonly #originals: OriginalWatches
  #connected = Promise.withResolvers<void>()

  constructor(ports: ApplicationUplinkPorts) {
    this.#ports = ports
    this.#requests = new ApplicationRequests(ports)
    this.#skerry = new SkerryWatches({ ...ports, requests: this.#requests })
    this.#originals = new OriginalWatches(this.#requests, ports)
    const gauge = (ports.metrics ?? silentMetrics).gauge({
      name: 'skerry_applications_watches',
      help: 'Watches of the Kubernetes API behind the cloud.',
    })
    gauge.follow(() => this.#skerry.size + this.#originals.size)
  }

  get isConnected(): boolean {
    return this.#requests.road !== undefined
  }

  get peer(): 'skerry' | 'kubeedge' | undefined {
    const { road } = this.#requests
    return road && (road.isSkerry ? 'skerry' : 'kubeedge')
  }

  connected(road: Road): void {
    this.#requests.road = road
    this.#connected.resolve()
    if (road.isSkerry) this.#originals.end()
    else if (this.#originals.size > 0) void this.#originals.sync()
  }

  disconnected(): void {
    if (!this.#requests.road) return
    this.#requests.road = undefined
    this.#connected = Promise.withResolvers()
  }

  /** A frame of the group of Applications; its receipt. */
  take(frame: Frame): Promise<Frame> {
    return this.#skerry.take(frame)
  }

  /** An object of the cloud that is on disk now. */
  applied(frame: Frame): void {
    this.#originals.take(frame)
  }

  async ask(request: ApplicationRequest, signal: AbortSignal): Promise<ApplicationAnswer> {
    const { nodeName } = this.#ports
    if (request.verb === 'deletecollection' && this.peer === 'kubeedge') return NO_COLLECTIONS
    const answer = await this.#requests.ask((isSkerry) => requestApplication(request, nodeName, isSkerry), signal)
    return answerOfApplication(answer, request.verb)
  }

  async read(request: PathRequest, signal: AbortSignal): Promise<ApplicationAnswer> {
    const { nodeName } = this.#ports
    const answer = await this.#requests.ask((isSkerry) => pathApplication(request, nodeName, isSkerry), signal)
    return answerOfApplication(answer, 'get')
  }

  async *watch(request: WatchRequest, signal: AbortSignal): AsyncGenerator<WatchedEvent> {
    const { random, clock, log } = this.#ports
    const backoff = new Backoff(REST, random)
    // What is known up to a version can wait for the cloud; what is not has to be listed first.
    let from = isResumed(request) ? request : undefined
    for (;;) {
      if (from) await unlessAborted(this.#connected.promise, signal)
      signal.throwIfAborted()
      try {
        const begin = from ?? (yield* this.#first(request, signal))
        if (!isRequest(begin)) return yield { type: 'ERROR', object: begin }
        from = begin
        const left = yield* this.#follow(begin, signal, () => backoff.reset())
        if (!isRequest(left)) return yield { type: 'ERROR', object: left }
        from = left
      } catch (error) {
        if (signal.aborted || !from) throw error
        log.debug('A watch could not go on yet', { resource: request.at.resource, error: describeError(error) })
        if (this.isConnected) await clock.sleep(backoff.next(), signal)
      }
    }
  }

  /** What is there, towards a Skerry cloud, and where the watch goes on; or why it cannot. An original one sends it by itself. */
  async *#first(request: WatchRequest, signal: AbortSignal): AsyncGenerator<WatchedEvent, WatchRequest | JsonObject> {
    if (!this.#requests.road) throw offline()
    if (this.peer === 'kubeedge') return request
    const { resourceVersion: _version, ...options } = request.options ?? {}
    const { sendInitialEvents: _no, resourceVersionMatch: _match, timeoutSeconds: _time, ...selecting } = options
    let next = ''
    for (;;) {
      const page = { ...selecting, limit: PAGE, ...(next === '' ? {} : { continue: next }) }
      const { object = {}, code } = await this.ask({ ...request, verb: 'list', options: page }, signal)
      if (code >= 300) return object
      for (const item of itemsOf(object)) yield { type: 'ADDED', object: item }
      const metadata = objectIn(object, 'metadata')
      next = textIn(metadata, 'continue') ?? ''
      if (next === '') return at(request, textIn(metadata, 'resourceVersion') ?? '')
    }
  }

  /** Until it cannot go on. A request: from where it may go on; else the Status that says why not. */
  async *#follow(
    request: WatchRequest,
    signal: AbortSignal,
    onBegun: () => void,
  ): AsyncGenerator<WatchedEvent, WatchRequest | JsonObject> {
    const { road } = this.#requests
    if (!road) throw offline()
    const watches = road.isSkerry ? this.#skerry : this.#originals
    const wanted = road.isSkerry ? withBookmarks(request) : request
    using open = await watches.open(wanted, signal)
    const answer = answerOfApplication(open.answer, 'watch')
    if (answer.code >= 300) return transient(answer) ? failing(answer) : (answer.object ?? {})
    onBegun()
    let last = request
    // What an original cloud listens for outlives the link.
    const events = open.events.read(road.isSkerry ? AbortSignal.any([signal, road.signal]) : signal)
    for (;;) {
      const { value, done } = await events.next()
      if (done) return value.status ?? last
      last = road.isSkerry ? at(last, versionOf(value)) : last
      yield value
    }
  }
}

const NO_COLLECTIONS: ApplicationAnswer = {
  code: 405,
  object: {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'this cloud deletes objects one by one only',
    reason: 'MethodNotAllowed',
    code: 405,
  },
}

/** Whether a watch goes on from what its reader has listed before. */
export function isResumed({ options }: Pick<WatchRequest, 'options'>): boolean {
  const version = options?.['resourceVersion']
  return typeof version === 'string' && version !== '' && version !== '0'
}

function isRequest(left: WatchRequest | JsonObject): left is WatchRequest {
  return 'at' in left
}

function transient({ code }: ApplicationAnswer): boolean {
  return code === 429 || code >= 500
}

function failing({ code, object }: ApplicationAnswer): never {
  const reason = textIn(object, 'message') ?? ''
  throw new UnavailableError('The Kubernetes API cannot watch just now', {
    code: 'HUB_APPLICATION_FAILED',
    fields: { code, reason },
  })
}

function withBookmarks(request: WatchRequest): WatchRequest {
  return { ...request, options: { ...request.options, allowWatchBookmarks: true } }
}

function at(request: WatchRequest, version: string): WatchRequest {
  return version === '' ? request : { ...request, options: { ...request.options, resourceVersion: version } }
}

function versionOf({ object }: ApplicationEvent): string {
  return textIn(objectIn(object, 'metadata'), 'resourceVersion') ?? ''
}

/** Items of a list lack apiVersion and kind, or not. */
function itemsOf(list: JsonObject): readonly JsonObject[] {
  const items: Json | undefined = list['items']
  const apiVersion = textIn(list, 'apiVersion') ?? ''
  const kind = (textIn(list, 'kind') ?? '').replace(/List$/, '')
  return Array.isArray(items) ? items.filter(isObject).map((item) => ({ apiVersion, kind, ...item })) : []
}
