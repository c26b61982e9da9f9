import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { SecureContextOptions, TlsOptions } from 'node:tls'
import type { Logger } from '../log/logger.ts'
import { type Clock, type Duration, seconds, systemClock } from '../time/index.ts'
import { errorAnswer, sendJson } from './answer.ts'
import { listen } from './listen.ts'

/** The signal aborts when the client leaves, or when closing reaches its deadline. */
export type HttpHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
) => Promise<void> | void

export interface ServeHttpOptions {
  /** An address, a port (0 takes a free one), or a path for a unix socket. */
  readonly at: { readonly host: string; readonly port: number; readonly backlog?: number } | { readonly path: string }
  /** A rejection before the head was sent becomes a 500 with JSON and is logged. */
  readonly handler: HttpHandler
  readonly log: Logger
  readonly clock?: Clock
  /** For the head of a request; default 10 s. */
  readonly headWithin?: Duration
  /** For a whole request with its body, not for the answer; default 60 s. */
  readonly requestWithin?: Duration
  /** Of the head of a request, in bytes; default 16 KiB. A longer one is answered with 431. */
  readonly mostHead?: number
  /** Default: 1024. More are closed at once. */
  readonly maxConnections?: number
}

export interface HttpServer extends AsyncDisposable {
  /** For upgrades. */
  readonly server: Server | TlsServer
  readonly port: number
  /** `http://127.0.0.1:8080` without a slash at the end; `unix:PATH` for a socket. */
  readonly url: string
  /** Takes nothing new, lets answers finish, and closes every connection at the deadline (default 5 s), upgraded ones too. */
  close(within?: Duration): Promise<void>
}

/** Serves HTTP/1.1 with bounded waits. Rejects with RefusedError PLATFORM_PORT_TAKEN when the port is in use. */
export function serveHttp(options: ServeHttpOptions): Promise<HttpServer> {
  return start(createServer(timeouts(options)), 'http', options)
}

export interface HttpsServer extends HttpServer {
  /** Uses another certificate for connections from now on. */
  renew(context: SecureContextOptions): void
}

export interface ServeHttpsOptions extends ServeHttpOptions {
  readonly tls: TlsOptions
  /** Says when the handshake of a connection begins, by calling `begin`; absent: at once. Until then what it sends waits. */
  readonly admit?: (socket: Socket, begin: () => void) => void
}

/** The same over TLS 1.2 and newer. */
export async function serveHttps(options: ServeHttpsOptions): Promise<HttpsServer> {
  const server = createTlsServer({
    ...timeouts(options),
    minVersion: 'TLSv1.2',
    handshakeTimeout: 10_000,
    ...options.tls,
  })
  // A peer that breaks off its handshake is no trouble of ours.
  server.on('tlsClientError', (error) => options.log.debug('A TLS handshake failed', { error }))
  if (options.admit) holdBack(server, options.admit)
  return { ...(await start(server, 'https', options)), renew: (context) => server.setSecureContext(context) }
}

/** Node.js begins a handshake when its server is told of a connection, which others may do in its place. */
function holdBack(server: TlsServer, admit: NonNullable<ServeHttpsOptions['admit']>): void {
  const handlers = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const onError = () => socket.destroy()
    socket.on('error', onError)
    admit(socket, () => {
      socket.off('error', onError)
      if (socket.destroyed) return
      for (const handler of handlers) Reflect.apply(handler, server, [socket])
    })
  })
}

function timeouts({ headWithin = seconds(10), requestWithin = seconds(60), mostHead }: ServeHttpOptions) {
  return {
    ...(mostHead === undefined ? {} : { maxHeaderSize: mostHead }),
    headersTimeout: headWithin.milliseconds,
    requestTimeout: requestWithin.milliseconds,
    // How often Node.js looks at the two: its own 30 s would make a 10 s limit one of 40 s.
    connectionsCheckingInterval: Math.max(250, Math.min(5000, headWithin.milliseconds / 2)),
    keepAliveTimeout: 15_000,
  }
}

async function start(server: Server | TlsServer, scheme: string, options: ServeHttpOptions): Promise<HttpServer> {
  const { at, log, clock = systemClock } = options
  const sockets = new Set<Socket>()
  const stopping = new AbortController()
  server.maxConnections = options.maxConnections ?? 1024
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void answer(options, request, response, stopping.signal).finally(() => {
      if (!server.listening) server.closeIdleConnections()
    })
  })
  await listen(server, at)
  server.on('error', (error) => log.error('A server failed to take a connection', { error }))

  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  let closing: Promise<void> | undefined
  const close = async (within: Duration) => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeIdleConnections()
    using _timer = clock.after(within, () => {
      stopping.abort(new Error('the server is closing'))
      for (const socket of sockets) socket.destroy()
    })
    await closed
  }
  const closeOnce = (within: Duration = seconds(5)) => {
    closing ??= close(within)
    return closing
  }
  return {
    server,
    port,
    url: 'path' in at ? `unix:${at.path}` : `${scheme}://${at.host.includes(':') ? `[${at.host}]` : at.host}:${port}`,
    close: closeOnce,
    [Symbol.asyncDispose]: () => closeOnce(),
  }
}

async function answer(
  { handler, log }: ServeHttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
  stopping: AbortSignal,
): Promise<void> {
  const controller = new AbortController()
  const onStop = () => controller.abort(stopping.reason)
  stopping.addEventListener('abort', onStop, { once: true })
  const left = Promise.withResolvers<void>()
  response.once('close', () => {
    stopping.removeEventListener('abort', onStop)
    if (!response.writableFinished) controller.abort(new Error('the client left'))
    left.resolve()
  })
  try {
    await handler(request, response, controller.signal)
  } catch (error) {
    if (!controller.signal.aborted) fail(log, request, response, error)
  }
  await left.promise
}

function fail(log: Logger, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const { status, body } = errorAnswer(error)
  if (status === 500) log.error('A request failed', { method: request.method, path: request.url?.split('?')[0], error })
  if (response.headersSent) {
    response.destroy()
    return
  }
  // What was not read of the body must not be taken for the next request.
  if (!request.complete) response.setHeader('connection', 'close')
  sendJson(response, status, body)
}
