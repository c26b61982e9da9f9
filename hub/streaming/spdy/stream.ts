import { Duplex } from 'node:stream'
import { LARGEST_DATA } from './frames.ts'
import type { StreamHeaders } from './headers.ts'

/** What a stream asks of its connection. */
export interface StreamPort {
  /** Settles the callback when the bytes are on their way, so that who writes is held back by the peer. */
  send(stream: number, data: Uint8Array, isLast: boolean, sent: (error?: Error | null) => void): void
  /** The stream is over before both ends closed it. */
  cancel(stream: number): void
  forget(stream: number): void
}

const MOST_UNREAD = 64 * 1024

/** One stream of a SPDY connection; each direction ends by itself. A peer that resets it ends what can be read, too. */
export class SpdyStream extends Duplex {
  readonly id: number
  readonly headers: StreamHeaders
  readonly #port: StreamPort
  #isSentLast = false
  #isHeardLast = false
  /** The peer takes nothing any more. */
  #isReset = false
  #room: (() => void) | undefined

  constructor(id: number, headers: StreamHeaders, port: StreamPort) {
    super({ highWaterMark: MOST_UNREAD, allowHalfOpen: true })
    this.id = id
    this.headers = headers
    this.#port = port
    // Who is not interested in it does not have to hear of its end.
    this.on('error', () => undefined)
  }

  /** Bytes from the peer; settles where there is room for more, as nothing else of the connection is read until then. */
  arrive(data: Buffer, isLast: boolean): Promise<void> | undefined {
    if (this.#isHeardLast || this.destroyed) return undefined
    const hasRoom = data.length === 0 || this.push(data)
    if (isLast) this.#hearLast()
    if (hasRoom || isLast) return undefined
    return new Promise((resolve) => {
      this.#room = resolve
    })
  }

  /** The peer ended the stream at once: what it sent before can still be read. */
  reset(): void {
    this.#isReset = true
    this.#isSentLast = true
    this.#hearLast()
  }

  override _read(): void {
    this.#makeRoom()
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, sent: (error?: Error | null) => void): void {
    if (this.#isReset) {
      sent()
      return
    }
    const first = chunk.subarray(0, LARGEST_DATA)
    const rest = chunk.subarray(LARGEST_DATA)
    this.#port.send(this.id, first, false, (error) => {
      if (error || rest.length === 0) sent(error)
      else this._write(rest, encoding, sent)
    })
  }

  override _final(sent: (error?: Error | null) => void): void {
    if (this.#isReset) {
      sent()
      return
    }
    this.#isSentLast = true
    this.#port.send(this.id, Buffer.alloc(0), true, sent)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#makeRoom()
    if (this.#isSentLast && this.#isHeardLast) this.#port.forget(this.id)
    else this.#port.cancel(this.id)
    done(error)
  }

  #hearLast(): void {
    if (this.#isHeardLast) return
    this.#isHeardLast = true
    this.push(null)
  }

  #makeRoom(): void {
    this.#room?.()
    this.#room = undefined
  }
}
