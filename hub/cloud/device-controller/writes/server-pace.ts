import { Backoff, type Clock, ms, type Random, seconds } from '../../../../platform/time/index.ts'

/** What an API server may ask for at most; more is taken for a mistake. */
const LONGEST_PAUSE = seconds(60)

/**
 * How much one API server takes just now: writes side by side, fewer after it could not answer, and none while it rests. Each
 * success gives back a little. The caller says when a write began, because those that began before a failure say nothing new.
 */
export class ServerPace {
  readonly #clock: Clock
  readonly #most: number
  readonly #backoff: Backoff
  #limit: number
  #pausedUntil = 0
  #failedAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, random: Random, most: number) {
    this.#clock = clock
    this.#most = most
    this.#limit = most
    this.#backoff = new Backoff({ first: ms(200), most: seconds(30) }, random)
  }

  /** Writes that may be under way. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** ms until it is asked again; 0: now. */
  get wait(): number {
    return Math.max(0, this.#pausedUntil - this.#clock.monotonic())
  }

  succeeded(begunAt: number): void {
    if (begunAt < this.#failedAt) return
    this.#backoff.reset()
    this.#limit = Math.min(this.#most, this.#limit + 1 / this.#limit)
  }

  failed(begunAt: number, retryAfterMs = 0): void {
    const now = this.#clock.monotonic()
    const asked = ms(Math.min(retryAfterMs, LONGEST_PAUSE.milliseconds))
    if (begunAt >= this.#failedAt && this.wait === 0) {
      this.#failedAt = now
      this.#limit = Math.max(1, this.#limit / 2)
      this.#pausedUntil = now + this.#backoff.next().milliseconds
    }
    this.#pausedUntil = Math.max(this.#pausedUntil, now + asked.milliseconds)
  }
}
