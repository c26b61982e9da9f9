import { type ClientRequest, type IncomingMessage, request as openRequest } from 'node:http'
import { whyMalformed } from '../../../../platform/http/index.ts'
import { type Clock, type Duration, seconds, Watchdog } from '../../../../platform/time/index.ts'
import type { LocalServiceConfig } from '../../../../schemas/config/index.ts'
import { SERVICE_DEADLINE_HEADER, SERVICE_ERROR_HEADER } from '../../../../schemas/index.ts'
import { ServiceError } from '../service-error.ts'
import { endToEnd, isHeader, pairsOf, type RawHeaders } from './end-to-end.ts'
import { answerTooLarge, cutOff, failureOf, malformedAnswer, requestTooLarge, timedOut } from './failures.ts'

export interface ServiceCall {
  readonly service: LocalServiceConfig
  readonly method: string
  readonly path: string
  readonly headers: RawHeaders
  /** Whole, or as it comes, with its length where that is known. */
  readonly body: Buffer | RequestStream | undefined
  /** For the head of the answer, and for each silence after it. */
  readonly within: Duration
  readonly maxRequestBytes: number
  readonly maxAnswerBytes: number
}

export interface RequestStream {
  readonly chunks: AsyncIterable<Buffer>
  readonly length: number | undefined
}

export interface ServiceResponse {
  readonly status: number
  readonly statusText: string
  /** End to end. */
  readonly headers: RawHeaders
  /** At the pace of who reads. Throws a ServiceError when the service fails on the way. */
  readonly chunks: AsyncIterable<Buffer>
}

/** A caller that takes nothing of an answer, or sends nothing more of its body, has left. */
const CALLER_PATIENCE = seconds(60)
const MOST_HEAD_BYTES = 32_768
/** Answers 1xx before the one that counts. */
const MOST_INFORMATION = 16

/**
 * One call of a local service on a connection of its own, so that nothing of one answer can be taken for another. Settles when
 * `receive` has; rejects with a ServiceError for whatever the service does wrong. Redirects are answers like others.
 */
export async function callService(
  call: ServiceCall,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  receive: (response: ServiceResponse) => Promise<void>,
): Promise<void> {
  signal.throwIfAborted()
  const request = open(call)
  const ended = Promise.withResolvers<never>()
  ended.promise.catch(() => undefined)
  const end = (reason: unknown) => {
    ended.reject(reason)
    request.destroy()
  }
  const state = { waitsForCaller: false }
  using watchdog = new Watchdog(clock, call.within, () => end(timedOut(call, state.waitsForCaller)))
  const onAbort = () => end(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const head = headOf(request, call, end)
    void send(request, call, { watchdog, state }).catch((error: unknown) => {
      if (error instanceof ServiceError) end(error)
      else request.destroy()
    })
    const message = await Promise.race([head, ended.promise])
    watchdog.expect(call.within)
    state.waitsForCaller = false
    const response = responseOf(message, call, { watchdog, state })
    await Promise.race([receive(response), ended.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
    request.destroy()
  }
}

interface Watch {
  readonly watchdog: Watchdog
  readonly state: { waitsForCaller: boolean }
}

function open({ service, method, path, headers, body }: ServiceCall): ClientRequest {
  const { host, port } = service
  const passed = endToEnd(headers, ['host', 'expect', 'content-length', SERVICE_DEADLINE_HEADER, SERVICE_ERROR_HEADER])
  for (const [name, value] of pairsOf(passed)) {
    if (isHeader(name, value)) continue
    throw new ServiceError(400, 'The call of a local service is malformed', {
      code: 'HUB_SERVICE_REQUEST_MALFORMED',
      fields: { reason: 'a header has characters that none may have', header: name.slice(0, 100) },
    })
  }
  const at = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const all = ['Host', at, ...passed, ...lengthOf(method, body), 'Connection', 'close']
  const request = openRequest({
    ...{ host, port, method, path, agent: false, setHost: false },
    headers: all,
    maxHeaderSize: MOST_HEAD_BYTES,
    insecureHTTPParser: false,
  })
  // Their size is bounded; beyond a count they would be left out without a word.
  request.maxHeadersCount = 0
  return request
}

function lengthOf(method: string, body: ServiceCall['body']): readonly string[] {
  if (body instanceof Buffer) {
    const isPlain = body.length === 0 && ['GET', 'HEAD', 'OPTIONS', 'DELETE'].includes(method)
    return isPlain ? [] : ['Content-Length', String(body.length)]
  }
  if (!body) return []
  return body.length === undefined ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', String(body.length)]
}

async function send(request: ClientRequest, call: ServiceCall, { watchdog, state }: Watch): Promise<void> {
  const { body, maxRequestBytes } = call
  if (body?.length !== undefined && body.length > maxRequestBytes) throw requestTooLarge(maxRequestBytes)
  if (!body || !('chunks' in body)) {
    request.end(body)
    return
  }
  request.flushHeaders()
  let total = 0
  state.waitsForCaller = true
  for await (const chunk of body.chunks) {
    state.waitsForCaller = false
    watchdog.heard()
    total += chunk.length
    if (total > maxRequestBytes) throw requestTooLarge(maxRequestBytes)
    if (!request.write(chunk)) await drained(request)
    if (request.destroyed) return
    watchdog.heard()
    state.waitsForCaller = true
  }
  state.waitsForCaller = false
  watchdog.heard()
  request.end()
}

function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      request.off('drain', done).off('close', done)
      resolve()
    }
    request.on('drain', done).on('close', done)
  })
}

/** Settles with the answer that counts; `end` is told of each failure of the connection. */
function headOf(
  request: ClientRequest,
  { service }: ServiceCall,
  end: (reason: unknown) => void,
): Promise<IncomingMessage> {
  let information = 0
  let isAnswered = false
  // How an answer ends is told where it is read: the rest of it may be here although the connection is gone.
  const fail = (error: unknown) => {
    if (!isAnswered) end(error)
  }
  return new Promise((resolve) => {
    request.on('response', (message) => {
      isAnswered = true
      resolve(message)
    })
    request.on('error', (error) => fail(failureOf(error, service)))
    request.on('close', () => fail(cutOff(service)))
    request.on('information', () => {
      if (++information > MOST_INFORMATION) end(malformedAnswer(service, 'it sends no end of answers 1xx'))
    })
    request.on('upgrade', (_response, socket) => {
      socket.destroy()
      end(malformedAnswer(service, 'it changes the protocol, which nobody asked for'))
    })
  })
}

function responseOf(message: IncomingMessage, call: ServiceCall, watch: Watch): ServiceResponse {
  const { statusCode: status = 0, statusMessage = '', rawHeaders } = message
  const { service, maxAnswerBytes } = call
  const malformed = whyMalformed(message)
  if (malformed !== undefined) throw malformedAnswer(service, malformed)
  const told = message.headers['content-length']
  const hasBody = call.method !== 'HEAD' && status !== 204 && status !== 304
  if (hasBody && Number(told ?? 0) > maxAnswerBytes) throw answerTooLarge(service, maxAnswerBytes)
  return {
    status,
    statusText: /^[\t\x20-\x7e]*$/.test(statusMessage) ? statusMessage : '',
    headers: endToEnd(rawHeaders, [SERVICE_ERROR_HEADER]),
    chunks: chunksOf(message, call, watch),
  }
}

async function* chunksOf(
  message: IncomingMessage,
  { service, within, maxAnswerBytes }: ServiceCall,
  { watchdog, state }: Watch,
): AsyncGenerator<Buffer> {
  let total = 0
  try {
    for await (const chunk of message) {
      const bytes = chunk instanceof Buffer ? chunk : Buffer.from(String(chunk))
      total += bytes.length
      if (total > maxAnswerBytes) throw answerTooLarge(service, maxAnswerBytes)
      // While the caller takes what it got, the service need say nothing.
      watchdog.expect(CALLER_PATIENCE)
      state.waitsForCaller = true
      yield bytes
      state.waitsForCaller = false
      watchdog.expect(within)
    }
  } catch (error) {
    throw error instanceof ServiceError ? error : failureOf(error, service)
  }
}
