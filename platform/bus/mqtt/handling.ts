import { type Clock, DeadlineError, ms, seconds } from '../../time/index.ts'
import type { MqttMessage } from '../event-bus.ts'

export type Handler = (message: MqttMessage) => Promise<void>

const DEADLINE = seconds(30)

/**
 * Hands messages to their handlers. A handler that takes longer than 30 seconds has lost: the message counts as not taken,
 * whatever becomes of it later. One timer stands for all messages that are worked on.
 */
export class Handling {
  readonly #clock: Clock
  /** Who came first is due first: all have the same time. */
  readonly #busy = new Set<Busy>()
  #timer: Disposable | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Settles when each handler has; rejects with the first failure, or at the deadline. */
  take(handlers: readonly Handler[], message: MqttMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      let open = handlers.length
      const busy = { dueMs: this.#clock.monotonic() + DEADLINE.milliseconds, reject }
      this.#busy.add(busy)
      this.#watch()
      const fail = (error: unknown) => {
        this.#busy.delete(busy)
        reject(error)
      }
      const succeed = () => {
        if (--open > 0) return
        this.#busy.delete(busy)
        resolve()
      }
      for (const handler of handlers) attempt(handler, message).then(succeed, fail)
    })
  }

  #watch(): void {
    if (this.#timer) return
    const [first] = this.#busy
    if (!first) return
    const leftMs = Math.max(0, first.dueMs - this.#clock.monotonic())
    this.#timer = this.#clock.after(ms(leftMs), () => {
      this.#timer = undefined
      this.#expire()
      this.#watch()
    })
  }

  #expire(): void {
    const now = this.#clock.monotonic()
    for (const busy of this.#busy) {
      if (busy.dueMs > now) return
      this.#busy.delete(busy)
      busy.reject(new DeadlineError(`no answer within ${DEADLINE.milliseconds} ms`))
    }
  }
}

interface Busy {
  readonly dueMs: number
  readonly reject: (error: unknown) => void
}

/** Turns a synchronous throw into a rejection. */
async function attempt(handler: Handler, message: MqttMessage): Promise<void> {
  await handler(message)
}
