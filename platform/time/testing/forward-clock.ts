import type { Clock } from '../clock.ts'
import { type Duration, ms } from '../duration.ts'
import { sleepBy } from '../sleep.ts'
import { systemClock } from '../system-clock.ts'

interface Timer {
  dueMs: number
  readonly fire: () => void
  waiting: Disposable
}

/** Real time that a test may move on: for servers whose peers are real, and whose limits nobody wants to sit out. */
export class ForwardClock implements Clock {
  #aheadMs = 0
  readonly #timers = new Set<Timer>()

  now(): number {
    return systemClock.now() + this.#aheadMs
  }

  monotonic(): number {
    return systemClock.monotonic() + this.#aheadMs
  }

  sleep(duration: Duration, signal?: AbortSignal): Promise<void> {
    return sleepBy((fire) => this.after(duration, fire), signal)
  }

  after(duration: Duration, callback: () => void): Disposable {
    const timer: Timer = {
      dueMs: this.monotonic() + duration.milliseconds,
      fire: () => {
        this.#timers.delete(timer)
        callback()
      },
      waiting: systemClock.after(duration, () => timer.fire()),
    }
    this.#timers.add(timer)
    return {
      [Symbol.dispose]: () => {
        timer.waiting[Symbol.dispose]()
        this.#timers.delete(timer)
      },
    }
  }

  /** Moves time on; what falls due fires at once, in the order of its time. */
  async advance(duration: Duration): Promise<void> {
    this.#aheadMs += duration.milliseconds
    for (const timer of [...this.#timers].sort((one, other) => one.dueMs - other.dueMs)) {
      if (!this.#timers.has(timer)) continue
      timer.waiting[Symbol.dispose]()
      const left = timer.dueMs - this.monotonic()
      if (left <= 0) timer.fire()
      else timer.waiting = systemClock.after(ms(left), () => timer.fire())
    }
  }
}
