import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, withDeadline } from '../../../platform/time/index.ts'
import { type Frame, OPERATIONS } from '../../../schemas/index.ts'

const MOST_WAITING = 1000

/** Requests to the cloud that wait for their answer, by message id. */
export class RequestTable {
  readonly #clock: Clock
  readonly #waiting = new Map<string, PromiseWithResolvers<Frame>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#waiting.size
  }

  /** Sends the frame and gives its answer. Rejects when the answer is an error, late, or the link goes. */
  async ask(
    frame: Frame,
    send: (frame: Frame) => Promise<void>,
    deadline: Duration,
    signal: AbortSignal,
  ): Promise<Frame> {
    if (this.#waiting.size >= MOST_WAITING) {
      throw new UnavailableError('Too many requests wait for the cloud', { code: 'HUB_REQUESTS_FULL' })
    }
    const answer = Promise.withResolvers<Frame>()
    answer.promise.catch(() => undefined)
    this.#waiting.set(frame.header.msg_id, answer)
    try {
      return await withDeadline(this.#clock, deadline, signal, async () => {
        await send(frame)
        return await answer.promise
      })
    } finally {
      this.#waiting.delete(frame.header.msg_id)
    }
  }

  /** False where nobody waits for it. */
  answer(frame: Frame): boolean {
    const waiting = this.#waiting.get(frame.header.parent_msg_id ?? '')
    if (!waiting) return false
    if (frame.route.operation === OPERATIONS.error) {
      const reason = typeof frame.content === 'string' ? frame.content : 'no reason'
      waiting.reject(
        new UnavailableError(`the cloud answered with an error: ${reason}`, { code: 'HUB_REQUEST_FAILED' }),
      )
    } else {
      waiting.resolve(frame)
    }
    return true
  }
}
