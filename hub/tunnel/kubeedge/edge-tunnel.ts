import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Duplex, duplexPair, pipeline } from 'node:stream'
import { type Clock, type Duration, seconds } from '../../../platform/time/index.ts'
import { tunnelBusy, tunnelClosed, tunnelRefused } from '../errors.ts'
import { decodeTunnelFrame, encodeTunnelFrame, FRAME_TYPES, type TunnelFrame } from '../frame.ts'
import { IdleWatch } from '../idle-watch.ts'
import { MOST_STREAMS } from '../stream-tunnel.ts'
import type { TunnelTarget } from '../tunnels.ts'
import { type TunnelWire, TurnWriter } from '../turn-writer.ts'
import { canonicalHeader, connectType, encodeConnect } from './connect-request.ts'
import { ConnectStream } from './connect-stream.ts'
import { Pressure } from './pressure.ts'

/** A wire whose reading can be held up. */
export interface PausableWire extends TunnelWire {
  pause(): void
  resume(): void
}

export interface EdgeTunnelOptions {
  readonly wire: PausableWire
  readonly clock: Clock
  readonly mostStreams?: number
  onBreach(reason: string): void
  onStreams?(count: number): void
}

/** An original edge says nothing at all where its kubelet server cannot be asked. */
const FIRST_BYTE_WITHIN: Duration = seconds(30)
/** For the head of the one request of a stream. */
const HEAD_WITHIN: Duration = seconds(30)
const NOT_CARRIED = 'a KubeEdge edge carries containerLogs, exec, attach, stats and metrics alone\n'
const NO_ANSWER = 'the edge gave no answer in time\n'
const NO_UPGRADE = 'exec and attach need an upgrade of the connection\n'

/**
 * The cloud's end of a tunnel to an original edge: whoever opens a stream speaks HTTP with a server that is here, which turns the one
 * request into a connect frame. Of logs and metrics an original edge sends the bare body, whatever the status was.
 */
export class EdgeTunnel {
  readonly #options: EdgeTunnelOptions
  readonly #writer: TurnWriter
  readonly #server: Server
  readonly #streams = new Map<number, ConnectStream>()
  readonly #open = new Set<Duplex>()
  /** Deadlines of heads, by the server's end of the stream. */
  readonly #heads = new Map<Duplex, Disposable>()
  readonly #pressure: Pressure
  readonly #idle: IdleWatch
  #lastId = 0
  #ended: string | undefined

  constructor(options: EdgeTunnelOptions) {
    this.#options = options
    this.#writer = new TurnWriter(options.wire, () => options.onBreach('the peer asks for more than it reads'))
    this.#idle = new IdleWatch(options.clock, this.#streams)
    this.#pressure = new Pressure({ ...options, streams: () => this.#streams.size })
    // It never listens.
    this.#server = createServer((request, response) => this.#answer(request, response))
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    )
    this.#server.on('clientError', (_error, socket) => socket.destroy())
  }

  get size(): number {
    return this.#open.size
  }

  async open(target: TunnelTarget, signal: AbortSignal): Promise<Duplex> {
    const { mostStreams = MOST_STREAMS } = this.#options
    signal.throwIfAborted()
    if (this.#ended !== undefined) throw tunnelClosed(this.#ended)
    if (target !== 'edged') throw tunnelRefused(target, 'an original KubeEdge edge')
    if (this.size >= mostStreams) throw tunnelBusy(mostStreams)
    const [mine, theirs] = duplexPair()
    for (const end of [mine, theirs]) end.on('error', () => undefined)
    this.#open.add(mine)
    this.#changed()
    mine.once('close', () => {
      this.#open.delete(mine)
      this.#changed()
      theirs.destroy()
    })
    // By then all of it has been read, or something broke.
    theirs.once('close', () => {
      this.#headCame(theirs)
      mine.destroy(theirs.errored ?? undefined)
    })
    const late = () => theirs.destroy(tunnelClosed('no request came'))
    this.#heads.set(theirs, this.#options.clock.after(HEAD_WITHIN, late))
    this.#server.emit('connection', theirs)
    return mine
  }

  take(message: Buffer): void {
    if (this.#ended !== undefined) return
    const decoded = decodeTunnelFrame(message)
    if (decoded.ok) this.#serve(decoded.frame)
    else this.#options.onBreach(decoded.reason)
  }

  end(reason: string): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#pressure[Symbol.dispose]()
    this.#idle[Symbol.dispose]()
    for (const stream of [...this.#streams.values()]) stream.cut(reason)
    for (const open of [...this.#open]) open.destroy(tunnelClosed(reason))
    this.#server.close()
  }

  #serve({ id, type, data }: TunnelFrame): void {
    const stream = this.#streams.get(id)
    if (type === FRAME_TYPES.data) stream?.receive(data)
    else if (type === FRAME_TYPES.remove) stream?.removed()
  }

  #headCame(theirs: Duplex): void {
    this.#heads.get(theirs)?.[Symbol.dispose]()
    this.#heads.delete(theirs)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.#headCame(request.socket)
    const type = connectType(request.url ?? '')
    response.setHeader('connection', 'close')
    if (type === undefined) refuse(response, 501, NOT_CARRIED)
    else if (isTwoWay(type)) refuse(response, 400, NO_UPGRADE)
    else if (request.method !== 'GET') refuse(response, 405, 'GET alone\n')
    else this.#stream(request, response, type)
  }

  #stream(request: IncomingMessage, response: ServerResponse, type: number): void {
    // What the request still carries has no place in a connect frame.
    request.resume()
    const { duplex } = this.#connect(request, type)
    const { clock } = this.#options
    const isFollowed = isFollowing(request.url ?? '')
    response.setHeader('content-type', 'text/plain; charset=utf-8')
    if (isFollowed) response.flushHeaders()
    const late = clock.after(FIRST_BYTE_WITHIN, () => {
      if (response.headersSent) return
      refuse(response, 504, NO_ANSWER)
      duplex.destroy()
    })
    response.once('close', () => {
      late[Symbol.dispose]()
      duplex.destroy()
    })
    pipeline(duplex, response, (error) => {
      // Half a body must not look like a whole one.
      if (error) response.destroy(error)
    })
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#headCame(socket)
    const type = connectType(request.url ?? '')
    if (type === undefined || !isTwoWay(type)) {
      const text = 'Content-Type: text/plain\r\nConnection: close\r\n'
      socket.end(`HTTP/1.1 501 Not Implemented\r\n${text}Content-Length: ${NOT_CARRIED.length}\r\n\r\n${NOT_CARRIED}`)
      return
    }
    const { duplex } = this.#connect(request, type)
    if (head.length > 0) duplex.write(head)
    // What the edge has removed is over in both directions; `finish` comes once all of it was read.
    socket.once('finish', () => socket.destroy())
    socket.once('close', () => duplex.destroy())
    pipeline(socket, duplex, socket, (error) => {
      if (error) socket.destroy(error)
    })
  }

  #connect(request: IncomingMessage, type: number): ConnectStream {
    const id = ++this.#lastId
    const stream = new ConnectStream({
      id,
      writer: this.#writer,
      clock: this.#options.clock,
      onPressure: (isHigh) => this.#pressure.set(stream, isHigh),
      onGone: () => void this.#streams.delete(id),
    })
    this.#streams.set(id, stream)
    this.#idle.begin()
    const { method = 'GET', url = '/' } = request
    const connect = encodeConnect(id, type, { method, path: url, headers: headersOf(request) })
    this.#writer.control(encodeTunnelFrame(id, type, connect))
    return stream
  }

  #changed(): void {
    this.#options.onStreams?.(this.size)
  }
}

function isTwoWay(type: number): boolean {
  return type === FRAME_TYPES.exec || type === FRAME_TYPES.attach
}

/** Without Host, which Go keeps apart. */
function headersOf({ rawHeaders }: IncomingMessage): Readonly<Record<string, readonly string[]>> {
  const headers: Record<string, string[]> = {}
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = canonicalHeader(rawHeaders[at] ?? '')
    if (name === 'Host') continue
    const values = headers[name] ?? []
    headers[name] = values
    values.push(rawHeaders[at + 1] ?? '')
  }
  return headers
}

function isFollowing(path: string): boolean {
  const follow = new URL(path, 'http://edge').searchParams.get('follow')
  return follow === 'true' || follow === '1'
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain', 'content-length': text.length })
  response.end(text)
}
