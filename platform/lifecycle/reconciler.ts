import type { Counter, Metrics } from '../health/metrics.ts'
import { silentMetrics } from '../health/metrics.ts'
import type { Logger } from '../log/logger.ts'
import { Backoff, type BackoffOptions } from '../time/backoff.ts'
import { type Clock, DeadlineError, withDeadline } from '../time/clock.ts'
import { type Duration, ms, seconds } from '../time/duration.ts'
import type { Random } from '../time/random.ts'

export interface ReconcilerOptions {
  /** Names the queue in logs and metrics. */
  readonly name: string
  /**
   * Brings one key to what it should be, from what is now; it gets no event. Throwing means: again, after a wait. Runs of
   * one key never overlap, also not after the deadline.
   */
  reconcile(key: string, signal: AbortSignal): Promise<void>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Most keys at work at a time. */
  readonly workers: number
  readonly metrics?: Metrics
  /** Wait after failures of a key; default 100 ms to 60 s. */
  readonly backoff?: BackoffOptions
  /** For one run of `reconcile`; then its signal aborts and its worker takes other keys. Default 60 s. */
  readonly deadline?: Duration
  /** Most keys waiting; default 100,000. More are refused, counted and logged. */
  readonly bound?: number
}

export interface Reconciler {
  /** Has the key reconciled soon, once however often it is asked. False when the queue is full. */
  enqueue(key: string): boolean
  /** The same, later; an earlier appointment of the key stays. */
  enqueueAfter(key: string, wait: Duration): void
  /** Keys that are due, without those at work and those that wait for a time. */
  readonly depth: number
  /** Nothing is due or at work. Keys that wait for a time do not count. */
  readonly idle: boolean
  /** Works until the signal aborts and what is under way has settled. For `scope.run`; a later run does what was left undone. */
  run(signal: AbortSignal): Promise<void>
}

/** A level-triggered queue of keys: deduplicated, with back-off for each failing key and bounded concurrency. */
export function createReconciler(options: ReconcilerOptions): Reconciler {
  return new KeyedQueue(options)
}

const DEFAULT_BACKOFF: BackoffOptions = { first: ms(100), most: seconds(60) }
const DEFAULT_DEADLINE = seconds(60)
const DEFAULT_BOUND = 100_000

class KeyedQueue implements Reconciler {
  readonly #options: ReconcilerOptions
  readonly #counters: { readonly runs: Counter; readonly failures: Counter; readonly refused: Counter }
  /** Due, in order of their arrival. */
  readonly #due = new Set<string>()
  readonly #working = new Set<string>()
  /** Asked for while at work. */
  readonly #again = new Set<string>()
  readonly #timers = new Map<string, { readonly at: number; readonly timer: Disposable }>()
  readonly #failing = new Map<string, Backoff>()
  #busy = 0
  #running: AbortSignal | undefined
  #onIdle: (() => void) | undefined

  constructor(options: ReconcilerOptions) {
    this.#options = options
    this.#counters = countersOf(options.metrics ?? silentMetrics, this)
  }

  get name(): string {
    return this.#options.name
  }

  get depth(): number {
    return this.#due.size
  }

  get idle(): boolean {
    return this.#due.size === 0 && this.#working.size === 0
  }

  enqueue(key: string): boolean {
    this.#forgetTimer(key)
    if (this.#working.has(key)) {
      this.#again.add(key)
      return true
    }
    if (!this.#due.has(key) && this.#due.size >= (this.#options.bound ?? DEFAULT_BOUND)) {
      this.#counters.refused.add(1, { queue: this.name })
      this.#options.log.error('A work queue is full', { queue: this.name, item: key })
      return false
    }
    this.#due.add(key)
    this.#pump()
    return true
  }

  enqueueAfter(key: string, wait: Duration): void {
    const { clock } = this.#options
    const at = clock.monotonic() + wait.milliseconds
    const earlier = this.#timers.get(key)
    if (earlier && earlier.at <= at) return
    this.#forgetTimer(key)
    this.#timers.set(key, { at, timer: clock.after(wait, () => this.enqueue(key)) })
  }

  async run(signal: AbortSignal): Promise<void> {
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    if (signal.aborted) return
    signal.addEventListener('abort', () => resolve(), { once: true })
    this.#running = signal
    this.#pump()
    await aborted
    this.#running = undefined
    for (const key of [...this.#timers.keys()]) this.#leave(key)
    if (this.#working.size === 0) return
    const idle = Promise.withResolvers<void>()
    this.#onIdle = idle.resolve
    await idle.promise
  }

  #pump(): void {
    while (this.#running && !this.#running.aborted && this.#busy < this.#options.workers) {
      const [key] = this.#due
      if (key === undefined) return
      this.#due.delete(key)
      this.#working.add(key)
      this.#busy++
      void this.#work(key, this.#running)
    }
  }

  async #work(key: string, signal: AbortSignal): Promise<void> {
    const { clock, deadline = DEFAULT_DEADLINE } = this.#options
    let settled: Promise<unknown> = Promise.resolve()
    let failure: { readonly error: unknown } | undefined
    this.#counters.runs.add(1, { queue: this.name })
    try {
      await withDeadline(clock, deadline, signal, (limited) => {
        const work = this.#options.reconcile(key, limited)
        settled = work.catch(() => undefined)
        return work
      })
    } catch (error) {
      failure = { error }
    }
    this.#busy--
    this.#pump()
    if (failure?.error instanceof DeadlineError) {
      this.#options.log.error('Reconciling passed its deadline', { queue: this.name, item: key, error: failure.error })
    }
    await settled
    this.#finish(key, failure, signal)
  }

  #finish(key: string, failure: { readonly error: unknown } | undefined, signal: AbortSignal): void {
    this.#working.delete(key)
    const again = this.#again.delete(key)
    if (!failure) this.#failing.delete(key)
    else if (signal.aborted) this.#leave(key)
    else this.#failed(key, failure.error)
    if (again) this.enqueue(key)
    this.#pump()
    if (this.#working.size === 0) this.#onIdle?.()
  }

  #failed(key: string, error: unknown): void {
    const { random, log, backoff = DEFAULT_BACKOFF } = this.#options
    const failing = this.#failing.get(key) ?? new Backoff(backoff, random)
    this.#failing.set(key, failing)
    const wait = failing.next()
    this.#counters.failures.add(1, { queue: this.name })
    log.warn('Reconciling failed and is tried again', {
      queue: this.name,
      item: key,
      failures: failing.failures,
      waitMs: Math.round(wait.milliseconds),
      error,
    })
    this.enqueueAfter(key, wait)
  }

  /** For the next run. */
  #leave(key: string): void {
    this.#forgetTimer(key)
    this.#due.add(key)
  }

  #forgetTimer(key: string): void {
    this.#timers.get(key)?.timer[Symbol.dispose]()
    this.#timers.delete(key)
  }
}

function countersOf(metrics: Metrics, queue: KeyedQueue) {
  const labels = ['queue']
  metrics
    .gauge({ name: 'skerry_queue_depth', help: 'Keys that are due.', labels })
    .follow(() => queue.depth, { queue: queue.name })
  return {
    runs: metrics.counter({ name: 'skerry_queue_runs_total', help: 'Keys that were reconciled.', labels }),
    failures: metrics.counter({ name: 'skerry_queue_failures_total', help: 'Reconciliations that failed.', labels }),
    refused: metrics.counter({ name: 'skerry_queue_refused_total', help: 'Keys refused by a full queue.', labels }),
  }
}
