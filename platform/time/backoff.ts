import type { Duration } from './duration.ts'
import { ms } from './duration.ts'
import type { Random } from './random.ts'

export interface BackoffOptions {
  readonly first: Duration
  readonly most: Duration
  readonly factor?: number
}

/** Exponential back-off with full jitter in its upper half: never less than half of the nominal wait. */
export class Backoff {
  readonly #options: BackoffOptions
  readonly #random: Random
  #failures = 0

  constructor(options: BackoffOptions, random: Random) {
    this.#options = options
    this.#random = random
  }

  get failures(): number {
    return this.#failures
  }

  /** The wait before the next try; each call counts one more failure. */
  next(): Duration {
    const { first, most, factor = 2 } = this.#options
    const nominal = Math.min(most.milliseconds, first.milliseconds * factor ** Math.min(this.#failures, 60))
    this.#failures++
    return ms(nominal * (0.5 + this.#random.next() / 2))
  }

  reset(): void {
    this.#failures = 0
  }
}
