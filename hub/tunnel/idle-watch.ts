import { type Clock, minutes } from '../../platform/time/index.ts'

/** Of the kubelet's own streams. */
export const IDLE_FOR = minutes(4 * 60)
const LOOK_EVERY = minutes(10)

export interface MayIdle {
  /** Monotonic ms of its last byte. */
  readonly quietSince: number
  expire(): void
}

/** Ends streams on which nothing has moved for hours: whoever had them has forgotten them. */
export class IdleWatch implements Disposable {
  readonly #clock: Clock
  readonly #streams: ReadonlyMap<number, MayIdle>
  #timer: Disposable | undefined

  constructor(clock: Clock, streams: ReadonlyMap<number, MayIdle>) {
    this.#clock = clock
    this.#streams = streams
  }

  /** A stream has begun. */
  begin(): void {
    this.#timer ??= this.#clock.after(LOOK_EVERY, () => this.#look())
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
  }

  #look(): void {
    this.#timer = undefined
    const now = this.#clock.monotonic()
    for (const stream of [...this.#streams.values()]) {
      if (now - stream.quietSince >= IDLE_FOR.milliseconds) stream.expire()
    }
    if (this.#streams.size > 0) this.begin()
  }
}
