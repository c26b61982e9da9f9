import { Duplex } from 'node:stream'
import type { Clock } from '../../../platform/time/index.ts'
import { ByteQueue } from '../byte-queue.ts'
import { tunnelClosed } from '../errors.ts'
import { encodeTunnelFrame, FRAME_TYPES } from '../frame.ts'
import type { MayIdle } from '../idle-watch.ts'
import { LARGEST_PART, Speech } from '../speech.ts'
import type { Sender, TurnWriter } from '../turn-writer.ts'

export interface ConnectStreamOptions {
  readonly id: number
  readonly writer: TurnWriter
  readonly clock: Clock
  /** Told when more waits for the reader than should, and when that is over. */
  onPressure(isHigh: boolean): void
  onGone(): void
}

/** Bytes that may wait before the peer is held up: KubeEdge knows no credit. */
export const MOST_WAITING = 1024 * 1024

/**
 * The bytes of one KubeEdge connection: `data` frames, and a `remove` that ends both directions at once, from either end. The connect
 * frame is sent by whoever made this.
 */
export class ConnectStream implements Sender, MayIdle {
  readonly duplex: Duplex
  readonly #options: ConnectStreamOptions
  readonly #inbox = new ByteQueue()
  #movedAt: number
  #isWanted = false
  #isHigh = false
  /** One of the ends has removed it. */
  #isOver = false
  readonly #speech = new Speech()

  constructor(options: ConnectStreamOptions) {
    this.#options = options
    this.#movedAt = options.clock.monotonic()
    this.duplex = new Duplex({
      readableHighWaterMark: 1,
      writableHighWaterMark: LARGEST_PART,
      read: () => {
        this.#isWanted = true
        this.#pump()
      },
      write: (chunk: Buffer, _encoding, done) => {
        // Nobody is there to read it.
        if (this.#isOver) return done()
        this.#speech.write(chunk, done)
        options.writer.ready(this)
      },
      final: (done) => {
        if (this.#isOver) return done()
        this.#speech.end(done)
        options.writer.ready(this)
      },
      destroy: (error, done) => {
        this.#leave(error)
        done(error)
      },
    })
    this.duplex.on('error', () => undefined)
  }

  get waiting(): number {
    return this.#inbox.length
  }

  get quietSince(): number {
    return this.#movedAt
  }

  expire(): void {
    this.duplex.destroy(tunnelClosed('nothing has moved for hours'))
  }

  next(): Buffer | undefined {
    const { id } = this.#options
    const part = this.#speech.part(LARGEST_PART)
    if (part) {
      this.#moved()
      this.#speech.passed()
      return encodeTunnelFrame(id, FRAME_TYPES.data, part)
    }
    if (!this.#speech.isEnding || this.#isOver) return undefined
    this.#over()
    this.#speech.settle()
    return encodeTunnelFrame(id, FRAME_TYPES.remove)
  }

  receive(data: Buffer): void {
    if (this.#isOver) return
    this.#inbox.push(data)
    this.#moved()
    this.#pump()
  }

  removed(): void {
    this.#over()
    this.#speech.settle()
  }

  /** The tunnel is gone, or this stream held up the others. */
  cut(reason: string): void {
    this.duplex.destroy(tunnelClosed(reason))
  }

  #over(): void {
    this.#isOver = true
    this.#pump()
  }

  #pump(): void {
    while (this.#isWanted) {
      const data = this.#inbox.shift()
      if (!data) break
      this.#isWanted = false
      if (this.duplex.push(data)) this.#isWanted = true
    }
    if (this.#isOver && this.#isWanted && this.#inbox.length === 0) this.duplex.push(null)
    const isHigh = this.#inbox.length > (this.#isHigh ? MOST_WAITING / 2 : MOST_WAITING)
    if (isHigh === this.#isHigh) return
    this.#isHigh = isHigh
    this.#options.onPressure(isHigh)
  }

  #moved(): void {
    this.#movedAt = this.#options.clock.monotonic()
  }

  #leave(error: Error | null): void {
    const { id, writer, onPressure, onGone } = this.#options
    writer.forget(this)
    this.#inbox.clear()
    if (!this.#isOver) writer.control(encodeTunnelFrame(id, FRAME_TYPES.remove))
    this.#isOver = true
    if (this.#isHigh) onPressure(false)
    this.#isHigh = false
    this.#speech.settle(error ?? tunnelClosed('closed at this end'))
    onGone()
  }
}
