import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Metrics } from '../../../platform/health/index.ts'
import { type HttpHandler, readBody } from '../../../platform/http/index.ts'
import { SkerryError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { refusal } from '../../kube/rbac/index.ts'
import {
  internalError,
  methodNotAllowed,
  StatusError,
  tooLarge,
  unauthorized,
  unavailable,
  unknownPath,
  unsupportedMediaType,
} from '../../kube/status.ts'
import { isStream, type Reply, type Stream, statusAnswer } from '../rest/answer.ts'
import type { Body } from '../rest/body.ts'
import type { ApiContext, User } from '../rest/context.ts'
import { flag } from '../rest/options.ts'
import { parseResourcePath, type ResourcePath, segmentsOf, verbOf } from '../rest/paths.ts'
import { serveResource } from '../rest/resources.ts'
import { ANONYMOUS_USER, authenticate, type TokenAuthenticator } from './authentication.ts'
import type { Authorizer } from './authorization.ts'
import { type Descriptions, isPublicPath } from './descriptions.ts'
import { impersonated } from './impersonation.ts'
import { attributesOf } from './request-attributes.ts'

export interface HandlerOptions {
  readonly api: ApiContext
  readonly descriptions: Descriptions
  readonly authorize: Authorizer
  readonly tokens: TokenAuthenticator
  readonly log: Logger
  readonly metrics: Metrics
}

/** Kubernetes' own limit of a request. */
const LARGEST_BODY = 3 * 1024 * 1024
/** Bytes of a watch that the client has not read yet; more wait in the server's own queue of changes. */
const MOST_UNREAD = 256 * 1024

/** All of the API behind HTTPS. Every failure is answered with a Status. */
export function createHandler(options: HandlerOptions): HttpHandler {
  const requests = options.metrics.counter({
    name: 'skerry_api_requests_total',
    help: 'Requests that the embedded API answered.',
    labels: ['verb', 'code'],
  })
  return async (request, response, signal) => {
    const warnings: string[] = []
    const seen = { verb: (request.method ?? 'GET').toLowerCase() }
    let reply: Reply
    try {
      reply = await route(options, request, warnings, signal, seen)
    } catch (error) {
      if (signal.aborted) throw error
      reply = statusAnswer(statusOf(error, options.log, request).status)
    }
    requests.add(1, { verb: seen.verb, code: isStream(reply) ? '200' : String(reply.code) })
    await write(request, response, reply, warnings, signal)
  }
}

async function route(
  options: HandlerOptions,
  request: IncomingMessage,
  warnings: string[],
  signal: AbortSignal,
  seen: { verb: string },
): Promise<Reply> {
  const url = new URL(request.url ?? '/', 'https://api')
  const method = request.method ?? 'GET'
  if (isPublicPath(url.pathname) && method === 'GET') return options.descriptions.health()
  const identity = await authenticate(request, options.tokens, signal)
  if (identity.kind === 'unknown') throw unauthorized()
  const sender = identity.kind === 'user' ? identity.user : ANONYMOUS_USER
  const user = impersonated(request, sender, options.authorize) ?? sender
  const segments = segmentsOf(url.pathname)
  const path = parseResourcePath(segments)
  const verb = path && verbOf(method, path, flag(url.searchParams.get('watch')))
  seen.verb = verb ?? seen.verb
  const attributes = attributesOf(url, verb ?? method.toLowerCase(), path)
  const decision = options.authorize(user, attributes)
  if (!decision.allowed) throw refusal(user, attributes, decision.reason)
  if (path) return await toResource(options, request, { path, verb, url, user, warnings, signal })
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed(undefined, method)
  return options.descriptions.describe(segments, request.headers.accept, request.headers['if-none-match'])
}

interface Found {
  readonly path: ResourcePath
  readonly verb: ReturnType<typeof verbOf>
  readonly url: URL
  readonly user: User
  readonly warnings: string[]
  readonly signal: AbortSignal
}

async function toResource(
  { api }: HandlerOptions,
  request: IncomingMessage,
  { path, verb, url, user, warnings, signal }: Found,
): Promise<Reply> {
  const definition = api.registry.find(path.group, path.version, path.plural)
  if (!definition) throw unknownPath()
  if (!verb) throw methodNotAllowed(definition, request.method ?? '')
  const warn = (text: string) => {
    if (!warnings.includes(text) && warnings.length < MOST_WARNINGS) warnings.push(text)
  }
  return await serveResource(api, {
    verb,
    path,
    definition,
    query: url.searchParams,
    accept: request.headers.accept,
    user,
    warn,
    signal,
    body: () => bodyOf(request, signal),
  })
}

const MOST_WARNINGS = 20

async function bodyOf(request: IncomingMessage, signal: AbortSignal): Promise<Body> {
  const coding = request.headers['content-encoding'] ?? 'identity'
  if (coding !== 'identity') throw unsupportedMediaType(['identity'], `the content coding ${coding} is not served`)
  return { type: request.headers['content-type'] ?? '', bytes: await readBody(request, LARGEST_BODY, signal) }
}

function statusOf(error: unknown, log: Logger, request: IncomingMessage): StatusError {
  if (error instanceof StatusError) {
    if (error.status.code >= 500) log.warn('A request could not be served', { method: request.method, error })
    return error
  }
  if (error instanceof SkerryError && error.code === 'PLATFORM_BODY_TOO_LARGE') return tooLarge(LARGEST_BODY)
  if (error instanceof SkerryError && error.retry === 'backoff') return unavailable(error.message, error)
  log.error('A request failed', { method: request.method, path: request.url?.split('?')[0], error })
  return internalError('the server has made a mistake; its log says more', error)
}

async function write(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  warnings: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  response.setHeader('cache-control', 'no-cache, private')
  if (warnings.length > 0) response.setHeader('warning', warnings.map(warningText))
  // What was not read of the body must not be taken for the next request.
  if (!request.complete && hasBody(request)) response.setHeader('connection', 'close')
  if (isStream(reply)) return await writeStream(response, reply, signal)
  const body = Buffer.from(reply.text)
  response.writeHead(reply.code, { ...reply.headers, 'content-type': reply.type, 'content-length': body.length })
  response.end(request.method === 'HEAD' || reply.code === 304 ? undefined : body)
}

async function writeStream(response: ServerResponse, stream: Stream, signal: AbortSignal): Promise<void> {
  response.writeHead(200, { 'content-type': stream.type })
  response.flushHeaders()
  const send = (line: string) => {
    response.write(line)
    return response.writableLength <= MOST_UNREAD ? undefined : drained(response, signal)
  }
  await stream.run(send, signal)
  // Who is that far behind may never read the end.
  if (response.writableLength > MOST_UNREAD) response.destroy()
  else response.end()
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle).off('close', settle)
      signal.removeEventListener('abort', settle)
      resolve()
    }
    response.on('drain', settle).on('close', settle)
    signal.addEventListener('abort', settle)
    if (signal.aborted) settle()
  })
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
