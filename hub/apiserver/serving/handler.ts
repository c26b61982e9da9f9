import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Metrics } from '../../../platform/health/index.ts'
import { type HttpHandler, readBody } from '../../../platform/http/index.ts'
import { SkerryError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Attributes, type Decision, refusal } from '../../kube/rbac/index.ts'
import {
  internalError,
  methodNotAllowed,
  type Status,
  StatusError,
  tooLarge,
  unauthorized,
  unavailable,
  unknownPath,
  unsupportedMediaType,
} from '../../kube/status.ts'
import type { Answered } from '../audit/audit-event.ts'
import type { AuditLog } from '../audit/audit-log.ts'
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
  /** Absent: nothing is recorded. */
  readonly audit?: AuditLog
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
    const url = new URL(request.url ?? '/', 'https://api')
    const received = options.api.clock.now()
    const seen: Seen = { verb: (request.method ?? 'GET').toLowerCase() }
    let reply: Reply
    let failure: Status | undefined
    try {
      reply = await route(options, request, { url, warnings, signal, seen })
    } catch (error) {
      if (signal.aborted) throw error
      failure = statusOf(error, options.log, request).status
      reply = statusAnswer(failure)
    }
    const code = isStream(reply) ? 200 : reply.code
    requests.add(1, { verb: seen.verb, code: String(code) })
    const id = options.audit && !seen.isPublic ? options.api.random.uuid() : undefined
    if (id !== undefined) response.setHeader('audit-id', id)
    try {
      await write(request, response, reply, warnings, signal)
    } finally {
      if (id !== undefined)
        options.audit?.record(answered(options, request, { id, url, received, seen, code, failure }))
    }
  }
}

/** What was found out about a request on its way. */
interface Seen {
  verb: string
  isPublic?: boolean
  sender?: User
  actedAs?: User
  attributes?: Attributes
  decision?: Decision
  /** Of the object that it made. */
  name?: string
}

interface Asked {
  readonly url: URL
  readonly warnings: string[]
  readonly signal: AbortSignal
  readonly seen: Seen
}

async function route(options: HandlerOptions, request: IncomingMessage, asked: Asked): Promise<Reply> {
  const { url, warnings, signal, seen } = asked
  const method = request.method ?? 'GET'
  seen.isPublic = isPublicPath(url.pathname) && method === 'GET'
  if (seen.isPublic) return options.descriptions.health()
  const identity = await authenticate(request, options.tokens, signal)
  if (identity.kind === 'unknown') throw unauthorized()
  const sender = identity.kind === 'user' ? identity.user : ANONYMOUS_USER
  seen.sender = sender
  const actedAs = impersonated(request, sender, options.authorize)
  if (actedAs) seen.actedAs = actedAs
  const user = actedAs ?? sender
  const segments = segmentsOf(url.pathname)
  const path = parseResourcePath(segments)
  const verb = path && verbOf(method, path, flag(url.searchParams.get('watch')))
  seen.verb = verb ?? seen.verb
  seen.attributes = attributesOf(url, verb ?? method.toLowerCase(), path)
  seen.decision = options.authorize(user, seen.attributes)
  if (!seen.decision.allowed) throw refusal(user, seen.attributes, seen.decision.reason)
  if (path) return await toResource(options, request, { path, verb, url, user, warnings, signal, seen })
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed()
  return options.descriptions.describe(segments, request.headers.accept, request.headers['if-none-match'])
}

function answered(
  { api }: HandlerOptions,
  { socket, headers }: IncomingMessage,
  done: {
    readonly id: string
    readonly url: URL
    readonly received: number
    readonly seen: Seen
    readonly code: number
    readonly failure: Status | undefined
  },
): Answered {
  const { id, url, received, seen, code, failure } = done
  return {
    ...{ ...seen, id, url, received, code, answered: api.clock.now() },
    address: socket.remoteAddress ?? '',
    agent: headers['user-agent'] ?? '',
    ...(failure?.reason === undefined ? {} : { reason: failure.reason }),
    ...(failure?.message === undefined ? {} : { message: failure.message }),
  }
}

interface Found {
  readonly path: ResourcePath
  readonly verb: ReturnType<typeof verbOf>
  readonly url: URL
  readonly user: User
  readonly warnings: string[]
  readonly signal: AbortSignal
  readonly seen: Seen
}

async function toResource(
  { api, authorize }: HandlerOptions,
  request: IncomingMessage,
  { path, verb, url, user, warnings, signal, seen }: Found,
): Promise<Reply> {
  const definition = api.registry.find(path.group, path.version, path.plural)
  if (!definition) throw unknownPath()
  if (!verb) throw methodNotAllowed()
  const warn = (text: string) => {
    if (!warnings.includes(text) && warnings.length < MOST_WARNINGS) warnings.push(text)
  }
  return await serveResource(api, {
    verb,
    path,
    definition,
    query: url.searchParams,
    accept: request.headers.accept,
    userAgent: request.headers['user-agent'] ?? '',
    user,
    warn,
    signal,
    body: () => bodyOf(request, signal),
    mayCreate: () => {
      const attributes = attributesOf(url, 'create', path)
      const decision = authorize(user, attributes)
      if (!decision.allowed) throw refusal(user, attributes, decision.reason)
    },
    onMade: (name) => {
      seen.name = name
    },
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
