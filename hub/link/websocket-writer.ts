import { UnavailableError } from '../../platform/lifecycle/index.ts'
import { afterTurn, type Clock, type Duration, ms } from '../../platform/time/index.ts'
import type { Frame } from '../../schemas/index.ts'
import { encodeFrame } from './frame-codec.ts'

/** What is used of a WebSocket. */
export interface WritableSocket {
  readonly readyState: number
  readonly OPEN: number
  /** Calls back when the kernel took the data. */
  send(data: string | Buffer, options: { binary: boolean; fin: boolean }, callback: (error?: Error) => void): void
}

/** The connection below: what is written while it is corked goes to the kernel in one piece, and in one TLS record. */
export interface Wire {
  cork(): void
  uncork(): void
}

export interface WriterOptions {
  /** Absent: each frame goes alone. */
  readonly wire?: Wire
  readonly clock: Clock
  /** How long the socket may take none of what waits for it. */
  readonly stalledAfter: Duration
  onStalled(): void
}

/** Frames beyond this go in parts, so that a slow link shows that it moves, and pings pass between the parts. */
const PART = 64 * 1024

interface Waiting {
  readonly frame: Frame
  resolve(): void
  reject(error: unknown): void
}

/** Writes frames to a WebSocket in their order, the large ones in parts. A link that is slow is waited for, one that stalls is not. */
export class WebSocketWriter implements Disposable {
  readonly #socket: WritableSocket
  readonly #options: WriterOptions
  /** While a large frame is in its parts, no other may go between them. */
  readonly #waiting: Waiting[] = []
  #isParting = false
  #isGathering = false
  #underWay = 0
  #movedAt = 0
  #timer: Disposable | undefined

  constructor(socket: WritableSocket, options: WriterOptions) {
    this.#socket = socket
    this.#options = options
  }

  send(frame: Frame): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ frame, resolve, reject })
      this.#pump()
    })
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
    for (const { reject } of this.#waiting.splice(0)) reject(closedError())
  }

  #pump(): void {
    while (!this.#isParting) {
      const next = this.#waiting.shift()
      if (!next) return
      const text = encodeFrame(next.frame)
      // Its bytes are three times its characters at most.
      const bytes = text.length * 3 > PART ? Buffer.from(text) : undefined
      if (bytes === undefined || bytes.length <= PART) this.#write(text, true).then(next.resolve, next.reject)
      else void this.#writeParts(bytes).then(next.resolve, next.reject)
    }
  }

  async #writeParts(bytes: Buffer): Promise<void> {
    this.#isParting = true
    try {
      for (let at = 0; at < bytes.length; at += PART) {
        await this.#write(bytes.subarray(at, at + PART), at + PART >= bytes.length)
      }
    } finally {
      this.#isParting = false
      queueMicrotask(() => this.#pump())
    }
  }

  #write(data: string | Buffer, isLast: boolean): Promise<void> {
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      if (socket.readyState !== socket.OPEN) return reject(closedError())
      this.#gather()
      if (this.#underWay++ === 0) this.#movedAt = this.#options.clock.monotonic()
      this.#watch()
      socket.send(data, { binary: false, fin: isLast }, (error) => {
        this.#underWay--
        this.#movedAt = this.#options.clock.monotonic()
        if (this.#underWay === 0) {
          this.#timer?.[Symbol.dispose]()
          this.#timer = undefined
        }
        if (error) reject(closedError(error))
        else resolve()
      })
    })
  }

  /** A thousand small frames a second cost more in calls of the system than in all else: those of one turn go together. */
  #gather(): void {
    const { wire } = this.#options
    if (!wire || this.#isGathering) return
    this.#isGathering = true
    wire.cork()
    afterTurn(() => {
      this.#isGathering = false
      wire.uncork()
    })
  }

  #watch(): void {
    if (this.#timer) return
    const { clock, stalledAfter, onStalled } = this.#options
    const left = this.#movedAt + stalledAfter.milliseconds - clock.monotonic()
    this.#timer = clock.after(ms(Math.max(1, left)), () => {
      this.#timer = undefined
      if (this.#underWay === 0) return
      if (clock.monotonic() - this.#movedAt >= stalledAfter.milliseconds) onStalled()
      else this.#watch()
    })
  }
}

function closedError(cause?: unknown): UnavailableError {
  return new UnavailableError('The link is closed', { code: 'HUB_LINK_CLOSED', cause })
}
