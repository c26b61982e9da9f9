import { constants } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { SecureContextOptions, TlsOptions } from 'node:tls'
import { Places } from '../lifecycle/places.ts'
import type { Logger } from '../log/logger.ts'
import { type Clock, type Duration, minutes, seconds, systemClock } from '../time/index.ts'
import { errorAnswer, sendJson } from './answer.ts'
import { Connections } from './connections.ts'
import { doubtOf, hasBody } from './framing.ts'
import { refuse } from './linger.ts'
import { listen } from './listen.ts'
import type { OnRefused } from './refusals.ts'
import { guardBody } from './unread-body.ts'

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
  /** For the TLS handshake, and for the head of a request; default 10 s. */
  readonly headWithin?: Duration
  /** For the body of a request after its head, not for the answer; default 60 s. */
  readonly requestWithin?: Duration
  /** For reading some of an answer that has ended; default 2 minutes. */
  readonly readWithin?: Duration
  /** Of the head of a request, in bytes; default 16 KiB. A longer one is answered with 431. */
  readonly mostHead?: number
  /** Default: 1024. More are closed at once. */
  readonly maxConnections?: number
  readonly onRefused?: OnRefused
  /** Of one address. More are closed before anything of them is read, and told to `onRefused`. */
  readonly ofAddress?: { readonly maxConnections: number; readonly onRefused: () => void }
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

const HEAD_WITHIN = seconds(10)
const REQUEST_WITHIN = seconds(60)
/** What a kernel holds for a peer is seen to move by the megabyte only: a slow one may take long for that. */
const READ_WITHIN = minutes(2)
/** Between an answer and the next request. */
const IDLE_WITHIN = seconds(15)

/** Serves HTTP/1.1 with bounded waits. Rejects with RefusedError PLATFORM_PORT_TAKEN when the port is in use. */
export function serveHttp(options: ServeHttpOptions): Promise<HttpServer> {
  return start(createServer(settings(options)), 'http', options)
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

/** A handshake costs a server more than its peer: there is one for each connection. */
const CONTEXT = { minVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_RENEGOTIATION } as const

/** The same over TLS 1.2 and newer. */
export async function serveHttps(options: ServeHttpsOptions): Promise<HttpsServer> {
  const server = createTlsServer({
    ...settings(options),
    ...CONTEXT,
    handshakeTimeout: (options.headWithin ?? HEAD_WITHIN).milliseconds,
    ...options.tls,
  })
  // A peer that breaks off its handshake is no trouble of ours.
  server.on('tlsClientError', (error) => {
    options.onRefused?.('handshake')
    options.log.debug('A TLS handshake failed', { error })
  })
  if (options.admit) holdBack(server, options.admit)
  return {
    ...(await start(server, 'https', options)),
    renew: (context) => server.setSecureContext({ ...CONTEXT, ...context }),
  }
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

/** Heads and bodies are waited for by the clock that was handed in: Node.js's own watch is off. */
function settings({ mostHead }: ServeHttpOptions) {
  return {
    ...(mostHead === undefined ? {} : { maxHeaderSize: mostHead }),
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: IDLE_WITHIN.milliseconds,
  }
}

async function start(server: Server | TlsServer, scheme: string, options: ServeHttpOptions): Promise<HttpServer> {
  const { at, log, clock = systemClock, onRefused = () => undefined } = options
  const sockets = new Set<Socket>()
  const stopping = new AbortController()
  server.maxConnections = options.maxConnections ?? 1024
  // Their bytes are bounded, and their count where a request is taken.
  server.maxHeadersCount = 0
  server.on('drop', () => onRefused('full'))
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  if (options.ofAddress) shareOut(server, options.ofAddress)
  const connections = watch(server, scheme === 'http' ? 'connection' : 'secureConnection', options)
  const take = (request: IncomingMessage, response: ServerResponse, waits: boolean) => {
    connections.begun(request, response)
    if (hasBody(request)) guardBody(request, response, { waits, clock })
    const doubt = doubtOf(request)
    if (doubt) {
      onRefused(doubt.status === 431 ? 'long' : 'doubtful')
      response.setHeader('connection', 'close')
      return sendJson(response, doubt.status, {
        code: 'PLATFORM_REQUEST_DOUBTFUL',
        message: 'The request is written in a way in which none is taken',
        fields: { why: doubt.why },
      })
    }
    void answer(options, request, response, stopping.signal).finally(() => {
      if (!server.listening) server.closeIdleConnections()
    })
  }
  server.on('request', (request: IncomingMessage, response: ServerResponse) => take(request, response, false))
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => take(request, response, true))
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

function watch(server: Server | TlsServer, event: string, options: ServeHttpOptions): Connections {
  const { clock = systemClock, headWithin = HEAD_WITHIN, readWithin = READ_WITHIN } = options
  const { onRefused = () => undefined } = options
  const connections = new Connections({ clock, headWithin, readWithin, idleWithin: IDLE_WITHIN, onRefused })
  server.on(event, (socket: Socket) => connections.opened(socket))
  server.on('clientError', (error: Error, socket: Socket) => connections.failed(error, socket))
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    connections.handedOver(socket)
    refuse(socket, 405, clock)
  })
  // Node.js takes a server with such a listener for one that upgrades: it comes with the first of somebody else.
  const onListener = (name: string) => {
    if (name !== 'upgrade') return
    server.off('newListener', onListener)
    server.on('upgrade', (_request: IncomingMessage, socket: Socket) => connections.handedOver(socket))
  }
  server.on('newListener', onListener)
  return connections
}

/** Before the server's own listeners, so that a connection too many is closed before it costs anything. */
function shareOut(
  server: Server | TlsServer,
  { maxConnections, onRefused }: NonNullable<ServeHttpOptions['ofAddress']>,
): void {
  const places = new Places<string>()
  server.prependListener('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? 'gone'
    if (places.takenBy(address) >= maxConnections) {
      onRefused()
      socket.destroy()
      return
    }
    const place = places.take(address)
    socket.once('close', () => place[Symbol.dispose]())
  })
}

async function answer(
  options: ServeHttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
  stopping: AbortSignal,
): Promise<void> {
  const { handler, log, clock = systemClock, requestWithin = REQUEST_WITHIN } = options
  const controller = new AbortController()
  const onStop = () => controller.abort(stopping.reason)
  stopping.addEventListener('abort', onStop, { once: true })
  const onSlow = () => {
    if (request.complete) return
    options.onRefused?.('slow')
    if (response.headersSent) response.destroy()
    else sendJson(response, 408, { code: 'PLATFORM_BODY_SLOW', message: 'The body does not come', fields: {} })
    controller.abort(new Error('the body does not come'))
  }
  using _timer = hasBody(request) ? clock.after(requestWithin, onSlow) : undefined
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
  sendJson(response, status, body)
}
