import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { UnavailableError } from '../../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, Watchdog, withDeadline } from '../../../../platform/time/index.ts'
import type { Tunnels } from '../../../tunnel/index.ts'
import type { ServiceRequest } from './service-frame.ts'

export interface StreamBody {
  readonly stream: Readable
  /** Where the caller has said it. */
  readonly length?: number
}

/** Tunnels, or what leads to those of another replica. */
export interface StreamWay extends Pick<Tunnels, 'open'> {
  /** What is told of a stream that broke before the answer; absent: that of a tunnel. */
  readonly broken?: (cause: unknown) => Error
}

export interface StreamCall {
  readonly way: StreamWay
  readonly clock: Clock
  /** For each wait: for the stream, while the body goes, and for the head of the answer. */
  readonly deadline: Duration
  readonly signal: AbortSignal
}

/**
 * Calls a local service of a node over a stream of its tunnel, once: the body goes as it comes, and so does that of the answer.
 * Settles with the head of the answer, whose body the caller reads or destroys; what destroys it, or the signal, ends the stream.
 */
export async function callInStream(
  request: ServiceRequest,
  body: StreamBody | undefined,
  { way, clock, deadline, signal }: StreamCall,
): Promise<IncomingMessage> {
  const { node } = request
  const stream = await withDeadline(clock, deadline, signal, (limited) => way.open(node, 'servicebus', limited))
  const onAbort = () => stream.destroy()
  signal.addEventListener('abort', onAbort, { once: true })
  stream.once('close', () => signal.removeEventListener('abort', onAbort))
  const late = Promise.withResolvers<never>()
  using dog = new Watchdog(clock, deadline, late.reject)
  const touch = () => dog.heard()
  body?.stream.on('data', touch)
  try {
    return await Promise.race([
      exchange(stream, request, { body, deadline, broken: way.broken ?? brokenTunnel }),
      late.promise,
    ])
  } catch (error) {
    stream.destroy()
    throw error
  } finally {
    body?.stream.off('data', touch)
  }
}

interface Exchange {
  readonly body: StreamBody | undefined
  readonly deadline: Duration
  readonly broken: (cause: unknown) => Error
}

function exchange(
  stream: Duplex,
  { port, path, method, headers }: ServiceRequest,
  { body, deadline, broken }: Exchange,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const call: ClientRequest = httpRequest({
      createConnection: () => stream,
      method,
      path: `/${port}${path}`,
      setHost: false,
      headers: {
        ...Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, [...values]])),
        ...(body?.length === undefined ? {} : { 'content-length': body.length }),
        ...{ host: '127.0.0.1', connection: 'close', 'x-skerry-deadline-ms': String(deadline.milliseconds) },
      },
    })
    const failed = (cause: unknown) => reject(isTold(cause) ? cause : broken(cause))
    call.once('error', failed)
    call.once('response', (answer) => {
      call.off('error', failed)
      // What breaks later breaks the answer, which is then told.
      call.on('error', () => answer.destroy())
      resolve(answer)
    })
    if (body) feed(body.stream, call)
    else call.end()
  })
}

/** Not as a pipeline: what breaks here must leave the connection of the caller, who is to be told. */
function feed(body: Readable, call: ClientRequest): void {
  body.once('error', (error) => call.destroy(error))
  body.once('close', () => body.readableEnded || call.destroy())
  call.once('close', () => body.unpipe(call))
  body.pipe(call)
}

function isTold(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && String(cause.code).startsWith('HUB_')
}

function brokenTunnel(cause: unknown): UnavailableError {
  return new UnavailableError('The node broke off the call', { code: 'HUB_TUNNEL_CLOSED', cause })
}
