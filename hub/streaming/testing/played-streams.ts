import type { IncomingMessage, Server } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { systemClock } from '../../../platform/time/index.ts'
import { SpdyConnection } from '../spdy/connection.ts'
import type { SpdyStream } from '../spdy/stream.ts'

/** One command as a container runtime has it. */
export interface PlayedCommand {
  readonly path: string
  readonly query: URLSearchParams
  readonly request: IncomingMessage
  readonly stdin: SpdyStream | undefined
  readonly stdout: SpdyStream | undefined
  readonly stderr: SpdyStream | undefined
  readonly resize: SpdyStream | undefined
  /** Breaks the connection off. */
  breakOff(): void
}

/** Runs a command; its exit code, or a Status. */
export type PlayCommand = (command: PlayedCommand) => Promise<number | object>

/** Forwards one connection to a port; what it throws is told on the stream of errors. */
export type PlayPort = (port: number, data: Duplex) => Promise<void>

export interface PlayedStreams {
  readonly command: PlayCommand
  readonly port?: PlayPort
  /** Answers instead of an upgrade. */
  readonly refuse?: (request: IncomingMessage) => { readonly code: number; readonly text: string } | undefined
}

/** Serves exec, attach and portForward as the streaming server of a container runtime does: SPDY/3.1, v4. */
export function playStreams(server: Server | TlsServer, played: PlayedStreams): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined)
    const refusal = played.refuse?.(request)
    if (refusal) {
      const lines = [`HTTP/1.1 ${refusal.code} Refused`, `Content-Length: ${Buffer.byteLength(refusal.text)}`, '', '']
      socket.end(`${lines.join('\r\n')}${refusal.text}`)
      return
    }
    const url = new URL(request.url ?? '/', 'http://node')
    const isForward = url.pathname.startsWith('/portForward/')
    if (isForward && request.headers.upgrade === 'websocket') {
      forwardOverWebSocket({ url, request, socket, head }, played)
      return
    }
    const protocol = isForward ? 'portforward.k8s.io' : 'v4.channel.k8s.io'
    const offered = (request.headersDistinct['x-stream-protocol-version'] ?? []).flatMap((each) => each.split(/, */))
    if (request.headers.upgrade !== 'SPDY/3.1' || !offered.includes(protocol)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
      return
    }
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
    )
    if (isForward) serveForward(socket, head, played)
    else void serveCommand({ url, request, socket, head }, played)
  })
}

interface Asked {
  readonly url: URL
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

async function serveCommand({ url, request, socket, head }: Asked, { command }: PlayedStreams): Promise<void> {
  const query = url.searchParams
  const wanted = new Set(['error'])
  if (query.get('input') === '1') wanted.add('stdin')
  if (query.get('output') === '1') wanted.add('stdout')
  if (query.get('error') === '1' && query.get('tty') !== '1') wanted.add('stderr')
  if (query.get('tty') === '1') wanted.add('resize')
  const streams = new Map<string, SpdyStream>()
  const all = Promise.withResolvers<void>()
  const connection = new SpdyConnection(socket, head, {
    role: 'server',
    clock: systemClock,
    onStream: (stream) => {
      const type = stream.headers['streamtype'] ?? ''
      if (!wanted.has(type) || streams.has(type)) return false
      streams.set(type, stream)
      if (streams.size === wanted.size) all.resolve()
      return true
    },
  })
  void connection.closed.then(() => all.reject(new Error('the client left')))
  try {
    await all.promise
    const [stdin, stdout, stderr, resize] = ['stdin', 'stdout', 'stderr', 'resize'].map((type) => streams.get(type))
    const breakOff = () => socket.destroy()
    const end = await command({ path: url.pathname, query, request, stdin, stdout, stderr, resize, breakOff })
    streams.get('error')?.write(JSON.stringify(typeof end === 'number' ? statusOf(end) : end))
    connection.close()
  } catch {
    socket.destroy()
  }
}

function statusOf(code: number): object {
  if (code === 0) return { metadata: {}, status: 'Success' }
  return {
    metadata: {},
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with non-zero exit code: exit status ${code}`,
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  }
}

function serveForward(socket: Duplex, head: Buffer, { port: play }: PlayedStreams): void {
  const errors = new Map<string, SpdyStream>()
  new SpdyConnection(socket, head, {
    role: 'server',
    clock: systemClock,
    onStream: (stream) => {
      const { streamtype: type, requestid: id = '', port = '' } = stream.headers
      if (type === 'error') errors.set(id, stream)
      if (type !== 'data' || !play) return type === 'error'
      const told = errors.get(id)
      play(Number(port), stream).then(
        () => told?.end(),
        (error: unknown) => {
          told?.end(error instanceof Error ? error.message : String(error))
          stream.end()
        },
      )
      return true
    },
  })
}

/** The older form (v4.channel.k8s.io): a channel of data and one of errors for each port, which both begin with its number. */
function forwardOverWebSocket({ url, request, socket, head }: Asked, { port: play }: PlayedStreams): void {
  const port = Number(url.searchParams.get('port'))
  const server = new WebSocketServer({ noServer: true, handleProtocols: () => 'v4.channel.k8s.io' })
  server.handleUpgrade(request, socket, head, (webSocket) => {
    const number = Buffer.from([port & 0xff, port >> 8])
    const data = new Duplex({
      read: () => undefined,
      write: (chunk, _encoding, done) => webSocket.send(Buffer.concat([Buffer.of(0), chunk]), done),
    })
    for (const channel of [0, 1]) webSocket.send(Buffer.concat([Buffer.of(channel), number]))
    webSocket.on('message', (message) => {
      if (Buffer.isBuffer(message) && message[0] === 0) data.push(message.subarray(1))
    })
    webSocket.on('close', () => data.push(null))
    void play?.(port, data)
  })
}
