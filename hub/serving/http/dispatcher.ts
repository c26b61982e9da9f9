import type { Counter } from '../../../platform/health/index.ts'
import { SkerryError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock, Random } from '../../../platform/time/index.ts'
import { type Attributes, type Decision, refusal } from '../../kube/rbac/index.ts'
import {
  internalError,
  methodNotAllowed,
  type Status,
  StatusError,
  tooLarge,
  unauthorized,
  unavailable,
  unsupportedMediaType,
} from '../../kube/status.ts'
import { ANONYMOUS_USER, bearerToken, type Identity, type TokenAuthenticator } from '../access/authentication.ts'
import type { Authorizer } from '../access/authorization.ts'
import { impersonated } from '../access/impersonation.ts'
import { isStream, type Reply, statusAnswer } from '../answers/answer.ts'
import { type Descriptions, isPublicPath } from '../descriptions/descriptions.ts'
import type { Body } from '../requests/body.ts'
import { flag } from '../requests/options.ts'
import { parseResourcePath, type ResourcePath, segmentsOf, verbOf } from '../requests/paths.ts'
import { attributesOf } from '../requests/request-attributes.ts'
import type { AskedResource, SentRequest } from '../requests/resource-request.ts'
import type { User } from '../user.ts'
import type { Answered, AuditTrail } from './answered.ts'
import { BodyRoom } from './body-room.ts'

/** A request, whatever brought it. */
export interface Incoming extends SentRequest {
  /** Path and query. */
  readonly target: string
  identify(tokens: TokenAuthenticator, signal: AbortSignal): Promise<Identity>
  /** Its body, whole. Throws PLATFORM_BODY_TOO_LARGE. */
  read(mostBytes: number, signal: AbortSignal): Promise<Buffer>
}

/** How a request is answered. */
export interface Outcome {
  readonly reply: Reply
  readonly warnings: readonly string[]
  /** Of its line in the audit log. */
  readonly auditId: string | undefined
  /** Whether the credentials of the request are still somebody's, for answers that last. */
  isKnown(signal: AbortSignal): Promise<boolean>
  /** To be called once the answer, or the last line of a watch, is on its way. */
  ended(): void
}

/** Rejects only where the signal aborts; every failure is a Status. */
export type Dispatcher = (request: Incoming, signal: AbortSignal) => Promise<Outcome>

export interface DispatcherOptions {
  /** Answers what is asked of objects. Throws a Status. */
  readonly serve: (asked: AskedResource) => Promise<Reply>
  readonly descriptions: Descriptions
  readonly authorize: Authorizer
  readonly tokens: TokenAuthenticator
  /** Of requests, with labels `verb` and `code`. */
  readonly requests: Counter
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Absent: nothing is recorded. */
  readonly audit?: AuditTrail
}

interface Serving extends DispatcherOptions {
  readonly bodies: BodyRoom
}

/** Kubernetes' own limit of a request. */
const LARGEST_BODY = 3 * 1024 * 1024

/** All of the API, for whatever brings requests: who asks, whether he may, what is answered, counted and recorded. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { requests, clock, random } = options
  const serving = { ...options, bodies: new BodyRoom(LARGEST_BODY) }
  return async (request, signal) => {
    const warnings: string[] = []
    const url = urlOf(request.target)
    const received = clock.now()
    const seen: Seen = { verb: request.method.toLowerCase() }
    let reply: Reply
    let failure: Status | undefined
    try {
      reply = await route(serving, request, { url, warnings, signal, seen })
    } catch (error) {
      if (signal.aborted) throw error
      failure = statusOf(error, options.log, request).status
      reply = statusAnswer(failure)
    }
    const code = isStream(reply) ? 200 : reply.code
    requests.add(1, { verb: seen.verb, code: String(code) })
    const auditId = options.audit && !seen.isPublic ? random.uuid() : undefined
    return {
      reply,
      warnings,
      auditId,
      isKnown: async (within) => (await request.identify(options.tokens, within)).kind !== 'unknown',
      ended() {
        if (auditId === undefined) return
        options.audit?.record(answered(options, request, { id: auditId, url, received, seen, code, failure }))
      },
    }
  }
}

/** Two slashes at the beginning are no host. What is no target at all leads nowhere. */
function urlOf(target: string): URL {
  const text = target.startsWith('/') ? `https://api${target}` : target
  return new URL(URL.canParse(text, 'https://api') ? text : '/%', 'https://api')
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

async function route(options: Serving, request: Incoming, asked: Asked): Promise<Reply> {
  const { url, warnings, signal, seen } = asked
  const { method } = request
  seen.isPublic = isPublicPath(url.pathname) && method === 'GET'
  if (seen.isPublic) return options.descriptions.health()
  const identity = await request.identify(options.tokens, signal)
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
  const token = actedAs ? undefined : bearerToken(request.headers.authorization)
  if (path) return await toResource(options, request, { path, verb, url, user, token, warnings, signal, seen })
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed()
  const { accept, 'if-none-match': knownTags } = request.headers
  return await options.descriptions.describe({
    ...{ segments, query: url.searchParams, accept, knownTags },
    ...{ user, token, signal },
  })
}

function answered(
  { clock }: DispatcherOptions,
  { address, headers }: Incoming,
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
    ...{ ...seen, id, url, received, code, answered: clock.now() },
    address,
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
  readonly token: string | undefined
  readonly warnings: string[]
  readonly signal: AbortSignal
  readonly seen: Seen
}

async function toResource(
  { serve, authorize, bodies }: Serving,
  request: Incoming,
  { path, verb, url, user, token, warnings, signal, seen }: Found,
): Promise<Reply> {
  const warn = (text: string) => {
    if (!warnings.includes(text) && warnings.length < MOST_WARNINGS) warnings.push(text)
  }
  return await serve({
    verb,
    path,
    url,
    sent: request,
    accept: request.headers.accept,
    userAgent: request.headers['user-agent'] ?? '',
    user,
    token,
    warn,
    signal,
    body: () => bodies.read(request.headers, () => bodyOf(request, signal)),
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

async function bodyOf(request: Incoming, signal: AbortSignal): Promise<Body> {
  const coding = request.headers['content-encoding'] ?? 'identity'
  if (coding !== 'identity') throw unsupportedMediaType(['identity'], `the content coding ${coding} is not served`)
  return { type: request.headers['content-type'] ?? '', bytes: await request.read(LARGEST_BODY, signal) }
}

function statusOf(error: unknown, log: Logger, request: Incoming): StatusError {
  if (error instanceof StatusError) {
    if (error.status.code >= 500) log.warn('A request could not be served', { method: request.method, error })
    return error
  }
  if (error instanceof SkerryError && error.code === 'PLATFORM_BODY_TOO_LARGE') return tooLarge(LARGEST_BODY)
  if (error instanceof SkerryError && error.retry === 'backoff') return unavailable(error.message, error)
  log.error('A request failed', { method: request.method, path: request.target.split('?')[0], error })
  return internalError('the server has made a mistake; its log says more', error)
}
