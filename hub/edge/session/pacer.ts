import { type Clock, ms } from '../../../platform/time/index.ts'

export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Limits of a KubeEdge edge (`messageQPS`, `messageBurst`), which its cloud expects of each node. */
export const ORIGINAL_RATE: Rate = { perSecond: 30, burst: 60 }

/** A token bucket. Urgent messages go before all that wait; among equals, the first comes first. */
export class Pacer implements Disposable {
  readonly #clock: Clock
  readonly #rate: Rate
  readonly #urgent: (() => void)[] = []
  readonly #others: (() => void)[] = []
  #tokens: number
  #countedAt: number
  #timer: Disposable | undefined
  #isOver = false

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock
    this.#rate = rate
    this.#tokens = rate.burst
    this.#countedAt = clock.monotonic()
  }

  /** Settles when the message may go. The callers bound how many wait. */
  take(urgency: 'urgent' | 'normal'): Promise<void> {
    if (this.#isOver) return Promise.resolve()
    return new Promise((resolve) => {
      const queue = urgency === 'urgent' ? this.#urgent : this.#others
      queue.push(resolve)
      this.#pump()
    })
  }

  /** Lets everybody go, now and later: the link is over, sending fails by itself. */
  [Symbol.dispose](): void {
    this.#isOver = true
    this.#timer?.[Symbol.dispose]()
    for (const go of [...this.#urgent.splice(0), ...this.#others.splice(0)]) go()
  }

  #pump(): void {
    this.#refill()
    while (this.#tokens >= 1) {
      const go = this.#urgent.shift() ?? this.#others.shift()
      if (!go) return
      this.#tokens--
      go()
    }
    if (this.#timer || this.#urgent.length + this.#others.length === 0) return
    const wait = Math.ceil(((1 - this.#tokens) * 1000) / this.#rate.perSecond)
    this.#timer = this.#clock.after(ms(wait), () => {
      this.#timer = undefined
      this.#pump()
    })
  }

  #refill(): void {
    const now = this.#clock.monotonic()
    const earned = ((now - this.#countedAt) * this.#rate.perSecond) / 1000
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + earned)
    this.#countedAt = now
  }
}
