import { type Clock, ms, type Random } from '../../../platform/time/index.ts'
import type { Fault } from './fault.ts'

/** What the fault of a simulator does to its answers; ending links is the simulator's own work. */
export class FaultyAnswers {
  readonly #clock: Clock
  readonly #random: Random
  current: Fault | undefined

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  /** True when nothing may be answered. */
  get isMute(): boolean {
    return this.current?.kind === 'silence' || this.current?.kind === 'disconnect'
  }

  /** True when this answer has to be nonsense; asks chance. */
  isGarbage(): boolean {
    return this.current?.kind === 'garbage' && this.#random.next() < this.current.share
  }

  /** The nonsense instead of an answer of the same length. */
  nonsense(length: number): Uint8Array {
    return this.#random.bytes(length)
  }

  /**
   * Sends the answer as the fault has it: not at all, as nonsense, later, or as it is. At once, in the same turn, where nothing
   * makes it wait.
   */
  send(answer: Uint8Array, write: (bytes: Uint8Array) => void): void {
    if (this.isMute) return
    const bytes = this.isGarbage() ? this.nonsense(answer.length) : answer
    if (this.current?.kind === 'slow') this.#clock.after(ms(this.current.milliseconds), () => write(bytes))
    else write(bytes)
  }
}
