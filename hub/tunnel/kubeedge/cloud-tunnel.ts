import { request as httpRequest } from 'node:http'
import { type Duplex, duplexPair, pipeline } from 'node:stream'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import { decodeTunnelFrame, encodeTunnelFrame, FRAME_TYPES, type TunnelFrame } from '../frame.ts'
import { IdleWatch } from '../idle-watch.ts'
import { MOST_STREAMS } from '../stream-tunnel.ts'
import { TurnWriter } from '../turn-writer.ts'
import { type ConnectRequest, decodeConnect } from './connect-request.ts'
import { ConnectStream } from './connect-stream.ts'
import type { PausableWire } from './edge-tunnel.ts'
import { Pressure } from './pressure.ts'

export interface CloudTunnelOptions {
  readonly wire: PausableWire
  readonly clock: Clock
  readonly log: Logger
  readonly mostStreams?: number
  /** Who serves Edged's kubelet server; undefined: nobody, now. */
  edged(): ((stream: Duplex) => void) | undefined
  onBreach(reason: string): void
  onStreams?(count: number): void
}

/** Hop by hop, or made anew by the request that is sent on. */
const NOT_SENT_ON = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'accept-encoding'])

/**
 * The edge's end of a tunnel to an original cloud: answers its connect frames from Edged's kubelet server, as edgecore does from its
 * own port 10350: of logs and metrics the bare body goes back, of exec and attach every byte. Unlike edgecore it always says when a
 * connection is over, also one that failed.
 */
export class CloudTunnel {
  readonly #options: CloudTunnelOptions
  readonly #writer: TurnWriter
  readonly #streams = new Map<number, ConnectStream>()
  readonly #pressure: Pressure
  readonly #idle: IdleWatch
  #ended: string | undefined

  constructor(options: CloudTunnelOptions) {
    this.#options = options
    this.#writer = new TurnWriter(options.wire, () => options.onBreach('the peer asks for more than it reads'))
    this.#idle = new IdleWatch(options.clock, this.#streams)
    this.#pressure = new Pressure({ ...options, streams: () => this.#streams.size })
  }

  get size(): number {
    return this.#streams.size
  }

  take(message: Buffer): void {
    if (this.#ended !== undefined) return
    const decoded = decodeTunnelFrame(message)
    if (decoded.ok) this.#serve(decoded.frame)
    else this.#options.onBreach(decoded.reason)
  }

  #serve({ id, type, data }: TunnelFrame): void {
    const stream = this.#streams.get(id)
    switch (type) {
      case FRAME_TYPES.logs:
      case FRAME_TYPES.metrics:
      case FRAME_TYPES.exec:
      case FRAME_TYPES.attach:
        this.#connect(id, type, data)
        return
      case FRAME_TYPES.data:
        stream?.receive(data)
        return
      case FRAME_TYPES.remove:
        stream?.duplex.destroy()
        return
      case FRAME_TYPES.close:
        this.#options.onBreach(`the cloud closed it: ${data.toString('utf8', 0, 200)}`)
        return
      default:
        return
    }
  }

  end(reason: string): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#pressure[Symbol.dispose]()
    this.#idle[Symbol.dispose]()
    for (const stream of [...this.#streams.values()]) stream.cut(reason)
  }

  #connect(id: number, type: number, data: Buffer): void {
    const { edged, log, mostStreams = MOST_STREAMS } = this.#options
    const request = decodeConnect(data)
    const serve = edged()
    if (!request || !serve || this.#streams.has(id) || this.#streams.size >= mostStreams) {
      const reason = !request ? 'it is none' : !serve ? 'pods do not run here' : 'too many are open'
      log.warn('Cannot serve a connection through the tunnel', { reason })
      this.#writer.control(encodeTunnelFrame(id, FRAME_TYPES.remove))
      return
    }
    const { duplex } = this.#begin(id)
    const [mine, theirs] = duplexPair()
    for (const end of [mine, theirs]) end.on('error', () => undefined)
    duplex.once('close', () => mine.destroy())
    mine.once('close', () => theirs.destroy())
    serve(theirs)
    if (type === FRAME_TYPES.exec || type === FRAME_TYPES.attach) passThrough(request, mine, duplex)
    else answer(request, mine, duplex)
  }

  #begin(id: number): ConnectStream {
    const stream = new ConnectStream({
      id,
      writer: this.#writer,
      clock: this.#options.clock,
      onPressure: (isHigh) => this.#pressure.set(stream, isHigh),
      onGone: () => {
        this.#streams.delete(id)
        this.#options.onStreams?.(this.#streams.size)
      },
    })
    this.#streams.set(id, stream)
    this.#idle.begin()
    this.#options.onStreams?.(this.#streams.size)
    return stream
  }
}

/** The body alone goes back, whatever the status is: KubeEdge's frames have no place for one. */
function answer({ path, headers }: ConnectRequest, edged: Duplex, duplex: Duplex): void {
  const sent = Object.entries(headers).filter(([name]) => !NOT_SENT_ON.has(name.toLowerCase()))
  const asked = httpRequest({
    createConnection: () => edged,
    method: 'GET',
    path,
    headers: {
      ...Object.fromEntries(sent.map(([name, values]) => [name, [...values]])),
      host: '127.0.0.1',
      connection: 'close',
      'accept-encoding': 'identity',
    },
  })
  asked.on('error', () => duplex.destroy())
  asked.on('response', (response) => pipeline(response, duplex, () => undefined))
  // A reader that wants nothing must not keep what the cloud sends beside it.
  duplex.resume()
  duplex.once('close', () => asked.destroy())
  asked.end()
}

function passThrough({ method, path, headers }: ConnectRequest, edged: Duplex, duplex: Duplex): void {
  const lines = Object.entries(headers).flatMap(([name, values]) => values.map((value) => `${name}: ${value}`))
  edged.write(`${[`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...lines].join('\r\n')}\r\n\r\n`, 'latin1')
  pipeline(duplex, edged, duplex, () => undefined)
}
