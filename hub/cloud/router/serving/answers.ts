import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CallerAnswer } from '../router-error.ts'
import type { WholeAnswer } from '../targets/service-frame.ts'

/** Ends a call with what the service has answered, as a whole. */
export function sendAnswer(request: IncomingMessage, response: ServerResponse, answer: WholeAnswer): void {
  const { status, headers, body } = answer
  // What a HEAD would have had is not known.
  const hasBody = status !== 204 && status !== 304 && request.method !== 'HEAD'
  const lists = Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, [...values]]))
  response.writeHead(status, { ...lists, ...(hasBody ? { 'content-length': body.length } : {}) })
  response.end(hasBody ? body : undefined)
}

/** KubeEdge answers with plain words. */
export function sendPlain(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  finish(request, response, status, { type: 'text/plain; charset=utf-8', body: text })
}

/** Ends a call with an error of the Router, unless its answer has begun: then it is broken off, so that nobody takes it for whole. */
export function sendRefusal(request: IncomingMessage, response: ServerResponse, answer: CallerAnswer): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const { status, code, message, retryAfterSeconds } = answer
  if (retryAfterSeconds !== undefined) response.setHeader('retry-after', retryAfterSeconds)
  if (status === 401) response.setHeader('www-authenticate', 'Bearer')
  response.setHeader('x-skerry-error', code)
  finish(request, response, status, { type: 'application/json', body: `${JSON.stringify({ code, message })}\n` })
}

function finish(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  { type, body }: { readonly type: string; readonly body: string },
): void {
  // What was not read of the body must not be taken for the next request.
  if (!request.complete) response.setHeader('connection', 'close')
  response.writeHead(status, {
    ...{ 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' },
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}
