import type { IncomingMessage, ServerResponse } from 'node:http'
import { isOriginAllowed } from '../../platform/http/index.ts'
import { describeError, SkerryError } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import { isPodUser } from '../../schemas/index.ts'
import { type CallerOptions, callerOf, type Door } from './caller.ts'
import { matchPath } from './match.ts'
import type { PodGuests } from './pod-guests.ts'
import { type Problem, ProblemError, problem } from './problem.ts'
import { ROUTES, type Route, type RouteOptions } from './routes.ts'
import type { Streams } from './streams.ts'

export interface AnswerOptions extends CallerOptions, RouteOptions {
  readonly door: Door
  /** Of this door. */
  readonly streams: Streams
  /** Of all doors. */
  readonly guests: PodGuests
  readonly log: Logger
}

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly signal: AbortSignal
  /** Streams end. */
  readonly stopping: AbortSignal
}

/** Answers a request, whatever it is; a failure is an answer too. */
export async function answer(options: AnswerOptions, exchange: Exchange): Promise<void> {
  const { request, response, signal, stopping } = exchange
  const { door, streams, guests } = options
  const { method = '' } = request
  allowOrigin(options, exchange)
  try {
    const { pathname, searchParams } = targetOf(request)
    const again = () => callerOf(options, door, request)
    const found = ROUTES.flatMap((route) => {
      const named = matchPath(route.path, pathname)
      return named ? [{ route, named }] : []
    })
    if (method === 'OPTIONS' && request.headers.origin !== undefined) return preflight(found, response)
    const caller = await again()
    const { user } = caller
    using visit = user !== undefined && isPodUser(user) ? guests.enter(user, request.socket, response) : undefined
    const [chosen] = found.filter(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method))
    if (!chosen) throw nowhere(found, pathname)
    if (method === 'HEAD' && chosen.route.path === '/v1/events') throw problem(405, 'a stream has no head to ask for')
    const { route, named } = chosen
    const enterStream = () => {
      visit?.becomeStream()
      return streams.enter(caller)
    }
    const call = { request, response, query: searchParams, named, caller, again, enterStream, signal, stopping }
    const body = await route.serve(options, call)
    if (body === undefined) response.end()
    else send(response, method, 200, 'application/json', body)
  } catch (error) {
    if (signal.aborted) return
    refuse(options, exchange, error)
  }
}

function targetOf({ url = '/' }: IncomingMessage): URL {
  const target = URL.parse(url, 'http://node')
  if (target === null) throw problem(400, 'the request names no path that could be understood')
  return target
}

function refuse({ log }: AnswerOptions, { request, response }: Exchange, error: unknown): void {
  const found = problemOf(error)
  if (found.status === 500) log.error('A request of the local HTTP API failed', { method: request.method, error })
  if (response.headersSent) {
    response.destroy()
    return
  }
  // What was not read of the body must not be taken for the next request.
  if (!request.complete) response.setHeader('connection', 'close')
  for (const [name, value] of Object.entries(found.headers ?? {})) response.setHeader(name, value)
  const { status, detail, extra } = found
  send(response, request.method ?? '', status, 'application/problem+json', { status, detail, ...extra })
}

function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem
  if (error instanceof SkerryError && error.code === 'PLATFORM_BODY_TOO_LARGE') {
    return { status: 413, detail: error.message }
  }
  if (error instanceof SkerryError && error.retry === 'backoff') {
    return { status: 503, detail: error.message, headers: { 'retry-after': '1' } }
  }
  return { status: 500, detail: describeError(error) }
}

function send(response: ServerResponse, method: string, status: number, type: string, body: unknown): void {
  const text = Buffer.from(`${JSON.stringify(body)}\n`)
  response.writeHead(status, {
    'content-type': type,
    'content-length': text.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(method === 'HEAD' ? undefined : text)
}

interface Found {
  readonly route: Route
}

function nowhere(found: readonly Found[], pathname: string): ProblemError {
  if (found.length === 0) return problem(404, `nothing is served at ${pathname.slice(0, 200)}: see /openapi.json`)
  const allow = methodsOf(found)
  return problem(405, `only ${allow} is served there`, { headers: { allow } })
}

function methodsOf(found: readonly Found[]): string {
  const methods = new Set(found.map(({ route }) => route.method))
  return [...methods, ...(methods.has('GET') ? ['HEAD'] : [])].join(', ')
}

/** The Fetch standard's CORS protocol: pages of allowed origins may read the answers, with the credentials that they are given. */
function allowOrigin({ origins }: AnswerOptions, { request, response }: Exchange): void {
  const { origin, host } = request.headers
  response.setHeader('vary', 'Origin')
  if (origin === undefined || !isOriginAllowed(origin, host, origins)) return
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('access-control-allow-credentials', 'true')
}

function preflight(found: readonly Found[], response: ServerResponse): void {
  response.writeHead(204, {
    'access-control-allow-methods': methodsOf(found),
    'access-control-allow-headers': 'authorization, content-type',
    'access-control-max-age': '600',
  })
  response.end()
}
