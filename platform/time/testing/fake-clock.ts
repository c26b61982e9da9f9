import type { Clock } from '../clock.ts'
import type { Duration } from '../duration.ts'
import { sleepBy } from '../sleep.ts'

interface Timer {
  readonly at: number
  readonly order: number
  readonly fire: () => void
}

/** Virtual time. Nothing happens until `advance`; timers fire in order of their time, then of their making. */
export class FakeClock implements Clock {
  #now: number
  #monotonic = 0
  #order = 0
  readonly #timers = new Set<Timer>()

  constructor(startMs = 1_786_017_600_000) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#monotonic
  }

  /** Timers that wait, for tests that wait until the code under test sleeps. */
  get waiting(): number {
    return this.#timers.size
  }

  sleep(duration: Duration, signal?: AbortSignal): Promise<void> {
    return sleepBy((fire) => this.after(duration, fire), signal)
  }

  after(duration: Duration, callback: () => void): Disposable {
    const timer = { at: this.#monotonic + duration.milliseconds, order: this.#order++, fire: callback }
    this.#timers.add(timer)
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) }
  }

  /** Moves time on, firing what falls due, and lets the promises that this wakes run between two timers. */
  async advance(duration: Duration): Promise<void> {
    const end = this.#monotonic + duration.milliseconds
    await settle()
    for (let due = this.#next(end); due; due = this.#next(end)) {
      this.#move(due.at)
      this.#timers.delete(due)
      due.fire()
      await settle()
    }
    this.#move(end)
    await settle()
  }

  /** A jump of the wall clock alone, as NTP or a person makes it. */
  jump(duration: Duration): void {
    this.#now += duration.milliseconds
  }

  #next(end: number): Timer | undefined {
    let best: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.at > end) continue
      if (!best || timer.at < best.at || (timer.at === best.at && timer.order < best.order)) best = timer
    }
    return best
  }

  #move(to: number): void {
    const step = Math.max(0, to - this.#monotonic)
    this.#monotonic += step
    this.#now += step
  }
}

/** Lets pending promise jobs run, also those that pass through the event loop once. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
}
