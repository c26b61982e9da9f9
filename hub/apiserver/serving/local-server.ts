import { whileKnown } from '../../../platform/http/index.ts'
import { BugError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import { methodNotAllowed } from '../../kube/status.ts'
import {
  API_AUDIENCES,
  authenticated,
  type Identity,
  type TokenAuthenticator,
} from '../../serving/access/authentication.ts'
import {
  type Answer,
  isRelay,
  isStream,
  type Relay,
  type Stream,
  type StreamEvent,
  statusAnswer,
} from '../../serving/answers/answer.ts'
import type { Dispatcher, Incoming } from '../../serving/http/dispatcher.ts'
import type { User } from '../../serving/user.ts'

export interface LocalRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly body?: string
  readonly contentType?: string
  /** Absent: JSON. */
  readonly accept?: string
  /** If-None-Match. */
  readonly knownTag?: string
  /** Bearer token of somebody else: the request is that one's, or nobody's, and never the caller's. */
  readonly token?: string
}

export interface LocalAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** What its JSON says; undefined where it is none. An object is the API's own: nobody changes it. */
  readonly body: unknown
}

/** An event of a watch; its object is the API's own. */
export interface LocalEvent {
  readonly type: string
  readonly object: unknown
}

/** The API for somebody in its own process, as one of its users: the same requests and answers, without a socket. */
export interface LocalServer {
  /** Rejects with an UnavailableError while the API does not serve. */
  call(request: LocalRequest, signal: AbortSignal): Promise<LocalAnswer>
  /** The events of a watch as they come; its answer where it is none. Ends with the API. */
  events(
    request: Pick<LocalRequest, 'path' | 'token'>,
    signal: AbortSignal,
  ): Promise<LocalAnswer | AsyncIterable<LocalEvent>>
}

/** Events of a watch that its reader has not taken yet; more wait in the API's own queue of changes. */
const MOST_UNREAD = 256
const AGENT = 'skerry-cloud'

/** `serving` answers with what serves now, and a signal that aborts when it ends. */
export function localServer(
  serving: () => { readonly dispatch: Dispatcher; readonly signal: AbortSignal } | undefined,
  { user, clock }: { readonly user: User; readonly clock: Clock },
): LocalServer {
  const known = authenticated(user)

  function now() {
    const found = serving()
    if (found) return found
    throw new UnavailableError('The embedded Kubernetes API does not serve now', { code: 'HUB_API_NOT_SERVING' })
  }

  return {
    async call(request, signal) {
      const { dispatch } = now()
      const { reply, ended } = await dispatch(incoming(request, known), signal)
      ended()
      if (isStream(reply)) throw new BugError('a watch was asked for as an answer', { code: 'HUB_API_WATCH' })
      return answerOf(reply)
    },
    async events(request, signal) {
      const { dispatch, signal: end } = now()
      const { reply, ended, isKnown } = await dispatch(incoming({ ...request, method: 'GET' }, known), signal)
      if (isStream(reply)) {
        const caller = whileKnown(clock, isKnown)
        return eventsOf(reply, AbortSignal.any([signal, end, caller.signal]), () => {
          caller[Symbol.dispose]()
          ended()
        })
      }
      ended()
      return answerOf(reply)
    },
  }
}

/** What is somebody else's comes over a connection alone. */
function answerOf(reply: Answer | Relay): LocalAnswer {
  if (isRelay(reply)) reply.drop()
  const answer = isRelay(reply) ? statusAnswer(methodNotAllowed().status) : reply
  const { code, headers = {}, object } = answer
  return { status: code, headers, body: object ?? bodyOf(answer) }
}

function bodyOf({ code, type, text }: Answer): unknown {
  return code !== 304 && /^application\/json(;|$)/.test(type) ? JSON.parse(text) : undefined
}

function incoming(request: LocalRequest, user: User): Incoming {
  const { method, path, body, contentType, accept = 'application/json', knownTag, token } = request
  return {
    ...{ method, target: path, address: '', headersDistinct: {} },
    headers: {
      ...{ accept, 'if-none-match': knownTag },
      'user-agent': AGENT,
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
    },
    identify: (tokens, signal) => identify(token, user, tokens, signal),
    read: async () => Buffer.from(body ?? ''),
  }
}

/** As over HTTPS: a token that nobody knows is not taken for anybody. */
async function identify(
  token: string | undefined,
  user: User,
  tokens: TokenAuthenticator,
  signal: AbortSignal,
): Promise<Identity> {
  if (token === undefined) return { kind: 'user', user }
  const owner = await tokens(token, API_AUDIENCES, signal)
  return owner ? { kind: 'user', user: authenticated(owner.user) } : { kind: 'unknown' }
}

/** Runs from now on. What is sent waits here until it is taken; the stream is told to wait where that is much. */
function eventsOf(stream: Stream, signal: AbortSignal, ended: () => void): AsyncIterable<LocalEvent> {
  const left = new AbortController()
  const waiting: LocalEvent[] = []
  let isOver = false
  let wake = Promise.withResolvers<void>()
  let room = Promise.withResolvers<void>()
  const send = ({ type, object }: StreamEvent) => {
    waiting.push({ type, object })
    wake.resolve()
    return waiting.length < MOST_UNREAD ? undefined : room.promise
  }
  const running = stream.run(send, AbortSignal.any([signal, left.signal])).finally(() => {
    isOver = true
    wake.resolve()
  })
  // It is awaited by the reader; one that left does not wait for it.
  running.catch(() => undefined)

  async function* read(): AsyncGenerator<LocalEvent> {
    try {
      for (;;) {
        wake = Promise.withResolvers()
        const taken = waiting.splice(0)
        room.resolve()
        room = Promise.withResolvers()
        yield* taken
        if (waiting.length > 0) continue
        if (isOver) return await running
        await wake.promise
      }
    } finally {
      left.abort()
      room.resolve()
      ended()
    }
  }
  return read()
}
