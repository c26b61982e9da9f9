import { Duplex } from 'node:stream'
import { describeError } from '../../platform/lifecycle/index.ts'
import type { Clock } from '../../platform/time/index.ts'
import { ByteQueue } from './byte-queue.ts'
import { tunnelClosed } from './errors.ts'
import { encodeTunnelFrame, FRAME_TYPES, uvarint } from './frame.ts'
import type { MayIdle } from './idle-watch.ts'
import { LARGEST_PART, Speech } from './speech.ts'
import type { Sender, TurnWriter } from './turn-writer.ts'

export interface TunnelStreamOptions {
  readonly id: number
  readonly writer: TurnWriter
  readonly clock: Clock
  /** Bytes that this end takes before it gives more credit. */
  readonly window: number
  /** Bytes that the other end takes. */
  readonly credit: number
  /** The stream is over. */
  onGone(): void
}

const LONGEST_REASON = 200
/** Nobody is given as much. */
const MOST_CREDIT = 2 ** 31

/**
 * One stream between Skerry peers. At most a window of bytes waits for a reader here, and a window at the other end: a reader that
 * stops stops its writer, and nobody else.
 */
export class TunnelStream implements Sender, MayIdle {
  readonly duplex: Duplex
  readonly #options: TunnelStreamOptions
  readonly #inbox = new ByteQueue()
  #movedAt: number
  #credit: number
  /** What the other end may still send. */
  #room: number
  /** Read here, and not given back as credit. */
  #owed = 0
  #isWanted = false
  #hasPeerEnded = false
  #hasEnded = false
  readonly #speech = new Speech()

  constructor(options: TunnelStreamOptions) {
    this.#options = options
    this.#movedAt = options.clock.monotonic()
    this.#credit = options.credit
    this.#room = options.window
    this.duplex = new Duplex({
      // All that waits is in the inbox, where small pieces lie together.
      readableHighWaterMark: 1,
      writableHighWaterMark: LARGEST_PART,
      read: () => {
        this.#isWanted = true
        this.#pump()
      },
      write: (chunk: Buffer, _encoding, done) => {
        this.#speech.write(chunk, done)
        options.writer.ready(this)
      },
      final: (done) => {
        this.#speech.end(done)
        options.writer.ready(this)
      },
      destroy: (error, done) => {
        this.#leave(error)
        done(error)
      },
    })
    // Whoever does not listen must not be killed by it.
    this.duplex.on('error', () => undefined)
  }

  get quietSince(): number {
    return this.#movedAt
  }

  expire(): void {
    this.duplex.destroy(tunnelClosed('nothing has moved for hours'))
  }

  next(): Buffer | undefined {
    const { id } = this.#options
    const part = this.#speech.part(this.#credit)
    if (part) {
      this.#credit -= part.length
      this.#moved()
      this.#speech.passed()
      return encodeTunnelFrame(id, FRAME_TYPES.data, part)
    }
    if (!this.#speech.isEnding) return undefined
    this.#hasEnded = true
    this.#speech.settle()
    return encodeTunnelFrame(id, FRAME_TYPES.end)
  }

  /** What the other end did against the rules, if anything. */
  receive(data: Buffer): string | undefined {
    if (this.#hasPeerEnded) return 'data after the end of a stream'
    if (data.length > this.#room) return 'more data than there was credit for'
    this.#room -= data.length
    this.#inbox.push(data)
    this.#moved()
    this.#pump()
    return undefined
  }

  grant(bytes: number): string | undefined {
    if (bytes === 0 || this.#credit + bytes > MOST_CREDIT) return 'a credit that nobody gives'
    this.#credit += bytes
    if (this.#speech.isWriting) this.#options.writer.ready(this)
    return undefined
  }

  peerEnded(): void {
    this.#hasPeerEnded = true
    this.#pump()
  }

  /** The other end, or the tunnel, is gone. */
  cut(reason: string): void {
    this.#hasEnded = true
    this.#hasPeerEnded = true
    this.duplex.destroy(tunnelClosed(reason))
  }

  #pump(): void {
    while (this.#isWanted) {
      const data = this.#inbox.shift()
      if (!data) break
      this.#isWanted = false
      this.#owed += data.length
      if (this.duplex.push(data)) this.#isWanted = true
    }
    const { id, window, writer } = this.#options
    if (this.#hasPeerEnded) {
      if (this.#isWanted && this.#inbox.length === 0) this.duplex.push(null)
    } else if (this.#owed * 2 >= window) {
      this.#room += this.#owed
      writer.control(encodeTunnelFrame(id, FRAME_TYPES.credit, uvarint(this.#owed)))
      this.#owed = 0
    }
  }

  #moved(): void {
    this.#movedAt = this.#options.clock.monotonic()
  }

  #leave(error: Error | null): void {
    const { id, writer, onGone } = this.#options
    writer.forget(this)
    this.#inbox.clear()
    if (!(this.#hasEnded && this.#hasPeerEnded)) {
      const reason = error ? describeError(error).slice(0, LONGEST_REASON) : ''
      writer.control(encodeTunnelFrame(id, FRAME_TYPES.remove, reason))
    }
    this.#speech.settle(error ?? tunnelClosed('closed at this end'))
    onGone()
  }
}
