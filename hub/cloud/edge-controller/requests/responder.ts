import { type Counter, type Metrics, silentMetrics } from '../../../../platform/health/index.ts'
import { describeError, UnavailableError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import {
  Backoff,
  type Clock,
  DeadlineError,
  type Duration,
  ms,
  type Random,
  seconds,
  withDeadline,
} from '../../../../platform/time/index.ts'
import { type Frame, GROUPS, type Json, type JsonObject, MODULES } from '../../../../schemas/index.ts'
import { createFrameFactory, type FrameFactory } from '../../../link/index.ts'
import type { Upstream } from '../../cloudhub/delivery.ts'
import { isRecord } from '../../kubernetes/guards.ts'
import { detailOfError, reasonOfError } from '../../kubernetes/index.ts'
import {
  type AnswerShape,
  type Ask,
  isForeign,
  isRefused,
  type RequestKind,
  type RequestTable,
  readAsk,
} from './ask.ts'
import { EventBudget } from './event-budget.ts'
import { isEvent } from './event-requests.ts'
import { Lane } from './lanes.ts'

export interface ResponderPorts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** An edge waits 60 s for an answer. */
const DEADLINE: Duration = seconds(50)
/** By what keeps a node alive; then all that somebody waits for; then Events. Together fewer than connections to the API. */
const PULSE = { atOnce: 16, perNode: 2, waitingPerNode: 16 }
const CALLS = { atOnce: 32, perNode: 16, waitingPerNode: 256 }
const EVENTS = { atOnce: 8, perNode: 2, waitingPerNode: 100 }
const PULSE_TYPES: ReadonlySet<string> = new Set(['lease', 'node', 'nodepatch', 'nodestatus'])

type Outcome = 'done' | 'failed' | 'refused' | 'foreign' | 'late' | 'full'

/** Answers what edges ask: each node in its turn, its Lease before everything else, and each ask within its deadline. */
export class Responder {
  readonly #ports: ResponderPorts
  readonly #table: RequestTable
  readonly #frames: FrameFactory
  readonly #signal: AbortSignal
  readonly #lanes: Readonly<Record<'pulse' | 'calls' | 'events', Lane>>
  readonly #budget: EventBudget
  readonly #requests: Counter
  readonly #droppedEvents: Counter

  constructor(table: RequestTable, ports: ResponderPorts, signal: AbortSignal) {
    const { clock, metrics = silentMetrics } = ports
    this.#ports = ports
    this.#table = table
    this.#frames = createFrameFactory(ports)
    this.#signal = signal
    this.#budget = new EventBudget(clock)
    this.#requests = metrics.counter({
      name: 'skerry_edgecontroller_requests_total',
      help: 'Requests of edges, by outcome; full: too many of the node waited; late: the API took too long.',
      labels: ['outcome'],
    })
    this.#droppedEvents = metrics.counter({
      name: 'skerry_edgecontroller_events_dropped_total',
      help: 'Events of edges that were not recorded, by cause; budget: the node reported too many.',
      labels: ['cause'],
    })
    const depth = metrics.gauge({
      name: 'skerry_edgecontroller_waiting',
      help: 'Requests of edges that wait for their turn, by lane; pulse: what keeps a node alive.',
      labels: ['lane'],
    })
    const lane = (name: string, options: typeof PULSE) => {
      const made = new Lane(options)
      depth.follow(() => made.depth, { lane: name })
      return made
    }
    this.#lanes = { pulse: lane('pulse', PULSE), calls: lane('calls', CALLS), events: lane('events', EVENTS) }
  }

  /** Never waits: a node that asks for much must not be kept from saying that it is alive. */
  take(upstream: Upstream): void {
    const { peer, frame } = upstream
    const ask = readAsk(peer.node, frame)
    if (ask && isEvent(ask.operation, ask.type)) return void this.#takeEvent(upstream, ask)
    const kind = ask && this.#table[`${ask.operation} ${ask.type}`]
    if (!ask || !kind) {
      const what = `${frame.route.operation ?? ''} of ${ask?.type ?? frame.route.resource ?? ''}`
      this.#count('refused')
      this.#refuse(upstream, `this cloud does not serve ${what}`)
    } else {
      void this.#answer(upstream, ask, kind)
    }
  }

  async #answer(upstream: Upstream, ask: Ask, kind: RequestKind): Promise<void> {
    const lane = PULSE_TYPES.has(ask.type) ? this.#lanes.pulse : this.#lanes.calls
    try {
      const work = this.#inLane(lane, ask, (signal) => kind.perform(ask, signal))
      if (!work) {
        this.#count('full')
        return this.#fail(upstream, kind.shape, tooMany())
      }
      const object = await work
      this.#count('done')
      this.#reply(upstream, contentOf(kind.shape, object))
    } catch (error) {
      if (this.#signal.aborted) return
      if (isForeign(error)) return this.#expel(upstream, error)
      this.#count(error instanceof DeadlineError ? 'late' : isRefused(error) ? 'refused' : 'failed')
      const { node, operation, type, namespace, name } = ask
      const what = { node, operation, type, namespace, name, error: describeError(error) }
      this.#ports.log.debug('A request of a node was not served', what)
      this.#fail(upstream, kind.shape, error)
    }
  }

  async #takeEvent(upstream: Upstream, ask: Ask): Promise<void> {
    const kind = this.#table[`${ask.operation} ${ask.type}`]
    const drop = (cause: string) => this.#droppedEvents.add(1, { cause })
    if (!kind) return
    if (!this.#budget.take(ask.node)) return drop('budget')
    try {
      const work = this.#inLane(this.#lanes.events, ask, (signal) => this.#insist(kind, ask, signal))
      if (work) await work
      else drop('full')
    } catch (error) {
      if (this.#signal.aborted || reasonOfError(error) === 'AlreadyExists') return
      if (isForeign(error)) return this.#expel(upstream, error)
      drop(error instanceof DeadlineError ? 'late' : 'refused')
      this.#ports.log.debug('An Event of a node was not recorded', { node: ask.node, error: describeError(error) })
    }
  }

  /** Nobody will send an Event again. */
  async #insist(kind: RequestKind, ask: Ask, signal: AbortSignal): Promise<undefined> {
    const { clock, random } = this.#ports
    const backoff = new Backoff({ first: ms(500), most: seconds(10) }, random)
    for (;;) {
      try {
        await kind.perform(ask, signal)
        return undefined
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error
        await clock.sleep(backoff.next(), signal)
      }
    }
  }

  /** Undefined where too much of the node waits already. */
  #inLane<T>(lane: Lane, { node, type, namespace, name }: Ask, work: (signal: AbortSignal) => Promise<T>) {
    // A node's own objects in the order in which it speaks of them: podpatch and pod are the same one.
    const key = `${type.replace(/(patch|status)$/, '')} ${namespace}/${name}`
    const giveUp = new AbortController()
    const entered = lane.enter({ node, key }, giveUp.signal)
    if (!entered) return undefined
    return withDeadline(this.#ports.clock, DEADLINE, this.#signal, async (signal) => {
      const onAbort = () => giveUp.abort(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      const leave = await entered
      try {
        return await work(signal)
      } finally {
        signal.removeEventListener('abort', onAbort)
        leave[Symbol.dispose]()
      }
    })
  }

  #expel(upstream: Upstream, error: unknown): void {
    this.#count('foreign')
    upstream.expel(detailOfError(error))
  }

  #reply({ frame, reply }: Upstream, content: Json): void {
    reply(this.#frames.reply(frame, content, ROUTE))
  }

  #refuse({ frame, reply }: Upstream, reason: string): void {
    reply(this.#frames.refuse(frame, reason, ROUTE))
  }

  #fail(upstream: Upstream, shape: AnswerShape, error: unknown): void {
    if (shape === 'object') this.#reply(upstream, { Object: null, Err: { ErrStatus: statusOf(error) } })
    else this.#refuse(upstream, textOf(error))
  }

  #count(outcome: Outcome): void {
    this.#requests.add(1, { outcome })
  }
}

/** An edge finds who waits for an answer by this group and the id of the request. */
const ROUTE: Frame['route'] = { source: MODULES.edgeController, group: GROUPS.resource }

function contentOf(shape: AnswerShape, object: JsonObject | undefined): Json {
  if (shape === 'object') return { Object: object ?? null, Err: null }
  return shape === 'bare' ? (object ?? null) : 'OK'
}

function tooMany(): Error {
  const fields = {
    reason: 'TooManyRequests',
    status: 429,
    detail: 'too many requests of this node wait: ask again later',
  }
  return Object.assign(new Error('Too many requests of a node wait'), { fields })
}

/** A Kubernetes Status, as an edge reads it in Err.ErrStatus. */
function statusOf(error: unknown): JsonObject {
  const isLate = error instanceof DeadlineError
  const status = fieldsOf(error)['status']
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: textOf(error),
    reason: isLate ? 'Timeout' : (reasonOfError(error) ?? 'ServiceUnavailable'),
    code: isLate ? 504 : typeof status === 'number' ? status : 503,
  }
}

function textOf(error: unknown): string {
  if (error instanceof DeadlineError) return 'the Kubernetes API did not answer in time'
  return detailOfError(error) || describeError(error)
}

function fieldsOf(error: unknown): Readonly<Record<string, unknown>> {
  return error instanceof Error && 'fields' in error && isRecord(error.fields) ? error.fields : {}
}
