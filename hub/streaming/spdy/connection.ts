import type { Duplex } from 'node:stream'
import { RefusedError, type SkerryError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, DeadlineError, seconds, withDeadline } from '../../../platform/time/index.ts'
import {
  encodeData,
  encodeGoaway,
  encodeOpen,
  encodePing,
  encodeReply,
  encodeReset,
  type Frame,
  FrameError,
  FrameReader,
  GOAWAY,
  RESET,
} from './frames.ts'
import { HeaderReader, HeaderWriter, type StreamHeaders } from './headers.ts'
import { SpdyStream, type StreamPort } from './stream.ts'

export interface SpdyOptions {
  readonly role: 'client' | 'server'
  readonly clock: Clock
  /** Streams that the peer opens (at a server); false refuses one. Absent: none are taken. */
  readonly onStream?: (stream: SpdyStream) => boolean
  /** Open at the same time, of both sides. Default 256. */
  readonly mostStreams?: number
  /** Bytes that the peer has not read; more end the connection. Default 16 MiB. */
  readonly mostUnsent?: number
}

const MOST_STREAMS = 256
/** Each stream waits for its own bytes; the rest are answers to what the peer sends. */
const MOST_UNSENT = 16 * 1024 * 1024
/** As long as upstream waits for the answer to a new stream. */
const ANSWER_WITHIN = seconds(30)
/** How long what was written last may take until the connection is broken off. */
const LAST_WITHIN = seconds(5)

/**
 * SPDY/3.1 over a connection that was upgraded to it. Data is held back by the connection alone, as its peers in Kubernetes do
 * it: they keep no windows. So a stream that nobody reads holds up the others. Close it, or destroy the connection.
 */
export class SpdyConnection implements Disposable {
  readonly #wire: Duplex
  readonly #options: SpdyOptions
  readonly #streams = new Map<number, SpdyStream>()
  readonly #waiting = new Map<number, PromiseWithResolvers<void>>()
  readonly #writer = new HeaderWriter()
  readonly #headers = new HeaderReader()
  readonly #port: StreamPort
  readonly closed: Promise<void>
  #next: number
  #lastHeard = 0
  /** Why no stream can be opened any more. */
  #ended: SkerryError | undefined

  /** `head`: what came behind the answer to the upgrade. */
  constructor(wire: Duplex, head: Buffer, options: SpdyOptions) {
    this.#wire = wire
    this.#options = options
    this.#next = options.role === 'client' ? 1 : 2
    this.#port = {
      send: (stream, data, isLast, sent) => {
        wire.write(encodeData(stream, data, isLast), sent)
      },
      cancel: (stream) => {
        if (this.#streams.delete(stream)) this.#write(encodeReset(stream, RESET.cancel))
      },
      forget: (stream) => this.#streams.delete(stream),
    }
    wire.on('error', () => undefined)
    if (head.length > 0) wire.unshift(head)
    this.closed = this.#run()
  }

  get streams(): number {
    return this.#streams.size
  }

  /** Opens a stream; settles when the peer has taken it. */
  async open(headers: StreamHeaders, signal: AbortSignal): Promise<SpdyStream> {
    if (this.#ended) throw this.#ended
    if (this.#streams.size >= this.#most) {
      throw new RefusedError('Too many streams on one connection', { code: 'HUB_STREAM_TOO_MANY' })
    }
    const id = this.#next
    this.#next += 2
    const stream = this.#add(id, headers)
    const answer = Promise.withResolvers<void>()
    this.#waiting.set(id, answer)
    this.#write(encodeOpen(id, this.#writer.write(headers)))
    try {
      await withDeadline(this.#options.clock, ANSWER_WITHIN, signal, () => answer.promise)
      return stream
    } catch (error) {
      stream.destroy()
      if (error instanceof DeadlineError) throw silent(error)
      throw error
    } finally {
      this.#waiting.delete(id)
    }
  }

  /** Ends all streams, as upstream does it, and says goodbye; what was written before is still sent. */
  close(): void {
    for (const id of this.#streams.keys()) this.#write(encodeReset(id, RESET.cancel))
    this.#write(encodeGoaway(this.#lastHeard, GOAWAY.ok))
    this.#end(cutOff(), false)
    this.#wire.end()
    const timer = this.#options.clock.after(LAST_WITHIN, () => this.#wire.destroy())
    this.#wire.once('close', () => timer[Symbol.dispose]())
  }

  [Symbol.dispose](): void {
    this.#end(cutOff(), false)
    this.#wire.destroy()
  }

  get #most(): number {
    return this.#options.mostStreams ?? MOST_STREAMS
  }

  #add(id: number, headers: StreamHeaders): SpdyStream {
    const stream = new SpdyStream(id, headers, this.#port)
    this.#streams.set(id, stream)
    return stream
  }

  #write(frame: Buffer): void {
    if (this.#wire.writable) this.#wire.write(frame)
  }

  async #run(): Promise<void> {
    const reader = new FrameReader()
    let cause: unknown
    try {
      for await (const chunk of this.#wire) {
        for (const frame of reader.read(chunk)) await this.#handle(frame)
        // It must be read on while the peer does not: two that wait for each other wait for ever.
        if (this.#wire.writableLength > (this.#options.mostUnsent ?? MOST_UNSENT))
          throw new FrameError('a peer asks and does not read')
      }
    } catch (error) {
      cause = error
      if (error instanceof FrameError) this.#write(encodeGoaway(this.#lastHeard, GOAWAY.protocolError))
    } finally {
      this.#headers[Symbol.dispose]()
      // After a goodbye the end of the connection is the end of its streams, and not a broken one.
      this.#end(cutOff(cause), this.#ended?.code === 'HUB_STREAM_GOODBYE')
      this.#wire.destroy()
    }
  }

  async #handle(frame: Frame): Promise<void> {
    switch (frame.type) {
      case 'data':
        await this.#streams.get(frame.stream)?.arrive(frame.data, frame.isLast)
        return
      case 'open':
        return await this.#onOpen(frame.stream, frame.isLast, frame.block)
      case 'reply':
        await this.#headers.read(frame.block)
        this.#waiting.get(frame.stream)?.resolve()
        if (frame.isLast) await this.#streams.get(frame.stream)?.arrive(Buffer.alloc(0), true)
        return
      case 'headers':
        await this.#headers.read(frame.block)
        if (frame.isLast) await this.#streams.get(frame.stream)?.arrive(Buffer.alloc(0), true)
        return
      case 'reset':
        this.#onReset(frame.stream, frame.status)
        return
      case 'ping':
        // An id of our own parity is the answer to a ping of ours (2.6.5).
        if (frame.id % 2 === (this.#options.role === 'client' ? 0 : 1)) this.#write(encodePing(frame.id))
        return
      case 'goaway':
        this.#ended ??= new UnavailableError('The other side of the streams has said goodbye', {
          code: 'HUB_STREAM_GOODBYE',
        })
    }
  }

  async #onOpen(id: number, isLast: boolean, block: Buffer): Promise<void> {
    // Also of a stream that is refused: the next block builds upon it.
    const headers = await this.#headers.read(block)
    const isTheirs = id % 2 === (this.#options.role === 'client' ? 0 : 1)
    if (!isTheirs || id <= this.#lastHeard) throw new FrameError('a stream with an id that is not next')
    this.#lastHeard = id
    const { onStream } = this.#options
    if (!onStream || this.#ended || this.#streams.size >= this.#most) {
      this.#write(encodeReset(id, RESET.refused))
      return
    }
    const stream = this.#add(id, headers)
    if (!onStream(stream)) {
      this.#streams.delete(id)
      this.#write(encodeReset(id, RESET.refused))
      stream.reset()
      stream.destroy()
      return
    }
    this.#write(encodeReply(id, this.#writer.write({})))
    if (isLast) await stream.arrive(Buffer.alloc(0), true)
  }

  #onReset(id: number, status: number): void {
    const stream = this.#streams.get(id)
    this.#streams.delete(id)
    this.#waiting.get(id)?.reject(
      new RefusedError('The other side does not take the stream', {
        code: 'HUB_STREAM_RESET',
        fields: { status },
      }),
    )
    stream?.reset()
  }

  #end(error: SkerryError, isClean: boolean): void {
    this.#ended ??= error
    for (const waiting of this.#waiting.values()) waiting.reject(error)
    const streams = [...this.#streams.values()]
    this.#streams.clear()
    for (const stream of streams) {
      if (isClean) stream.reset()
      else stream.destroy(error)
    }
  }
}

function cutOff(cause?: unknown): UnavailableError {
  return new UnavailableError('The connection of the streams is broken', { code: 'HUB_STREAM_CUT_OFF', cause })
}

export function silent(cause?: unknown): UnavailableError {
  return new UnavailableError('The other side of the streams does not answer in time', {
    code: 'HUB_STREAM_SILENT',
    cause,
  })
}
