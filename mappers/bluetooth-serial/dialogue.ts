import type { MapperContext } from '../contract/index.ts'
import type { SerialDevice } from './device-config.ts'
import type { Line } from './line.ts'
import { onAbort } from './on-abort.ts'
import { MOST_TURNS } from './timing.ts'

/** `other`: not an answer to this request. `done`: nothing more is waited for. */
export type AnswerTaker = (payload: Buffer) => 'taken' | 'done' | 'other'

/** Requests and answers on a line, one after the other. */
export class Dialogue {
  readonly #line: Line
  readonly #clock: MapperContext['clock']
  /** An answer may still come to a request that was given up: the line has to be quiet for so long, in ms. */
  #late = 0
  #gap = 0

  constructor(line: Line, clock: MapperContext['clock']) {
    this.#line = line
    this.#clock = clock
  }

  /** Settles when `take` is done or after the time-out. Rejects when the line is lost or the signal aborts. */
  async exchange(device: SerialDevice, frame: Buffer, take: AnswerTaker, signal: AbortSignal): Promise<void> {
    await this.#ready(signal)
    const { promise: done, resolve } = Promise.withResolvers<true>()
    using _listening = this.#line.listen(
      device.framing,
      (payload) => {
        const taken = take(payload)
        if (taken === 'done') resolve(true)
        return taken !== 'other'
      },
      true,
    )
    // Given up in the middle, the answer may still be on its way.
    this.#late = device.drain
    await this.#line.send(frame, signal)
    const isDone = await this.#within(device.timeout, done, signal)
    if (isDone) this.#late = 0
    this.#gap = device.gap
  }

  /** Sends what has no answer. */
  async tell(device: SerialDevice, frame: Buffer, signal: AbortSignal): Promise<void> {
    await this.#ready(signal)
    await this.#line.send(frame, signal)
    this.#gap = device.gap
  }

  async #ready(signal: AbortSignal): Promise<void> {
    const gap = this.#gap
    this.#gap = 0
    if (gap > 0) await this.#clock.sleep(gap, signal)
    const quiet = this.#late
    if (quiet === 0) return
    // A line that is never quiet is asked in the end: devices that send by themselves are no late answers.
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      const received = this.#line.received
      await this.#clock.sleep(quiet, signal)
      if (this.#line.received === received) break
    }
    this.#late = 0
  }

  /** Settles when `done` does or the time is over; rejects as `exchange`. */
  async #within(milliseconds: number, done: Promise<true>, signal: AbortSignal): Promise<boolean> {
    const waiting = new AbortController()
    const { promise: ended, reject } = Promise.withResolvers<never>()
    using _bounds = onAbort([signal, this.#line.lost], reject)
    const timeout = this.#clock.sleep(milliseconds, waiting.signal).then(
      () => false,
      () => false,
    )
    try {
      return await Promise.race([done, ended, timeout])
    } finally {
      waiting.abort()
    }
  }
}
