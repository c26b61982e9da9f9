import { type Counter, type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError } from '../../../platform/lifecycle/index.ts'
import { DeadlineError, seconds, withDeadline } from '../../../platform/time/index.ts'
import {
  APPLICATION_ANSWER,
  APPLICATION_ANSWER_RESOURCE,
  type Application,
  type Frame,
  GROUPS,
  isPassedThrough,
  type Json,
  type JsonObject,
  MODULES,
  parseApplication,
  WATCH_SYNC_RESOURCE,
} from '../../../schemas/index.ts'
import { createFrameFactory, type FrameFactory } from '../../link/index.ts'
import type { NodePeer, Upstream } from '../cloudhub/delivery.ts'
import { Lane } from '../edge-controller/requests/lanes.ts'
import { isJsonObject } from '../kubernetes/guards.ts'
import type { CallerAnswer } from '../kubernetes/index.ts'
import { askApi, askPath } from './api-port.ts'
import { type ApiRequest, pathRequest, readRequest } from './api-request.ts'
import { callerOf } from './caller.ts'
import type { OriginalListenerPorts } from './original-listener.ts'
import { failure, statusOf, statusOfError } from './status.ts'
import { idOf, Watches } from './watches.ts'

export interface DynamicControllerPorts extends OriginalListenerPorts {
  readonly metrics?: Metrics
}

/** MetaServer waits for ten seconds. */
const DEADLINE = seconds(10)
/** Under way at a time; less than there are connections to the API. */
const BOUNDS = { atOnce: 24, perNode: 8, waitingPerNode: 256 }
/** Of an answer, before base64: a frame with more would not reach the edge. */
const LARGEST = 16 * 1024 * 1024
/** Of one message with all watches of an edge. */
const MOST_SYNCED = 256

type Outcome = 'approved' | 'rejected' | 'late' | 'full' | 'malformed'

/** Answers MetaServers: each request with the rights of who asks it there, and never with those of the cloud half. */
export class DynamicController {
  readonly #ports: DynamicControllerPorts
  readonly #frames: FrameFactory
  readonly #signal: AbortSignal
  readonly #lane = new Lane(BOUNDS)
  readonly #outcomes: Counter
  readonly watches: Watches
  #last = 0

  constructor(ports: DynamicControllerPorts, signal: AbortSignal) {
    const { metrics = silentMetrics } = ports
    this.#ports = ports
    this.#frames = createFrameFactory(ports)
    this.#signal = signal
    this.watches = new Watches(ports, signal)
    this.#outcomes = metrics.counter({
      name: 'skerry_dynamiccontroller_requests_total',
      help: 'Requests of MetaServers, by outcome; full: too many of the node waited; late: the API took too long.',
      labels: ['outcome'],
    })
    metrics
      .gauge({ name: 'skerry_dynamiccontroller_waiting', help: 'Requests of MetaServers that wait for their turn.' })
      .follow(() => this.#lane.depth)
    metrics
      .gauge({ name: 'skerry_dynamiccontroller_watches', help: 'Watches of the Kubernetes API for callers on nodes.' })
      .follow(() => this.watches.size)
  }

  /** Never waits. */
  take(upstream: Upstream): void {
    const { frame, peer } = upstream
    const content = contentOf(frame)
    const isSync = frame.route.resource?.endsWith(WATCH_SYNC_RESOURCE) ?? false
    const application = isSync ? undefined : parseApplication(content)
    if (isSync) this.#begin(this.#sync(upstream, content))
    // Whatever it says: a node speaks for itself.
    else if (application) this.#begin(this.#serve({ ...application, Nodename: peer.node }, upstream))
    else this.#refuse(upstream, 'the content is no Application')
  }

  /** Nobody waits for it; it answers its failures itself. */
  #begin(work: Promise<void>): void {
    work.catch((error: unknown) => this.#ports.log.error('A request of a MetaServer got no answer', { error }))
  }

  async #serve(application: Application, upstream: Upstream): Promise<void> {
    const { peer } = upstream
    try {
      const answer = await this.#inLane(peer, (signal) => this.#perform(application, peer, signal))
      if (this.#signal.aborted) return
      this.#outcomes.add(1, { outcome: isSuccess(answer.status) ? 'approved' : 'rejected' })
      this.#answer(upstream, application, answer)
    } catch (error) {
      if (this.#signal.aborted) return
      const outcome: Outcome = error instanceof DeadlineError ? 'late' : 'rejected'
      this.#outcomes.add(1, { outcome })
      const status =
        error instanceof DeadlineError ? failure(504, 'the Kubernetes API took too long') : statusOfError(error)
      // Neither what was asked nor by whom: there may be secrets in both.
      const { Verb, Key } = application
      this.#ports.log.debug('A request of a MetaServer failed', {
        node: peer.node,
        Verb,
        Key,
        error: describeError(error),
      })
      this.#answer(upstream, application, { status: Number(status['code']), body: status })
    }
  }

  async #inLane(peer: NodePeer, work: (signal: AbortSignal) => Promise<CallerAnswer>): Promise<CallerAnswer> {
    return withDeadline(this.#ports.clock, DEADLINE, this.#signal, async (signal) => {
      // Callers on a node do not wait for each other.
      const place = this.#lane.enter({ node: peer.node, key: String(++this.#last) }, signal)
      if (!place) {
        this.#outcomes.add(1, { outcome: 'full' satisfies Outcome })
        return { status: 429, body: failure(429, 'too many requests of this node wait for the Kubernetes API') }
      }
      using _place = await place
      return work(signal)
    })
  }

  async #perform(application: Application, peer: NodePeer, signal: AbortSignal): Promise<CallerAnswer> {
    const { Key, Verb } = application
    const caller = callerOf(application, peer)
    if (Verb === 'get' && isPassedThrough(Key)) {
      return askPath(this.#ports, { node: peer.node, caller }, pathRequest(application, peer), signal)
    }
    let why = ''
    const asked = readRequest(application, (fault) => {
      why = fault
    })
    if (!asked) return { status: 400, body: failure(400, why) }
    if (Verb === 'watch') return this.#watch(application, peer, asked)
    const isTable = peer.skerry && application.skerry?.table === true
    return askApi(this.#ports, { node: peer.node, caller }, { ...asked, isTable }, signal)
  }

  async #watch(application: Application, peer: NodePeer, asked: ApiRequest): Promise<CallerAnswer> {
    const status = await this.watches.begin(application, peer, asked)
    return status ? { status: Number(status['code']), body: status } : { status: 200, body: undefined }
  }

  /** Which watches an edge has. */
  async #sync(upstream: Upstream, content: Json | undefined): Promise<void> {
    const { peer } = upstream
    if (!isJsonObject(content)) {
      this.#refuse(upstream, 'the content is no map of Applications')
      return
    }
    const wanted = new Map<string, Application>()
    for (const each of Object.values(content).slice(0, MOST_SYNCED)) {
      const application = parseApplication(each)
      if (application) wanted.set(idOf(application, peer), application)
    }
    const missing = this.watches.keep(peer, new Set(wanted.keys()))
    const failed: Record<string, Json> = {}
    // A Skerry edge asks for each of its watches, with the token of its caller.
    for (const id of peer.skerry ? [] : missing) {
      const application = wanted.get(id)
      if (!application) continue
      const { status, body } = await this.#inLane(peer, (signal) => this.#perform(application, peer, signal)).catch(
        (error: unknown) => ({ status: 500, body: statusOfError(error) }),
      )
      if (status >= 300) failed[id] = asJson(answered(application, { status, body }, peer))
    }
    upstream.reply(this.#frames.reply(upstream.frame, failed, { ...ANSWER, resource: WATCH_SYNC_RESOURCE }))
  }

  #answer({ frame, peer, reply }: Upstream, application: Application, answer: CallerAnswer): void {
    const route = { ...ANSWER, resource: APPLICATION_ANSWER_RESOURCE }
    reply(this.#frames.reply(frame, asJson(answered(application, answer, peer)), route))
  }

  #refuse({ frame, reply }: Upstream, reason: string): void {
    this.#outcomes.add(1, { outcome: 'malformed' satisfies Outcome })
    reply(this.#frames.refuse(frame, reason, { source: ANSWER.source, group: ANSWER.group }))
  }
}

const ANSWER = { source: MODULES.dynamicController, group: GROUPS.resource, operation: APPLICATION_ANSWER }

/** The Application with its answer; nothing of what the caller sent goes back, least of all who it was. */
function answered(application: Application, given: CallerAnswer, peer: NodePeer): Application {
  const { skerry: _asked, ...rest } = application
  const text = given.body === undefined ? '' : typeof given.body === 'string' ? given.body : JSON.stringify(given.body)
  const isTooLarge = text.length > LARGEST
  const status = isTooLarge ? 413 : given.status
  const tag = given.headers?.['etag']
  const extra = peer.skerry ? { skerry: { code: status, ...(typeof tag === 'string' ? { tag } : {}) } } : {}
  if (isSuccess(status)) {
    const RespBody = text === '' ? null : Buffer.from(text).toString('base64')
    return { ...rest, ReqBody: null, RespBody, Status: 'Approved', ...extra }
  }
  const why = isTooLarge
    ? failure(413, 'the answer is too large for the way to the edge: ask for it in pages, with limit')
    : statusOf(status, given.body)
  const refusal: JsonObject = { ErrStatus: why }
  return {
    ...rest,
    ReqBody: null,
    RespBody: null,
    Status: 'Rejected',
    Reason: String(why['message'] ?? ''),
    Error: refusal,
    ...extra,
  }
}

/** With what the edge has already, where that still stands. */
function isSuccess(status: number): boolean {
  return (status >= 200 && status < 300) || status === 304
}

function contentOf({ content }: Frame): Json | undefined {
  if (typeof content !== 'string') return content
  try {
    return JSON.parse(content)
  } catch {
    return undefined
  }
}

function asJson(value: object): Json {
  return JSON.parse(JSON.stringify(value))
}
