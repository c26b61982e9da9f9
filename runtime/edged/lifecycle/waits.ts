import { Backoff, type Clock, type Duration, ms, type Random, seconds } from '../../../platform/time/index.ts'
import type { Waiting } from '../pod/obstacle.ts'

/** The part of a pod that is its sandbox with its volumes. */
export const SANDBOX = ''

const BETWEEN = { first: seconds(1), most: seconds(60) }

interface Wait {
  readonly why: Waiting
  readonly backoff: Backoff
  /** Monotonic; undefined where somebody tells when it is worth another try. */
  readonly until: number | undefined
}

/** What the parts of a pod wait for: why, and when to try again. */
export class Waits {
  readonly #clock: Clock
  readonly #random: Random
  readonly #waits = new Map<string, Wait>()

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  why(part: string): Waiting | undefined {
    return this.#waits.get(part)?.why
  }

  /** True where it is worth a try now. */
  isDue(part: string): boolean {
    const until = this.#waits.get(part)?.until
    return until === undefined || until <= this.#clock.monotonic()
  }

  /** It failed; the next try is due later each time. */
  failed(part: string, why: Waiting): void {
    const backoff = this.#waits.get(part)?.backoff ?? new Backoff(BETWEEN, this.#random)
    const until = this.#clock.monotonic() + backoff.next().milliseconds
    this.#waits.set(part, { why, backoff, until })
  }

  /** Somebody else tells when it is worth another try. */
  told(part: string, why: Waiting): void {
    const backoff = this.#waits.get(part)?.backoff ?? new Backoff(BETWEEN, this.#random)
    this.#waits.set(part, { why, backoff, until: undefined })
  }

  done(part: string): void {
    this.#waits.delete(part)
  }

  /** What they wait for may have come: all is due now. */
  hurry(): void {
    for (const [part, wait] of this.#waits) this.#waits.set(part, { ...wait, until: undefined })
  }

  /** Until the first try of one of these parts that is due by its time. */
  next(parts: readonly string[]): Duration | undefined {
    const times = parts.flatMap((part) => this.#waits.get(part)?.until ?? [])
    if (times.length === 0) return undefined
    return ms(Math.max(0, Math.min(...times) - this.#clock.monotonic()))
  }
}
