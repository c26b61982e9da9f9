import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from '../../../../platform/log/index.ts'
import { type Clock, seconds } from '../../../../platform/time/index.ts'
import { SERVICE_DEADLINE_HEADER } from '../../../../schemas/index.ts'
import { errorAnswer, ServiceError } from '../service-error.ts'
import type { RequestStream, ServiceResponse } from './call-service.ts'
import type { CallOfService, ServiceCalls } from './service-calls.ts'

export interface TunnelServerPorts {
  readonly calls: ServiceCalls
  readonly clock: Clock
  readonly log: Logger
}

export interface TunnelServer extends Disposable {
  /** A connection of the cloud for HTTP/1.1. */
  accept(stream: Duplex): void
}

/** For the head of a request, the first one or the next. */
const HEAD_WITHIN = seconds(30)
const MOST_HEAD_BYTES = 32_768

/** `METHOD /<port><path>?<query>` on streams of the tunnel, as HTTP on a loopback port of the edge. */
export function serveTunnel(ports: TunnelServerPorts): TunnelServer {
  const { clock } = ports
  const streams = new Set<Duplex>()
  const idle = new IdleStreams(clock)
  const server = createServer(
    {
      maxHeaderSize: MOST_HEAD_BYTES,
      insecureHTTPParser: false,
      requireHostHeader: false,
    },
    (request, response) => {
      const stream: Duplex = request.socket
      idle.begin(stream)
      response.once('close', () => idle.end(stream))
      void serve(request, response, ports)
    },
  )
  server.maxHeadersCount = 0
  refuseOthers(server)
  return {
    accept(stream) {
      streams.add(stream)
      stream.on('error', () => stream.destroy())
      stream.once('close', () => streams.delete(stream))
      idle.watch(stream)
      server.emit('connection', stream)
    },
    [Symbol.dispose]() {
      server.close()
      for (const stream of streams) stream.destroy()
    },
  }
}

/** Node.js watches heads and idle connections of servers that listen; this one does not. */
class IdleStreams {
  readonly #clock: Clock
  readonly #states = new WeakMap<Duplex, IdleState>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  watch(stream: Duplex): void {
    const state: IdleState = { requests: 0, timer: undefined }
    this.#states.set(stream, state)
    this.#arm(stream, state)
    stream.once('close', () => this.begin(stream))
  }

  begin(stream: Duplex): void {
    const state = this.#states.get(stream)
    if (!state) return
    state.requests++
    state.timer?.[Symbol.dispose]()
  }

  end(stream: Duplex): void {
    const state = this.#states.get(stream)
    if (state && --state.requests === 0) this.#arm(stream, state)
  }

  #arm(stream: Duplex, state: IdleState): void {
    state.timer = this.#clock.after(HEAD_WITHIN, () => void stream.destroy())
  }
}

interface IdleState {
  requests: number
  timer: Disposable | undefined
}

/** What is no request is answered and ends the connection: what follows on it could be taken for anything. */
function refuseOthers(server: Server): void {
  const refuse = (status: string) => (_error: unknown, socket: Duplex) => {
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
    else socket.destroy()
  }
  server.on('clientError', refuse('400 Bad Request'))
  server.on('connect', refuse('405 Method Not Allowed'))
  server.on('upgrade', refuse('501 Not Implemented'))
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { calls, log }: TunnelServerPorts,
): Promise<void> {
  const left = new AbortController()
  response.once('close', () => left.abort(new Error('the caller has left')))
  try {
    await calls.call(callOf(request), left.signal, (answer) => pass(answer, response))
    // What still comes of the body could be taken for the next request.
    if (!request.complete) request.socket.end()
  } catch (error) {
    if (response.headersSent || response.destroyed) {
      // Its end must not look like the end of the answer.
      response.destroy()
      return
    }
    if (!(error instanceof ServiceError)) log.warn('A call of a local service failed inside', { error })
    const { status, headers, body } = errorAnswer(error)
    response.writeHead(status, request.complete ? headers : { ...headers, connection: 'close' })
    response.end(body)
  }
}

function callOf(request: IncomingMessage): CallOfService {
  const { url = '', method = '', rawHeaders } = request
  const [, port = '', rest = ''] = /^\/(\d{1,5})((?:[/?].*)?)$/s.exec(url) ?? []
  if (port === '') {
    throw new ServiceError(400, 'The call of a local service is malformed', {
      code: 'HUB_SERVICE_REQUEST_MALFORMED',
      fields: { reason: 'its path is not /<port>/<path>' },
    })
  }
  const path = rest.startsWith('/') ? rest : `/${rest}`
  const deadline = Number(request.headers[SERVICE_DEADLINE_HEADER])
  return {
    ...{ port: Number(port), method, path, headers: rawHeaders, body: bodyOf(request) },
    ...(Number.isFinite(deadline) && deadline > 0 ? { deadlineMs: deadline } : {}),
  }
}

/** The parser has refused requests with both, or with two lengths (RFC 9112 §6.3). */
function bodyOf(request: IncomingMessage): RequestStream | undefined {
  const { 'content-length': told, 'transfer-encoding': coding } = request.headers
  if (told === undefined && coding === undefined) return undefined
  return {
    chunks: request.iterator({ destroyOnReturn: false }),
    length: coding === undefined ? Number(told) : undefined,
  }
}

async function pass({ status, statusText, headers, chunks }: ServiceResponse, response: ServerResponse): Promise<void> {
  response.sendDate = false
  response.writeHead(status, statusText, [...headers])
  response.flushHeaders()
  for await (const chunk of chunks) {
    if (response.destroyed) return
    if (!response.write(chunk)) await drained(response)
  }
  response.end()
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}
