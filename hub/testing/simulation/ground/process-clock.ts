import type { Clock, Duration } from '../../../../platform/time/index.ts'
import type { Appointment, Scheduler } from './scheduler.ts'

/** The clock on the wall of one machine. Setting it moves no timer. */
export interface WallClock {
  /** ms ahead of virtual time. */
  offset: number
}

/** 2026-08-06T12:00:00Z */
const BEGINNING = 1_786_017_600_000

/** Time as one process sees it. When the process is killed, nothing that it has planned happens any more. */
export class ProcessClock implements Clock {
  readonly #scheduler: Scheduler
  readonly #wall: WallClock
  readonly #startedAt: number
  #isDead = false

  constructor(scheduler: Scheduler, wall: WallClock) {
    this.#scheduler = scheduler
    this.#wall = wall
    this.#startedAt = scheduler.now
  }

  get isDead(): boolean {
    return this.#isDead
  }

  kill(): void {
    this.#isDead = true
  }

  now(): number {
    return BEGINNING + this.#scheduler.now + this.#wall.offset
  }

  monotonic(): number {
    return this.#scheduler.now - this.#startedAt
  }

  sleep({ milliseconds }: Duration, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        appointment[Symbol.dispose]()
        if (!this.#isDead) reject(signal?.reason)
      }
      const appointment = this.#plan(milliseconds, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  after({ milliseconds }: Duration, callback: () => void): Disposable {
    return this.#plan(milliseconds, callback)
  }

  #plan(milliseconds: number, callback: () => void): Appointment {
    return this.#scheduler.after(milliseconds, () => {
      if (!this.#isDead) callback()
    })
  }
}
