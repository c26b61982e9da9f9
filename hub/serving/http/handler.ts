import type { IncomingMessage, ServerResponse } from 'node:http'
import { type HttpHandler, readBody, whileKnown } from '../../../platform/http/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import { StatusError } from '../../kube/status.ts'
import { authenticate } from '../access/authentication.ts'
import {
  type Answer,
  type Exchange,
  eventLine,
  isRelay,
  isStream,
  type Relay,
  type Stream,
  type StreamEvent,
  statusAnswer,
} from '../answers/answer.ts'
import type { CutOff } from '../reading/cut-off.ts'
import type { Dispatcher, Incoming } from './dispatcher.ts'
import { drained, MOST_UNREAD } from './drained.ts'
import { forReader } from './pretty.ts'
import { writeParts } from './write-parts.ts'

export interface HandlerOptions {
  readonly clock: Clock
  readonly cutOff: CutOff
}

/** All of the API behind HTTPS. */
export function createHandler(dispatch: Dispatcher, options: HandlerOptions): HttpHandler {
  const answer = createAnswerer(dispatch, options)
  return async (request, response, signal) => await answer({ request, response }, signal)
}

/** The same, also for requests that ask for another protocol. */
export function createAnswerer(dispatch: Dispatcher, { clock, cutOff }: HandlerOptions) {
  return async (exchange: Exchange, signal: AbortSignal): Promise<void> => {
    const { request, response } = exchange
    const { reply: made, warnings, auditId, isKnown, ended } = await dispatch(incoming(request, clock), signal)
    if (auditId !== undefined) response.setHeader('audit-id', auditId)
    try {
      prepare(request, response, warnings)
      if (isRelay(made) || isStream(made)) {
        using known = whileKnown(clock, isKnown)
        const lasting = AbortSignal.any([signal, known.signal])
        if (isRelay(made)) await relay(made, exchange, lasting)
        else await writeStream(response, made, lasting)
        return
      }
      const reply = forReader(request, made)
      if (reply.parts && request.method !== 'HEAD') {
        await writeParts(response, reply, reply.parts(), { signal, clock, onSlow: () => cutOff('list') })
      } else write(request, response, reply)
    } finally {
      ended()
    }
  }
}

/** What fails before its first byte is told in a Status. */
async function relay(made: Relay, exchange: Exchange, signal: AbortSignal): Promise<void> {
  try {
    await made.relay(exchange, signal)
  } catch (error) {
    const { request, response } = exchange
    if (!(error instanceof StatusError) || response.headersSent || !response.socket) throw error
    write(request, response, statusAnswer(error.status))
  }
}

function incoming(request: IncomingMessage, clock: Clock): Incoming {
  const { method = 'GET', url = '/', headers, headersDistinct, socket } = request
  return {
    ...{ method, target: url, headers, headersDistinct, address: socket.remoteAddress ?? '' },
    identify: (tokens, signal) => authenticate(request, tokens, { clock, signal }),
    read: (mostBytes, signal) => readBody(request, mostBytes, signal),
  }
}

function prepare(request: IncomingMessage, response: ServerResponse, warnings: readonly string[]): void {
  response.setHeader('cache-control', 'no-cache, private')
  if (warnings.length > 0) response.setHeader('warning', warnings.map(warningText))
  // What was not read of the body must not be taken for the next request.
  if (!request.complete && hasBody(request)) response.setHeader('connection', 'close')
}

function write(request: IncomingMessage, response: ServerResponse, reply: Answer): void {
  const body = reply.bytes ?? Buffer.from(reply.text)
  response.writeHead(reply.code, { ...reply.headers, 'content-type': reply.type, 'content-length': body.length })
  response.end(request.method === 'HEAD' || reply.code === 304 ? undefined : body)
}

async function writeStream(response: ServerResponse, stream: Stream, signal: AbortSignal): Promise<void> {
  response.writeHead(200, { 'content-type': stream.type })
  response.flushHeaders()
  const send = (event: StreamEvent) => {
    response.write(eventLine(event))
    return response.writableLength <= MOST_UNREAD ? undefined : drained(response, signal)
  }
  await stream.run(send, signal)
  // Who is that far behind may never read the end.
  if (response.writableLength > MOST_UNREAD) response.destroy()
  else response.end()
}

function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
}

/** RFC 7234, 5.5, as Kubernetes uses it. */
function warningText(text: string): string {
  // Header values are Latin-1 without control characters.
  const printable = text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 1000)
  return `299 - "${printable.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
