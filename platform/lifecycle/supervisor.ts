import type { Logger } from '../log/logger.ts'
import { Backoff } from '../time/backoff.ts'
import { type Clock, DeadlineError, withDeadline } from '../time/clock.ts'
import { type Duration, ms, seconds } from '../time/duration.ts'
import type { Random } from '../time/random.ts'
import { describeError, UnavailableError } from './errors.ts'
import type { Module } from './module.ts'
import type { ModuleBoard } from './module-states.ts'
import { createScope, type ManagedScope } from './scope.ts'

/** What happens after a crash. A module that was ready for `healthyAfter` starts with a clean record. */
export interface RestartPolicy {
  /** Restarts in a row before the whole run ends; 0: the first crash ends it. */
  readonly limit: number
  /** Wait before the first restart, doubled for each further one up to `most`, with jitter. */
  readonly first: Duration
  readonly most: Duration
  readonly healthyAfter: Duration
}

export const defaultRestart: RestartPolicy = {
  limit: 8,
  first: ms(250),
  most: seconds(30),
  healthyAfter: seconds(60),
}

/** One line of a composition root's list. */
export interface ModuleEntry {
  readonly module: Module
  readonly restart?: RestartPolicy
  /** Longest wait for `start` to settle; default 60 s. */
  readonly startWithin?: Duration
  /** Longest wait for the scope to close; default 10 s, never more than the grace of the run. */
  readonly stopWithin?: Duration
}

export interface SupervisorOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly board: ModuleBoard
  /** The module has used up its restarts. It is closed already. */
  readonly onFailed: (error: unknown) => void
}

/** Keeps one module running: starts it, restarts it after crashes, stops it. */
export class Supervisor {
  readonly name: string
  readonly #entry: ModuleEntry
  readonly #options: SupervisorOptions
  readonly #policy: RestartPolicy
  readonly #backoff: Backoff
  readonly #stopping = new AbortController()
  #scope: ManagedScope | undefined
  #readyAt = 0
  #recovery: Promise<void> = Promise.resolve()

  constructor(entry: ModuleEntry, options: SupervisorOptions) {
    this.name = entry.module.name
    this.#entry = entry
    this.#options = options
    this.#policy = entry.restart ?? defaultRestart
    this.#backoff = new Backoff({ first: this.#policy.first, most: this.#policy.most }, options.random)
  }

  /** The first start. A failure is final: it rejects with the reason after what the module held was released. */
  async start(signal?: AbortSignal): Promise<void> {
    const combined = signal ? AbortSignal.any([signal, this.#stopping.signal]) : this.#stopping.signal
    try {
      this.#options.board.set(this.name, 'starting')
      await this.#attempt(combined)
    } catch (error) {
      this.#options.board.set(this.name, 'failed', describeError(error))
      throw error
    }
  }

  /** Closes the module in whatever state it is. Resolves with what went wrong, within the given time. */
  async stop(most: Duration): Promise<readonly unknown[]> {
    const { board } = this.#options
    const failed = board.states().some(({ name, state }) => name === this.name && state === 'failed')
    this.#stopping.abort(new UnavailableError('The process is stopping', { code: 'PLATFORM_STOPPING' }))
    if (!failed) board.set(this.name, 'stopping')
    const { clock } = this.#options
    const end = clock.monotonic() + most.milliseconds
    // A recovery under way sees the abort and closes what it had begun.
    await withDeadline(clock, most, undefined, () => this.#recovery).catch(() => undefined)
    const errors = await this.#close(ms(Math.max(0, end - clock.monotonic())))
    if (!failed) board.set(this.name, 'stopped', errors.length > 0 ? describeError(errors[0]) : undefined)
    return errors
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    const { clock, log, board } = this.#options
    const crash = Promise.withResolvers<never>()
    crash.promise.catch(() => undefined)
    let early: { readonly error: unknown } | undefined
    let live = false
    const scope = createScope(this.name, {
      clock,
      log,
      deadline: this.#entry.stopWithin ?? DEFAULT_STOP,
      onPending: (what) => board.pending(this.name, what),
      onCrash: (error) => {
        if (live) {
          this.#recovery = this.#recover(error)
        } else {
          early = { error }
          crash.reject(error)
        }
      },
    })
    this.#scope = scope
    try {
      const within = this.#entry.startWithin ?? DEFAULT_START
      await withDeadline(clock, within, signal, () => Promise.race([this.#entry.module.start(scope), crash.promise]))
      if (early) throw early.error
    } catch (error) {
      const reason = error instanceof DeadlineError ? this.#hung(error) : error
      await this.#close()
      throw reason
    }
    live = true
    this.#readyAt = clock.monotonic()
    board.set(this.name, 'ready')
  }

  async #recover(crash: unknown): Promise<void> {
    const { clock, log, board } = this.#options
    const signal = this.#stopping.signal
    if (clock.monotonic() - this.#readyAt >= this.#policy.healthyAfter.milliseconds) this.#backoff.reset()
    let error = crash
    for (;;) {
      log.error('A module crashed', { module: this.name, error, restarts: this.#backoff.failures })
      board.set(this.name, 'restarting', describeError(error))
      await this.#close()
      if (signal.aborted) return
      if (this.#backoff.failures >= this.#policy.limit) {
        board.set(this.name, 'failed', describeError(error))
        this.#options.onFailed(error)
        return
      }
      const wait = this.#backoff.next()
      board.pending(this.name, `restart in ${Math.round(wait.milliseconds)} ms`)
      try {
        await clock.sleep(wait, signal)
        board.pending(this.name, undefined)
        await this.#attempt(signal)
        log.info('A module is ready again', { module: this.name })
        return
      } catch (failure) {
        if (signal.aborted) return
        error = failure
      }
    }
  }

  /** Closes the scope at hand once; its troubles are logged here and returned. */
  async #close(most: Duration = ms(Infinity)): Promise<readonly unknown[]> {
    const scope = this.#scope
    this.#scope = undefined
    if (!scope) return []
    const { log } = this.#options
    const own = this.#entry.stopWithin ?? DEFAULT_STOP
    try {
      await scope.close(ms(Math.min(most.milliseconds, own.milliseconds)))
      return []
    } catch (error) {
      log.warn('A module did not stop cleanly', { module: this.name, error })
      return error instanceof AggregateError ? error.errors : [error]
    }
  }

  #hung(cause: DeadlineError): UnavailableError {
    const pending = this.#options.board.states().find(({ name }) => name === this.name)?.pending
    return new UnavailableError('A module did not become ready in time', {
      code: 'PLATFORM_START_DEADLINE',
      fields: { module: this.name, ...(pending === undefined ? {} : { pending }) },
      cause,
    })
  }
}

export const DEFAULT_START = seconds(60)
export const DEFAULT_STOP = seconds(10)
