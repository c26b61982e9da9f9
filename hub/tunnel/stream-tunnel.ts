import type { Duplex } from 'node:stream'
import { type Clock, seconds, withDeadline } from '../../platform/time/index.ts'
import { tunnelBusy, tunnelClosed, tunnelRefused, tunnelSilent } from './errors.ts'
import { decodeTunnelFrame, encodeTunnelFrame, FRAME_TYPES, readUvarint, type TunnelFrame, uvarint } from './frame.ts'
import { IdleWatch } from './idle-watch.ts'
import { TunnelStream } from './tunnel-stream.ts'
import type { TunnelTarget } from './tunnels.ts'
import { type TunnelWire, TurnWriter } from './turn-writer.ts'

export interface StreamTunnelOptions {
  readonly wire: TunnelWire
  readonly clock: Clock
  /** Most streams at a time; default 128. */
  readonly mostStreams?: number
  /** Bytes of one stream that wait here for their reader; default 256 KiB. */
  readonly window?: number
  /** The edge's end: takes a new stream, or says that the target is not served. Absent: the other end may open none. */
  readonly accept?: (target: string, stream: () => Duplex) => boolean
  /** The other end broke the rules: the tunnel has to end. */
  onBreach(reason: string): void
  /** Told of the number of streams, whenever that changes. */
  onStreams?(count: number): void
}

export const MOST_STREAMS = 128
export const WINDOW = 256 * 1024
/** A tunnel that lives answers at once; a link to a satellite takes a second. */
const OPEN_WITHIN = seconds(15)
const LARGEST_WINDOW = 16 * 1024 * 1024
const LONGEST_TARGET = 64
const BUSY = 'busy'
const NO_TARGET = 'no-target'

interface Opening {
  readonly target: TunnelTarget
  resolve(stream: Duplex): void
  reject(error: unknown): void
}

/** Streams between Skerry peers over one wire; the cloud opens, the edge accepts. */
export class StreamTunnel {
  readonly #options: StreamTunnelOptions
  readonly #writer: TurnWriter
  readonly #streams = new Map<number, TunnelStream>()
  readonly #idle: IdleWatch
  readonly #openings = new Map<number, Opening>()
  /** Ids grow and are never used again: what is late for a former stream meets none. */
  #lastId = 0
  #ended: string | undefined

  constructor(options: StreamTunnelOptions) {
    this.#options = options
    this.#idle = new IdleWatch(options.clock, this.#streams)
    this.#writer = new TurnWriter(options.wire, () => options.onBreach('the peer asks for more than it reads'))
  }

  get size(): number {
    return this.#streams.size + this.#openings.size
  }

  async open(target: TunnelTarget, signal: AbortSignal): Promise<Duplex> {
    const { clock, mostStreams = MOST_STREAMS, window = WINDOW } = this.#options
    signal.throwIfAborted()
    if (this.#ended !== undefined) throw tunnelClosed(this.#ended)
    if (this.size >= mostStreams) throw tunnelBusy(mostStreams)
    const id = ++this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>()
    // It may lose the race below.
    promise.catch(() => undefined)
    this.#openings.set(id, { target, resolve, reject })
    this.#changed()
    this.#writer.control(encodeTunnelFrame(id, FRAME_TYPES.open, Buffer.concat([uvarint(window), Buffer.from(target)])))
    try {
      return await withDeadline(clock, OPEN_WITHIN, signal, () => promise)
    } catch (error) {
      // Not answered: the other end may open it yet.
      if (!this.#openings.delete(id)) throw error
      this.#writer.control(encodeTunnelFrame(id, FRAME_TYPES.remove))
      this.#changed()
      throw signal.aborted ? signal.reason : tunnelSilent(target)
    }
  }

  /** One message of the other end. */
  take(message: Buffer): void {
    if (this.#ended !== undefined) return
    const decoded = decodeTunnelFrame(message)
    const breach = decoded.ok ? this.#serve(decoded.frame) : decoded.reason
    if (breach !== undefined) this.#options.onBreach(breach)
  }

  /** The wire is gone. */
  end(reason: string): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#idle[Symbol.dispose]()
    for (const { reject } of this.#openings.values()) reject(tunnelClosed(reason))
    this.#openings.clear()
    for (const stream of [...this.#streams.values()]) stream.cut(reason)
    this.#changed()
  }

  /** Frames for streams that are gone are late and left out, those of types that nobody knows too. */
  #serve({ id, type, data }: TunnelFrame): string | undefined {
    const stream = this.#streams.get(id)
    switch (type) {
      case FRAME_TYPES.data:
        return stream?.receive(data)
      case FRAME_TYPES.credit:
        return stream?.grant(readUvarint(data, 0)?.value ?? 0)
      case FRAME_TYPES.end:
        stream?.peerEnded()
        return undefined
      case FRAME_TYPES.remove:
        stream?.cut(data.length > 0 ? data.toString('utf8', 0, 200) : 'the other end closed it')
        return undefined
      case FRAME_TYPES.open:
        return this.#accept(id, data)
      case FRAME_TYPES.opened:
        return this.#opened(id, data)
      case FRAME_TYPES.refused:
        this.#refused(id, data.toString('utf8', 0, LONGEST_TARGET))
        return undefined
      default:
        return undefined
    }
  }

  #accept(id: number, data: Buffer): string | undefined {
    const { accept, mostStreams = MOST_STREAMS, window = WINDOW } = this.#options
    const credit = readUvarint(data, 0)
    if (!accept) return 'the edge opens no streams'
    if (!credit || id <= this.#lastId || !isWindow(credit.value)) return 'a stream that cannot be opened'
    this.#lastId = id
    const refuse = (why: string) => this.#writer.control(encodeTunnelFrame(id, FRAME_TYPES.refused, why))
    if (this.#streams.size >= mostStreams) {
      refuse(BUSY)
      return undefined
    }
    const open = () => {
      this.#writer.control(encodeTunnelFrame(id, FRAME_TYPES.opened, uvarint(window)))
      return this.#begin(id, credit.value)
    }
    const target = data.toString('utf8', credit.end, credit.end + LONGEST_TARGET)
    if (!accept(target, open)) refuse(NO_TARGET)
    return undefined
  }

  #opened(id: number, data: Buffer): string | undefined {
    const opening = this.#openings.get(id)
    // Its opener has given up.
    if (!opening) return undefined
    const credit = readUvarint(data, 0)
    if (!credit || !isWindow(credit.value)) return 'a stream that was not opened right'
    this.#openings.delete(id)
    opening.resolve(this.#begin(id, credit.value))
    return undefined
  }

  #refused(id: number, why: string): void {
    const { mostStreams = MOST_STREAMS } = this.#options
    const opening = this.#openings.get(id)
    if (!opening) return
    this.#openings.delete(id)
    opening.reject(why === BUSY ? tunnelBusy(mostStreams) : tunnelRefused(opening.target, why))
    this.#changed()
  }

  #begin(id: number, credit: number): Duplex {
    const { window = WINDOW } = this.#options
    const onGone = () => {
      this.#streams.delete(id)
      this.#changed()
    }
    const { clock } = this.#options
    const stream = new TunnelStream({ id, writer: this.#writer, clock, window, credit, onGone })
    this.#streams.set(id, stream)
    this.#idle.begin()
    this.#changed()
    return stream.duplex
  }

  #changed(): void {
    this.#options.onStreams?.(this.size)
  }
}

function isWindow(bytes: number): boolean {
  return bytes > 0 && bytes <= LARGEST_WINDOW
}
