import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, DeadlineError, type Duration, unlessAborted, withDeadline } from '../../../platform/time/index.ts'

/** What was found out, and how long it may be believed. */
export interface Answer<T> {
  readonly value: T
  /** Refusals are remembered apart, so that a flood of them pushes out nothing that counts. */
  readonly isGood: boolean
  readonly keep: Duration
}

/** How long answers are believed, and how many are remembered and looked for. */
export interface CacheBounds {
  readonly good: Duration
  readonly bad: Duration
  /** Remembered of either sort; the oldest go. */
  readonly most: number
  /** Looked for at a time; more are refused with HUB_ACCESS_BUSY. */
  readonly atOnce: number
  readonly within: Duration
}

export type AnswerCacheOptions = Pick<CacheBounds, 'most' | 'atOnce' | 'within'> & { readonly clock: Clock }

interface Kept<T> {
  readonly value: T
  /** Monotonic ms. */
  readonly until: number
}

/** Answers of the API, asked once for all who want the same at the same time, and remembered for a while. Failures are not. */
export class AnswerCache<T> {
  readonly #options: AnswerCacheOptions
  readonly #good = new Map<string, Kept<T>>()
  readonly #bad = new Map<string, Kept<T>>()
  readonly #underWay = new Map<string, Promise<T>>()

  constructor(options: AnswerCacheOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#good.size + this.#bad.size
  }

  /** The signal ends the wait of its caller alone. */
  async ask(key: string, look: (signal: AbortSignal) => Promise<Answer<T>>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    const kept = this.#good.get(key) ?? this.#bad.get(key)
    if (kept && kept.until > this.#options.clock.monotonic()) return kept.value
    return await unlessAborted(this.#underWay.get(key) ?? this.#begin(key, look), signal)
  }

  #begin(key: string, look: (signal: AbortSignal) => Promise<Answer<T>>): Promise<T> {
    if (this.#underWay.size >= this.#options.atOnce) {
      throw new UnavailableError('Too many callers are being looked up at the Kubernetes API: try again soon', {
        code: 'HUB_ACCESS_BUSY',
        fields: { atOnce: this.#options.atOnce },
      })
    }
    const looking = this.#look(key, look).finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, looking)
    // Whoever waited may have left.
    looking.catch(() => undefined)
    return looking
  }

  async #look(key: string, look: (signal: AbortSignal) => Promise<Answer<T>>): Promise<T> {
    const { clock, within } = this.#options
    try {
      const answer = await withDeadline(clock, within, undefined, look)
      this.#keep(key, answer)
      return answer.value
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error
      throw new UnavailableError('The Kubernetes API did not say in time who a caller is and what he may do', {
        code: 'HUB_ACCESS_LATE',
        fields: { withinMs: within.milliseconds },
        cause: error,
      })
    }
  }

  #keep(key: string, { value, isGood, keep }: Answer<T>): void {
    this.#good.delete(key)
    this.#bad.delete(key)
    if (keep.milliseconds <= 0) return
    const kept = isGood ? this.#good : this.#bad
    kept.set(key, { value, until: this.#options.clock.monotonic() + keep.milliseconds })
    const [oldest] = kept.keys()
    if (kept.size > this.#options.most && oldest !== undefined) kept.delete(oldest)
  }
}
