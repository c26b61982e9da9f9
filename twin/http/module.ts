import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Bus } from '../../platform/bus/index.ts'
import type { Metrics } from '../../platform/health/index.ts'
import { countRefusals, type HttpServer, isOriginAllowed, keepListening, serveHttp } from '../../platform/http/index.ts'
import { describeError, type Module, Places, SkerryError } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Clock, Random } from '../../platform/time/index.ts'
import { type Access, type Caller, callerOf } from './caller.ts'
import { matchPath } from './match.ts'
import { type Problem, ProblemError, problem } from './problem.ts'
import { ROUTES, type Route, type RouteOptions } from './routes.ts'

export interface LocalApiOptions {
  /** Of the loopback: callers show passwords, and nothing here encrypts. */
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly origins: readonly string[]
  readonly names: readonly string[]
  readonly maxBodyBytes: number
  readonly maxStreams: number
  readonly access: Access
  readonly bus: Bus
  readonly version: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
}

export interface LocalApiModule extends Module {
  /** Undefined until it listens. */
  readonly url: string | undefined
}

/** One user may have half of the streams. */
const SHARE_OF_ONE = 2

/** LocalApi: twins and methods of this node over HTTP, for programs without MQTT. A caller may do what he may on MQTT. */
export function createLocalApiModule(options: LocalApiOptions): LocalApiModule {
  let url: string | undefined
  return {
    name: 'LocalApi',
    get url() {
      return url
    },
    async start(scope) {
      const { host, port, log, clock, random, metrics, maxStreams } = options
      const requests = metrics.counter({
        name: 'skerry_http_requests_total',
        help: 'Requests to the local HTTP API, by method and code.',
        labels: ['method', 'code'],
      })
      const streams = new Streams(maxStreams)
      scope.use(
        metrics
          .gauge({ name: 'skerry_http_streams', help: 'Streams of events of the local HTTP API.' })
          .follow(() => streams.count),
      )
      const serving: RouteOptions = { ...options, enterStream: (caller) => streams.enter(caller) }
      const stopping = new AbortController()
      const open = () =>
        serveHttp({
          at: { host, port },
          clock,
          log,
          maxConnections: maxStreams + 192,
          onRefused: countRefusals(metrics, 'local-api'),
          handler: async (request, response, signal) => {
            await answer(options, serving, { request, response, signal, stopping: stopping.signal })
            const method = request.method ?? ''
            requests.add(1, { method: METHODS.has(method) ? method : 'other', code: String(response.statusCode) })
          },
        })
      const onListening = (server: HttpServer) => {
        url = server.url
        log.info('The local HTTP API listens', { url })
      }
      const trouble = 'The local HTTP API cannot listen'
      await keepListening({ trouble, port, open, onListening, clock, random, log }, scope)
      scope.defer(() => stopping.abort())
    },
  }
}

const METHODS = new Set(['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'OPTIONS'])

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly signal: AbortSignal
  /** Streams end. */
  readonly stopping: AbortSignal
}

async function answer(options: LocalApiOptions, serving: RouteOptions, exchange: Exchange): Promise<void> {
  const { request, response, signal, stopping } = exchange
  const { method = '' } = request
  allowOrigin(options, exchange)
  try {
    const { pathname, searchParams } = targetOf(request)
    const again = () => callerOf(options, request)
    const found = ROUTES.flatMap((route) => {
      const named = matchPath(route.path, pathname)
      return named ? [{ route, named }] : []
    })
    if (method === 'OPTIONS' && request.headers.origin !== undefined) return preflight(found, response)
    const caller = await again()
    const [chosen] = found.filter(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method))
    if (!chosen) throw nowhere(found, pathname)
    if (method === 'HEAD' && chosen.route.path === '/v1/events') throw problem(405, 'a stream has no head to ask for')
    const { route, named } = chosen
    const call = { request, response, query: searchParams, named, caller, again, signal, stopping }
    const body = await route.serve(serving, call)
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

function refuse({ log }: LocalApiOptions, { request, response }: Exchange, error: unknown): void {
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
function allowOrigin({ origins }: LocalApiOptions, { request, response }: Exchange): void {
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

/** Streams that are open, within their bounds. */
class Streams {
  readonly #most: number
  readonly #places = new Places<string | undefined>()

  constructor(most: number) {
    this.#most = most
  }

  get count(): number {
    return this.#places.taken
  }

  enter({ user }: Caller): Disposable {
    const mostOfOne = Math.max(1, Math.floor(this.#most / SHARE_OF_ONE))
    if (this.count < this.#most && this.#places.takenBy(user) < mostOfOne) return this.#places.take(user)
    throw problem(503, 'too many streams are open: close some, or raise http.maxStreams', {
      headers: { 'retry-after': '5' },
    })
  }
}
