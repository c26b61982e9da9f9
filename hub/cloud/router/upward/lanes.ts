import { type Metrics, silentMetrics } from '../../../../platform/health/index.ts'
import { describeError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import {
  Backoff,
  type Clock,
  type Duration,
  minutes,
  ms,
  type Random,
  seconds,
} from '../../../../platform/time/index.ts'
import type { LiveRule } from '../rules/live-rule.ts'
import { settingsOf } from '../rules/rule-settings.ts'
import type { RuleTable } from '../rules/rule-table.ts'
import type { Tally } from '../status/tally.ts'
import type { Receipts } from './receipts.ts'
import type { Letter, Spool, Waiting } from './spool.ts'

/** What became of an attempt. */
export type Attempt =
  | { readonly outcome: 'delivered' }
  /** It would fare no better later. */
  | { readonly outcome: 'final'; readonly reason: string }
  | { readonly outcome: 'later'; readonly reason: string; readonly after?: Duration }

export interface LanePorts {
  readonly table: RuleTable
  readonly spool: Spool
  readonly tally: Tally
  /** Told of each that is delivered, or given up and shown as such. */
  readonly receipts: Pick<Receipts, 'settled'>
  /** One attempt; never rejects but with the signal's reason. */
  readonly deliver: (live: LiveRule, node: string, letter: Letter, signal: AbortSignal) => Promise<Attempt>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** Messages of one node for one rule, in their order. */
interface Lane {
  readonly rule: string
  readonly node: string
  readonly queue: Waiting[]
  readonly backoff: Backoff
  isBusy: boolean
  rest: Disposable | undefined
  /** Why its first message waits, as it was told last. */
  told: string | undefined
}

const REST = { first: seconds(1), most: minutes(5) }
const MOST_AT_ONCE = 256
const NEW_LOOK = seconds(30)
const HOUR_MS = 3_600_000

/** Takes what waits to its targets: in order for each rule and node, others beside it, again after growing waits. */
export class Lanes {
  readonly #ports: LanePorts
  readonly #lanes = new Map<string, Lane>()
  /** How many wait, and how many lanes are at work, by rule. */
  readonly #depth = new Map<string, number>()
  readonly #busy = new Map<string, number>()
  readonly #outcomes: (outcome: Attempt['outcome']) => void
  #signal: AbortSignal | undefined
  #atOnce = 0
  #onIdle: (() => void) | undefined

  constructor(ports: LanePorts) {
    this.#ports = ports
    const metrics = ports.metrics ?? silentMetrics
    const attempts = metrics.counter({
      name: 'skerry_router_deliveries_total',
      help: 'Attempts to deliver messages of edges to the targets of rules, by outcome; final: it is a dead letter.',
      labels: ['outcome'],
    })
    this.#outcomes = (outcome) => attempts.add(1, { outcome })
    const waiting = () => [...this.#depth.values()].reduce((sum, each) => sum + each, 0)
    metrics
      .gauge({ name: 'skerry_router_waiting', help: 'Messages of edges that wait for the targets of rules.' })
      .follow(waiting)
  }

  add(waiting: readonly Waiting[]): void {
    for (const each of waiting) {
      const key = `${each.rule} ${each.node}`
      const lane = this.#lanes.get(key) ?? this.#newLane(key, each)
      lane.queue.push(each)
      this.#count(each.rule, 1)
      this.#pump(lane)
    }
  }

  depth(rule: string): number {
    return this.#depth.get(rule) ?? 0
  }

  /** Its target may be another one now, or there again. */
  wake(isMeant: (rule: string, node: string) => boolean): void {
    for (const lane of [...this.#lanes.values()]) {
      if (!lane.rest || !isMeant(lane.rule, lane.node)) continue
      this.#endRest(lane)
      lane.backoff.reset()
      this.#pump(lane)
    }
  }

  /** The oldest of a rule that are not under way go, while there are too many. */
  async shed(rule: string, isOver: () => boolean, reason: string): Promise<void> {
    while (isOver()) {
      const lanes = [...this.#lanes.values()].filter((each) => each.rule === rule)
      const heads = lanes.flatMap((lane) => {
        const waiting = lane.queue[lane.isBusy ? 1 : 0]
        return waiting ? [{ lane, waiting }] : []
      })
      const [first] = heads.sort((one, other) => one.waiting.id - other.waiting.id)
      if (!first) return
      first.lane.queue.splice(first.lane.queue.indexOf(first.waiting), 1)
      this.#count(rule, -1)
      await this.#bury(first.waiting, await this.#ports.spool.read(first.waiting.id), reason)
      await this.#ports.spool.remove(first.waiting)
      this.#tidy(first.lane)
    }
  }

  /** Works until the signal aborts and what is under way has settled. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    for (const lane of this.#lanes.values()) this.#pump(lane)
    if (!signal.aborted)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    this.#signal = undefined
    for (const lane of this.#lanes.values()) this.#endRest(lane)
    if (this.#atOnce === 0) return
    const idle = Promise.withResolvers<void>()
    this.#onIdle = idle.resolve
    await idle.promise
  }

  #newLane(key: string, { rule, node }: Waiting): Lane {
    const lane = {
      rule,
      node,
      queue: [],
      backoff: new Backoff(REST, this.#ports.random),
      isBusy: false,
      rest: undefined,
      told: undefined,
    }
    this.#lanes.set(key, lane)
    return lane
  }

  #pump(lane: Lane): void {
    const signal = this.#signal
    if (!signal || signal.aborted || lane.isBusy || lane.rest || lane.queue.length === 0) return
    const most = this.#ports.table.live(lane.rule)?.settings.concurrency ?? 1
    if (this.#atOnce >= MOST_AT_ONCE || (this.#busy.get(lane.rule) ?? 0) >= most) return
    lane.isBusy = true
    this.#atOnce++
    this.#busy.set(lane.rule, (this.#busy.get(lane.rule) ?? 0) + 1)
    void this.#work(lane, signal)
      .catch((error: unknown) => this.#failed(lane, error))
      .finally(() => this.#done(lane))
  }

  #done(lane: Lane): void {
    lane.isBusy = false
    this.#atOnce--
    const busy = (this.#busy.get(lane.rule) ?? 1) - 1
    if (busy > 0) this.#busy.set(lane.rule, busy)
    else this.#busy.delete(lane.rule)
    this.#tidy(lane)
    if (this.#atOnce === 0) this.#onIdle?.()
    // One turn each: a node that says much does not keep the others waiting.
    this.#pump(lane)
    for (const other of this.#lanes.values()) {
      if (this.#atOnce >= MOST_AT_ONCE) break
      this.#pump(other)
    }
  }

  #failed(lane: Lane, error: unknown): void {
    if (this.#signal?.aborted !== false) return
    this.#ports.log.warn('A message of an edge could not be worked on', {
      rule: lane.rule,
      error: describeError(error),
    })
    this.#takeRest(lane, NEW_LOOK)
  }

  async #work(lane: Lane, signal: AbortSignal): Promise<void> {
    for (let sent = 0; sent < 64 && !signal.aborted; sent++) {
      const waiting = lane.queue[0]
      if (!waiting) return
      const { table, spool, clock, tally, receipts } = this.#ports
      const live = table.live(lane.rule)
      const letter = await spool.read(waiting.id)
      let isDelivered = !letter
      if (letter && live) {
        const age = clock.now() - waiting.received
        const attempt = await this.#attempt(live, { lane, letter, signal })
        if (attempt.outcome === 'later') {
          if (age < live.settings.keepHours * HOUR_MS) {
            this.#tellOf(lane, attempt.reason)
            return this.#takeRest(lane, attempt.after)
          }
          await this.#bury(waiting, letter, `given up after ${live.settings.keepHours} hours: ${attempt.reason}`)
        } else if (attempt.outcome === 'final') await this.#bury(waiting, letter, attempt.reason)
        else {
          isDelivered = true
          tally.delivered(lane.rule)
        }
        lane.backoff.reset()
        lane.told = undefined
      } else if (letter && !table.isSynced) return this.#takeRest(lane, seconds(1))
      else if (letter) {
        const rule = table.rule(lane.rule)
        if (rule && clock.now() - waiting.received < settingsOf(rule).keepHours * HOUR_MS)
          return this.#takeRest(lane, NEW_LOOK)
        this.#outcomes('final')
        await this.#bury(waiting, letter, rule ? 'the rule was not followed for too long' : 'its rule was deleted')
      }
      await spool.remove(waiting)
      if (isDelivered) receipts.settled(waiting)
      lane.queue.shift()
      this.#count(lane.rule, -1)
    }
  }

  async #attempt(
    live: LiveRule,
    { lane, letter, signal }: { readonly lane: Lane; readonly letter: Letter; readonly signal: AbortSignal },
  ): Promise<Attempt> {
    const attempt = await this.#ports.deliver(live, lane.node, letter, signal)
    signal.throwIfAborted()
    this.#outcomes(attempt.outcome)
    return attempt
  }

  async #bury(waiting: Waiting, letter: Letter | undefined, reason: string): Promise<void> {
    const { clock, log, tally, receipts } = this.#ports
    if (!letter) return receipts.settled(waiting)
    const { node, rule } = waiting
    const { topic, message: id, payload } = letter
    log.warn('A message of an edge is given up', { rule, node, topic: topic.slice(0, 200), message: id, reason })
    const dead = { time: clock.now(), node, topic, id, reason, payload }
    tally.failed(rule, `node ${node}, ${topic.slice(0, 200)}: ${reason}`, dead, () => receipts.settled(waiting))
  }

  /** Once, however often it is tried. */
  #tellOf(lane: Lane, reason: string): void {
    if (lane.told === reason) return
    lane.told = reason
    this.#ports.tally.waits(lane.rule, `node ${lane.node} waits: ${reason}`)
  }

  #takeRest(lane: Lane, wanted?: Duration): void {
    const { clock } = this.#ports
    const own = lane.backoff.next()
    const wait = wanted && wanted.milliseconds > own.milliseconds ? wanted : own
    lane.rest = clock.after(ms(Math.min(wait.milliseconds, REST.most.milliseconds)), () => {
      lane.rest = undefined
      this.#pump(lane)
    })
  }

  #endRest(lane: Lane): void {
    lane.rest?.[Symbol.dispose]()
    lane.rest = undefined
  }

  #tidy(lane: Lane): void {
    if (lane.queue.length === 0 && !lane.isBusy && !lane.rest) this.#lanes.delete(`${lane.rule} ${lane.node}`)
  }

  #count(rule: string, change: number): void {
    const depth = this.depth(rule) + change
    if (depth > 0) this.#depth.set(rule, depth)
    else this.#depth.delete(rule)
  }
}
