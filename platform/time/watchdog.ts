import { type Clock, DeadlineError } from './clock.ts'
import { type Duration, ms } from './duration.ts'

/** Calls `onSilence` once when nothing was heard for so long. One timer, however often something is heard. */
export class Watchdog implements Disposable {
  readonly #clock: Clock
  readonly #onSilence: (error: DeadlineError) => void
  #limitMs: number
  #heardMs: number
  #timer: Disposable | undefined
  #isOver = false

  constructor(clock: Clock, limit: Duration, onSilence: (error: DeadlineError) => void) {
    this.#clock = clock
    this.#limitMs = limit.milliseconds
    this.#onSilence = onSilence
    this.#heardMs = clock.monotonic()
    this.#arm(this.#limitMs)
  }

  /** Cheap: it may be called for each piece. */
  heard(): void {
    this.#heardMs = this.#clock.monotonic()
  }

  /** Something was heard, and from now on so long may pass. */
  expect(limit: Duration): void {
    this.heard()
    if (limit.milliseconds === this.#limitMs) return
    this.#limitMs = limit.milliseconds
    this.#timer?.[Symbol.dispose]()
    this.#arm(this.#limitMs)
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#timer?.[Symbol.dispose]()
  }

  #arm(waitMs: number): void {
    if (this.#isOver) return
    this.#timer = this.#clock.after(ms(waitMs), () => {
      const leftMs = this.#heardMs + this.#limitMs - this.#clock.monotonic()
      if (leftMs > 0) return this.#arm(leftMs)
      this.#isOver = true
      this.#onSilence(new DeadlineError(`nothing came within ${this.#limitMs} ms`))
    })
  }
}
