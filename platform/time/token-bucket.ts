import type { Clock } from './clock.ts'

export interface Rate {
  readonly perSecond: number
  /** Most that can be taken at once after a rest. */
  readonly burst: number
}

/** A token bucket that its owner asks; it has no timer of its own. */
export class TokenBucket {
  readonly #clock: Clock
  readonly #rate: Rate
  #tokens: number
  #countedAt: number

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock
    this.#rate = rate
    this.#tokens = rate.burst
    this.#countedAt = clock.monotonic()
  }

  /** ms until a token is there; 0: now. */
  get wait(): number {
    this.#refill()
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * 1000) / this.#rate.perSecond)
  }

  take(): void {
    this.#refill()
    this.#tokens--
  }

  #refill(): void {
    const now = this.#clock.monotonic()
    const earned = ((now - this.#countedAt) * this.#rate.perSecond) / 1000
    // What rounding takes from a wait must not make the next one a millisecond longer.
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + earned + 1e-9)
    this.#countedAt = now
  }
}
