import { type Clock, ms } from '../../../platform/time/index.ts'

export interface WriteGateOptions {
  readonly clock: Clock
  /** Most writes under way. */
  readonly abreast: number
  readonly perSecond: number
  readonly burst: number
}

/** Lets writes to one API server through at a bounded rate, few at a time, and those first that a delivery waits for. */
export class WriteGate {
  readonly #options: WriteGateOptions
  readonly #urgent = new Set<() => void>()
  readonly #other = new Set<() => void>()
  #underWay = 0
  #tokens: number
  #filledAt: number
  #timer: Disposable | undefined

  constructor(options: WriteGateOptions) {
    this.#options = options
    this.#tokens = options.burst
    this.#filledAt = options.clock.monotonic()
  }

  /** Writes that wait for their turn. */
  get depth(): number {
    return this.#urgent.size + this.#other.size
  }

  /** Rejects with the reason of the signal when that aborts before the turn has come. */
  async pass<T>(isUrgent: boolean, signal: AbortSignal | undefined, write: () => Promise<T>): Promise<T> {
    await this.#turn(isUrgent ? this.#urgent : this.#other, signal)
    try {
      return await write()
    } finally {
      this.#underWay--
      this.#pump()
    }
  }

  async #turn(queue: Set<() => void>, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = () => {
      // Whose turn has come takes it.
      if (queue.delete(resolve)) reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    queue.add(resolve)
    this.#pump()
    try {
      await promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #pump(): void {
    this.#fill()
    while (this.depth > 0 && this.#underWay < this.#options.abreast && this.#tokens >= 1) {
      const queue = this.#urgent.size > 0 ? this.#urgent : this.#other
      const [next] = queue
      if (!next) return
      queue.delete(next)
      this.#tokens--
      this.#underWay++
      next()
    }
    if (this.depth === 0 || this.#tokens >= 1 || this.#timer) return
    const { clock, perSecond } = this.#options
    this.#timer = clock.after(ms(Math.ceil(((1 - this.#tokens) / perSecond) * 1000)), () => {
      this.#timer = undefined
      this.#pump()
    })
  }

  #fill(): void {
    const { clock, perSecond, burst } = this.#options
    const now = clock.monotonic()
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond)
    this.#filledAt = now
  }
}
