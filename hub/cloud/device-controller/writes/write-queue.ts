import { type Metrics, silentMetrics } from '../../../../platform/health/index.ts'
import { UnavailableError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import {
  Backoff,
  type Clock,
  ms,
  type Random,
  type Rate,
  seconds,
  TokenBucket,
} from '../../../../platform/time/index.ts'
import { retryAfterOf } from '../../kubernetes/index.ts'
import { FairQueue, moreUrgent, URGENCIES, type Urgency } from './fair-queue.ts'
import { ServerPace } from './server-pace.ts'
import { type WriteMetrics, writeMetrics } from './write-metrics.ts'

/** Bounds of the writes of device states to one API server. */
export interface WriteLimits {
  /** All writes together. */
  readonly server: Rate
  /** Those among them that only repeat values elsewhere. */
  readonly mirrors: Rate
  /** Most writes under way at a time. */
  readonly atOnce: number
  /** One device, by what is written. */
  readonly device: Readonly<Record<Urgency, Rate>>
}

/** `again`: somebody else was faster, or it has to be looked at once more for another reason. */
export type WriteOutcome = 'written' | 'nothing' | 'again'

export interface WriteQueueOptions {
  /**
   * Makes the most urgent write that the key needs now, by what is known now. Never called twice at a time for one key. Its owner
   * offers the key again where more is to be written. An UnavailableError lets all keys wait, any other error this one.
   */
  write(key: string, signal: AbortSignal): Promise<WriteOutcome>
  readonly limits: WriteLimits
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

interface Entry {
  readonly buckets: Readonly<Record<Urgency, TokenBucket>>
  readonly backoff: Backoff
  isWorking: boolean
  /** Forgotten while it was at work. */
  isGone: boolean
  /** What it wants while it waits for its time or is at work. */
  wish: { readonly node: string; readonly urgency: Urgency; readonly since: number } | undefined
  timer: Disposable | undefined
  /** Monotonic ms. */
  notBefore: number
}

const KEY_BACKOFF = { first: ms(20), most: seconds(60) }

/**
 * Keys that have something to write, and when each may: at a bounded rate for each key and for the API server, fair between
 * nodes. It holds keys alone, so that a slow server makes writes fewer and later, and each carries the latest.
 */
export class WriteQueue {
  readonly #options: WriteQueueOptions
  readonly #entries = new Map<string, Entry>()
  readonly #queue = new FairQueue()
  readonly #server: TokenBucket
  readonly #mirrors: TokenBucket
  readonly #pace: ServerPace
  readonly #metrics: WriteMetrics
  #working = 0
  #signal: AbortSignal | undefined
  #timer: { readonly at: number; readonly timer: Disposable } | undefined
  #onIdle: (() => void) | undefined

  constructor(options: WriteQueueOptions) {
    const { clock, random, limits, metrics = silentMetrics } = options
    this.#options = options
    this.#server = new TokenBucket(clock, limits.server)
    this.#mirrors = new TokenBucket(clock, limits.mirrors)
    this.#pace = new ServerPace(clock, random, limits.atOnce)
    this.#metrics = writeMetrics(metrics, this.#queue, clock, () => this.#pace.limit)
  }

  /** Keys known: those with something to write, and those whose rate is watched. */
  get size(): number {
    return this.#entries.size
  }

  /** The key has something to write, of this urgency. Repeating it costs nothing. */
  offer(key: string, node: string, urgency: Urgency): void {
    const entry = this.#entryOf(key)
    const now = this.#options.clock.monotonic()
    const since = this.#queue.get(key)?.since ?? entry.wish?.since ?? now
    entry.wish = { node, urgency, since }
    entry.isGone = false
    if (!entry.isWorking) this.#admit(key, entry)
  }

  /** The key has nothing to write any more. */
  withdraw(key: string): void {
    const entry = this.#entries.get(key)
    if (!entry) return
    entry.wish = undefined
    this.#stopTimer(entry)
    this.#queue.delete(key)
  }

  /** The key is gone. */
  forget(key: string): void {
    this.withdraw(key)
    const entry = this.#entries.get(key)
    if (entry?.isWorking) entry.isGone = true
    else this.#entries.delete(key)
  }

  /** Writes until the signal aborts and what is under way has settled. */
  async run(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => resolve(), { once: true })
    this.#signal = signal
    this.#pump()
    await aborted
    this.#signal = undefined
    this.#timer?.timer[Symbol.dispose]()
    for (const entry of this.#entries.values()) this.#stopTimer(entry)
    if (this.#working === 0) return
    const idle = Promise.withResolvers<void>()
    this.#onIdle = idle.resolve
    await idle.promise
  }

  #entryOf(key: string): Entry {
    const known = this.#entries.get(key)
    if (known) return known
    const { clock, random, limits } = this.#options
    const bucket = (urgency: Urgency) => new TokenBucket(clock, limits.device[urgency])
    const entry: Entry = {
      buckets: { state: bucket('state'), reading: bucket('reading'), mirror: bucket('mirror') },
      backoff: new Backoff(KEY_BACKOFF, random),
      isWorking: false,
      isGone: false,
      wish: undefined,
      timer: undefined,
      notBefore: 0,
    }
    this.#entries.set(key, entry)
    return entry
  }

  /** Puts the key in the queue, or sets its timer where its time has not come. */
  #admit(key: string, entry: Entry): void {
    const { wish } = entry
    this.#stopTimer(entry)
    if (!wish) return
    const { clock } = this.#options
    const wait = Math.max(entry.buckets[wish.urgency].wait, entry.notBefore - clock.monotonic())
    if (wait > 0) {
      this.#queue.delete(key)
      this.#metrics.throttled('device')
      entry.timer = clock.after(ms(wait), () => this.#admit(key, entry))
      return
    }
    entry.wish = undefined
    this.#queue.put({ key, ...wish })
    this.#pump()
  }

  #pump(): void {
    while (this.#signal && this.#working < this.#pace.limit) {
      const wait = Math.max(this.#pace.wait, this.#server.wait)
      if (wait > 0) return void this.#pumpAfter(wait, this.#pace.wait > 0 ? 'resting' : 'server')
      const next = this.#queue.next((urgency) => urgency !== 'mirror' || this.#mirrors.wait === 0)
      if (!next) {
        if (this.#queue.depth('mirror') > 0) this.#pumpAfter(this.#mirrors.wait, 'mirror')
        return
      }
      this.#server.take()
      if (next.urgency === 'mirror') this.#mirrors.take()
      this.#metrics.waited(next.urgency, next.since)
      void this.#work(next.key, next.node, next.urgency, this.#signal)
    }
  }

  #pumpAfter(wait: number, cause: 'server' | 'mirror' | 'resting'): void {
    if (URGENCIES.every((urgency) => this.#queue.depth(urgency) === 0)) return
    const { clock } = this.#options
    const at = clock.monotonic() + wait
    if (this.#timer && this.#timer.at <= at) return
    this.#timer?.timer[Symbol.dispose]()
    this.#metrics.throttled(cause)
    const timer = clock.after(ms(wait), () => {
      this.#timer = undefined
      this.#pump()
    })
    this.#timer = { at, timer }
  }

  async #work(key: string, node: string, urgency: Urgency, signal: AbortSignal): Promise<void> {
    const entry = this.#entryOf(key)
    const begunAt = this.#options.clock.monotonic()
    entry.isWorking = true
    entry.buckets[urgency].take()
    this.#working++
    try {
      const outcome = await this.#options.write(key, signal)
      this.#pace.succeeded(begunAt)
      this.#metrics.written(urgency, outcome)
      if (outcome === 'again') entry.notBefore = this.#options.clock.monotonic() + entry.backoff.next().milliseconds
      else entry.backoff.reset()
    } catch (error) {
      if (!signal.aborted) this.#failed(key, entry, { node, urgency, begunAt, error })
    }
    this.#working--
    entry.isWorking = false
    if (entry.isGone) this.#entries.delete(key)
    else this.#admit(key, entry)
    this.#pump()
    if (this.#working === 0) this.#onIdle?.()
  }

  #failed(key: string, entry: Entry, { node, urgency, begunAt, error }: Failure): void {
    const { clock, log } = this.#options
    this.#metrics.written(urgency, 'failed')
    const since = entry.wish?.since ?? begunAt
    entry.wish = { node, since, urgency: moreUrgent(urgency, entry.wish?.urgency) }
    if (error instanceof UnavailableError) {
      this.#pace.failed(begunAt, retryAfterOf(error))
      // It may be this write alone that the API cannot take, because of its size or of a webhook: others go before it.
      if (error.fields['status'] === 500) entry.notBefore = clock.monotonic() + entry.backoff.next().milliseconds
      log.debug('The state of a device waits for the API', { device: key, error })
      return
    }
    const wait = entry.backoff.next()
    entry.notBefore = clock.monotonic() + wait.milliseconds
    const waitMs = Math.round(wait.milliseconds)
    log.warn('The state of a device could not be written and is tried again', { device: key, waitMs, error })
  }

  #stopTimer(entry: Entry): void {
    entry.timer?.[Symbol.dispose]()
    entry.timer = undefined
  }
}

interface Failure {
  readonly node: string
  readonly urgency: Urgency
  readonly begunAt: number
  readonly error: unknown
}
