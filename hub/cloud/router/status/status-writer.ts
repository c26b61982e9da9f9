import type { Metrics } from '../../../../platform/health/index.ts'
import { createReconciler, type Reconciler } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import { type Clock, ms, type Random, seconds, TokenBucket } from '../../../../platform/time/index.ts'
import type { Rule } from '../../../../schemas/index.ts'
import type { EventRecorder } from '../../device-controller/events/event-recorder.ts'
import { type Informer, type Kubernetes, RULES, reasonOfError } from '../../kubernetes/index.ts'
import type { RuleTable } from '../rules/rule-table.ts'
import { emptyNews, isNews, mergedStatus, type News, withError, withFailure } from './rule-status.ts'
import type { DeadLetter, Tally } from './tally.ts'

export interface StatusWriterPorts {
  readonly kubernetes: Kubernetes
  readonly rules: Informer<Rule>
  readonly table: RuleTable
  readonly events: Pick<EventRecorder, 'record'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** However much a rule does, its status is written so often at most. */
const COALESCE = seconds(5)
/** Of all rules together. */
const RATE = { perSecond: 20, burst: 40 }
const MOST_ATTEMPTS = 5
const MOST_UNWRITTEN = 10_000
/** For one status; more need not wait. While the API is away nothing is written, and nothing may grow without end. */
const MOST_WAITING = 10_000

/**
 * Statuses of rules: what became of messages since the last write is added to what the API has, over the version that was read, so
 * that several replicas and a restart lose and double nothing that was written.
 */
export class StatusWriter implements Tally {
  readonly #ports: StatusWriterPorts
  readonly #news = new Map<string, News>()
  /** Who waits until what is news of a rule is written. */
  readonly #waiting = new Map<string, (() => void)[]>()
  readonly #bucket: TokenBucket
  readonly #queue: Reconciler

  constructor(ports: StatusWriterPorts) {
    this.#ports = ports
    this.#bucket = new TokenBucket(ports.clock, RATE)
    this.#queue = createReconciler({
      name: 'rule-status',
      reconcile: (key, signal) => this.#write(key, signal),
      workers: 4,
      ...ports,
    })
  }

  delivered(key: string): void {
    const news = this.#of(key)
    this.#note(key, { ...news, delivered: news.delivered + 1 })
  }

  failed(key: string, reason: string, deadLetter?: DeadLetter, onWritten: () => void = () => undefined): void {
    this.#note(key, withFailure(this.#of(key), { time: this.#ports.clock.now(), reason }, deadLetter))
    const waiting = this.#waiting.get(key) ?? []
    this.#waiting.set(key, waiting)
    if (waiting.length < MOST_WAITING) waiting.push(onWritten)
    else onWritten()
    const rule = deadLetter && this.#ports.table.rule(key)
    if (rule) this.#ports.events.record(rule, { type: 'Warning', reason: 'DeadLetter', message: reason })
  }

  waits(key: string, reason: string): void {
    this.#note(key, withError(this.#of(key), { time: this.#ports.clock.now(), reason }))
  }

  /** The rule may have another verdict. */
  look(key: string): void {
    this.#queue.enqueueAfter(key, ms(200))
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#queue.run(signal)
  }

  /** Writes what is not written yet. */
  async flush(signal: AbortSignal): Promise<void> {
    await Promise.allSettled([...this.#news.keys()].map((key) => this.#write(key, signal)))
  }

  #of(key: string): News {
    return this.#news.get(key) ?? emptyNews
  }

  #note(key: string, news: News): void {
    const [oldest] = this.#news.keys()
    if (!this.#news.has(key) && this.#news.size >= MOST_UNWRITTEN && oldest !== undefined) this.#forget(oldest)
    this.#news.set(key, news)
    this.#queue.enqueueAfter(key, COALESCE)
  }

  async #write(key: string, signal: AbortSignal): Promise<void> {
    const { kubernetes, rules, table, clock } = this.#ports
    if (!table.isSynced) {
      this.#queue.enqueueAfter(key, seconds(1))
      return
    }
    let rule = table.rule(key)
    for (let attempt = 1; rule; attempt++) {
      const news = this.#of(key)
      const waiting = this.#waiting.get(key)?.length ?? 0
      const verdict = table.verdict(key)
      const status = mergedStatus(rule, { news, verdict, now: clock.now() })
      if (!status) return
      while (this.#bucket.wait > 0) await clock.sleep(ms(this.#bucket.wait), signal)
      this.#bucket.take()
      const { namespace = 'default', name, resourceVersion, uid } = rule.metadata
      try {
        const body = { metadata: { resourceVersion, uid }, status }
        const written = await kubernetes.patch(RULES, { namespace, name }, body, { type: 'merge' }, signal)
        this.#wrote(key, news)
        this.#tell(key, waiting)
        rules.absorb(written)
        if (verdict && !verdict.accepted && isNews(rule, verdict))
          this.#ports.events.record(written, { type: 'Warning', reason: verdict.reason, message: verdict.message })
        return
      } catch (error) {
        const isGone = reasonOfError(error) === 'NotFound'
        if (!isGone && (reasonOfError(error) !== 'Conflict' || attempt >= MOST_ATTEMPTS)) throw error
        rule = await kubernetes.get(RULES, { namespace, name }, signal)
        if (rule?.metadata.uid !== uid) break
      }
    }
    // Of a rule that is gone, nobody reads.
    if (!table.rule(key)) this.#forget(key)
  }

  #forget(key: string): void {
    this.#news.delete(key)
    this.#tell(key, Number.POSITIVE_INFINITY)
  }

  #tell(key: string, count: number): void {
    const waiting = this.#waiting.get(key) ?? []
    const told = waiting.splice(0, count)
    if (waiting.length === 0) this.#waiting.delete(key)
    for (const onWritten of told) onWritten()
  }

  /** What came meanwhile stays. Where it was forgotten meanwhile, that is less than was written. */
  #wrote(key: string, written: News): void {
    const now = this.#of(key)
    const left: News = {
      delivered: Math.max(0, now.delivered - written.delivered),
      failed: Math.max(0, now.failed - written.failed),
      errors: now.errors.filter((each) => !written.errors.includes(each)),
      deadLetters: now.deadLetters.filter((each) => !written.deadLetters.includes(each)),
    }
    if (left.delivered + left.failed + left.errors.length === 0) {
      this.#news.delete(key)
      return
    }
    this.#news.set(key, left)
    this.#queue.enqueueAfter(key, COALESCE)
  }
}
