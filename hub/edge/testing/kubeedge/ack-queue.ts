import { type Clock, ms, seconds } from '../../../../platform/time/index.ts'
import type { Frame } from '../../../../schemas/index.ts'

const RESEND_AFTER = seconds(5)
const SENDS = 5

interface Waiting {
  readonly uid: string
  readonly frame: Frame
}

/** The acknowledged class of an original CloudHub: exactly one message under way, sent five times, then queued again. */
export class AckQueue {
  readonly #clock: Clock
  readonly #send: (frame: Frame) => void
  readonly #onAcknowledged: (uid: string, frame: Frame) => void
  readonly #queue: Waiting[] = []
  #present: Waiting | undefined
  #timer: Disposable | undefined
  #isClosed = false

  constructor(clock: Clock, send: (frame: Frame) => void, onAcknowledged: (uid: string, frame: Frame) => void) {
    this.#clock = clock
    this.#send = send
    this.#onAcknowledged = onAcknowledged
  }

  get depth(): number {
    return this.#queue.length + (this.#present ? 1 : 0)
  }

  /** A newer message of an object takes the place of one that was not sent yet. */
  put(uid: string, frame: Frame): void {
    const at = this.#queue.findIndex((each) => each.uid === uid)
    if (at >= 0) this.#queue[at] = { uid, frame }
    else this.#queue.push({ uid, frame })
    this.#next()
  }

  /** False where nothing waits for it. */
  acknowledge(id: string): boolean {
    const present = this.#present
    if (present?.frame.header.msg_id !== id) return false
    this.#forget()
    this.#onAcknowledged(present.uid, present.frame)
    this.#next()
    return true
  }

  close(): void {
    this.#isClosed = true
    this.#forget()
  }

  #next(): void {
    if (this.#present || this.#isClosed) return
    this.#present = this.#queue.shift()
    if (this.#present) this.#try(this.#present, 1)
  }

  #try(waiting: Waiting, sends: number): void {
    this.#send(waiting.frame)
    this.#timer = this.#clock.after(RESEND_AFTER, () => {
      if (sends < SENDS) return this.#try(waiting, sends + 1)
      this.#forget()
      // A newer one that came meanwhile is sent instead.
      if (!this.#queue.some(({ uid }) => uid === waiting.uid)) this.#queue.push(waiting)
      this.#timer = this.#clock.after(ms(5), () => this.#next())
    })
  }

  #forget(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
    this.#present = undefined
  }
}
