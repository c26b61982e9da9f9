import { type Clock, DeadlineError, type Duration, ms } from '../../../../platform/time/index.ts'

/** Barks when nothing has happened for a while. */
export class Watchdog implements Disposable {
  readonly #clock: Clock
  readonly #patience: Duration
  readonly #bark: (error: DeadlineError) => void
  #timer: Disposable | undefined
  #touched: number

  constructor(clock: Clock, patience: Duration, bark: (error: DeadlineError) => void) {
    this.#clock = clock
    this.#patience = patience
    this.#bark = bark
    this.#touched = clock.monotonic()
    this.#arm(patience.milliseconds)
  }

  /** Something happened. Cheap: it is called for each chunk. */
  touch(): void {
    this.#touched = this.#clock.monotonic()
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
  }

  #arm(wait: number): void {
    this.#timer = this.#clock.after(ms(Math.max(1, wait)), () => {
      const left = this.#patience.milliseconds - (this.#clock.monotonic() - this.#touched)
      if (left > 0) this.#arm(left)
      else this.#bark(new DeadlineError(`nothing came within ${this.#patience.milliseconds} ms`))
    })
  }
}
