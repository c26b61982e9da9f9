import type { MapperContext } from '../contract/index.ts'

type Clock = Pick<MapperContext['clock'], 'sleep'>

/** How exact it is, ms. */
const STEP_MS = 20

/**
 * Time-outs of requests that follow each other, tens of thousands a second on a fast link. One sleep ticks while there are any;
 * a timer for each of them would cost as much as the request.
 */
export class Watchdog {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  #steps = 0
  #late: (() => void) | undefined
  #isTicking = false
  #wasUsed = false

  /** Sleeps no more once the signal aborts. */
  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock
    this.#signal = signal
  }

  /** Calls `late` once, when at least so many ms have passed and nobody disarmed it. */
  arm(milliseconds: number, late: () => void): void {
    this.#steps = Math.ceil(milliseconds / STEP_MS) + 1
    this.#late = late
    this.#wasUsed = true
    if (this.#isTicking) return
    this.#isTicking = true
    void this.#tick()
  }

  /** Leaves no more than so many ms. */
  shorten(milliseconds: number): void {
    this.#steps = Math.min(this.#steps, Math.ceil(milliseconds / STEP_MS) + 1)
  }

  disarm(): void {
    this.#late = undefined
  }

  async #tick(): Promise<void> {
    try {
      while (this.#late || this.#wasUsed) {
        this.#wasUsed = false
        await this.#clock.sleep(STEP_MS, this.#signal)
        if (!this.#late || --this.#steps > 0) continue
        const late = this.#late
        this.#late = undefined
        late()
      }
    } catch {
      // The link is closed.
    } finally {
      this.#isTicking = false
    }
  }
}
