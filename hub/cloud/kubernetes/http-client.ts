import type { IncomingMessage } from 'node:http'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { urlToHttpOptions } from 'node:url'
import { answerTo, readAnswer } from '../../../platform/http/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import {
  type Clock,
  DeadlineError,
  type Duration,
  seconds,
  unlessAborted,
  withDeadline,
} from '../../../platform/time/index.ts'
import { dropIdle } from './agents.ts'
import type { Caller, CallerRequest } from './callers.ts'
import { type Access, Credentials } from './credentials.ts'
import { type Answer, errorOfAnswer, isDistrust, SilenceError, strangeAnswer, unreachable } from './errors.ts'
import { parseJson } from './guards.ts'
import type { KubeconfigSource } from './kubeconfig.ts'
import { Lines } from './lines.ts'

/** HTTP to one Kubernetes API, with the credentials of a kubeconfig, or with the token of somebody else. */
export interface ApiClient {
  call(request: CallerRequest, signal?: AbortSignal): Promise<unknown>
  /** Any answer as it came. Rejects where there was none. */
  answer(request: CallerRequest, caller: Caller, signal?: AbortSignal): Promise<Answer>
  /**
   * The events of a watch as they come, after undefined as soon as it begins; null for what is no JSON. The stream is destroyed
   * when the consumer leaves.
   */
  events(path: string, signal: AbortSignal, caller?: Caller): AsyncIterable<unknown>
}

export interface ApiClientPorts {
  readonly clock: Clock
  readonly log: Logger
  /** Of one answer, in bytes; default 256 MiB. */
  readonly largestAnswer?: number
  /** Of one event of a watch, in letters; default 64 Mi. */
  readonly longestLine?: number
  /** Told of `Date` in each answer, Unix ms, with the time of its arrival by the clock. */
  readonly onDate?: (date: number, now: number) => void
}

export const CALL_DEADLINE = seconds(30)
/** API servers send a bookmark about once a minute; two missed ones mean that nobody is there. */
const SILENCE: Duration = seconds(100)
const LONGEST_LINE = 64 * 1024 * 1024
/** A page of 500 objects is far smaller; more is no answer of an API server. */
const LARGEST_ANSWER = 256 * 1024 * 1024
const LARGEST_REFUSAL = 1024 * 1024

/** Throws ConfigError when the kubeconfig cannot be used. */
export async function openApiClient(source: KubeconfigSource, ports: ApiClientPorts): Promise<ApiClient & Disposable> {
  const { clock, onDate, largestAnswer = LARGEST_ANSWER, longestLine = LONGEST_LINE } = ports
  const credentials = await Credentials.open(source, ports)

  /** Once more where the API does not know who asks, and there are newer credentials. Nothing was carried out then. */
  const ask: Ask = async (request, caller, signal, isWatch) => {
    const access = await unlessAborted(credentials.current(), signal)
    if (caller !== 'cloud') return tryToSend(request, asOther(access, caller.token), signal, isWatch)
    const answer = await tryToSend(request, access, signal, isWatch)
    if (answer.statusCode !== 401) return answer
    credentials.refused(access)
    const newer = await unlessAborted(credentials.current(), signal)
    if (newer === access) return answer
    answer.destroy()
    return tryToSend(request, newer, signal, isWatch)
  }

  const tryToSend = async (request: CallerRequest, access: Access, signal: AbortSignal, isWatch: boolean) => {
    try {
      const answer = await send(request, access, signal, isWatch)
      const date = Date.parse(answer.headers.date ?? '')
      if (!Number.isNaN(date)) onDate?.(date, clock.now())
      return answer
    } catch (error) {
      if (isDistrust(error)) credentials.refused(access)
      if (signal.reason instanceof DeadlineError && access.agents) dropIdle(access.agents.calls)
      throw error
    }
  }

  const answer: ApiClient['answer'] = async (request, caller, signal) => {
    try {
      return await withDeadline(clock, CALL_DEADLINE, signal, async (limited) => {
        const incoming = await ask(request, caller, limited, false)
        const text = (await readAnswer(incoming, largestAnswer, limited)).toString('utf8')
        return { status: incoming.statusCode ?? 0, text, body: parseJson(text), headers: incoming.headers }
      })
    } catch (error) {
      throw unreachable(error, signal, { method: request.method, path: request.path })
    }
  }

  return {
    answer,
    async call(request, signal) {
      const fields = { method: request.method, path: request.path }
      const given = await answer(request, 'cloud', signal)
      const { status, text, body } = given
      if (status >= 300 || status < 200) throw errorOfAnswer(given, fields)
      if (body === undefined && text !== '') throw strangeAnswer({ ...fields, status })
      return body ?? {}
    },
    events: (path, signal, caller = 'cloud') => {
      return readEvents({ clock, path, longestLine }, signal, (request, limited) => ask(request, caller, limited, true))
    },
    [Symbol.dispose]: () => credentials[Symbol.dispose](),
  }
}

type Ask = (request: CallerRequest, caller: Caller, signal: AbortSignal, isWatch: boolean) => Promise<IncomingMessage>

/** The same API for somebody with a token: not even the connection is one of ours, which a certificate may have opened. */
function asOther({ server, others }: Access, token: string): Access {
  const withToken = (options: RequestOptions) => ({
    ...options,
    headers: { ...options.headers, Authorization: `Bearer ${token}` },
  })
  return { server, others, calls: withToken(others.calls), watches: withToken(others.watches) }
}

async function send(
  request: CallerRequest,
  { server, calls, watches }: Access,
  signal: AbortSignal,
  isWatch: boolean,
): Promise<IncomingMessage> {
  const given = isWatch ? watches : calls
  const { protocol, hostname, port } = urlToHttpOptions(server)
  const prefix = server.pathname.replace(/\/$/, '')
  const body = request.body === undefined ? undefined : JSON.stringify(request.body)
  const headers = {
    ...given.headers,
    accept: request.accept ?? 'application/json',
    ...(request.knownTag === undefined ? {} : { 'if-none-match': request.knownTag }),
    ...(body === undefined
      ? {}
      : { 'content-type': request.contentType ?? 'application/json', 'content-length': Buffer.byteLength(body) }),
  }
  const begin = server.protocol === 'http:' ? httpRequest : httpsRequest
  const { method, path } = request
  const outgoing = begin({ ...given, protocol, hostname, port, method, path: `${prefix}${path}`, headers })
  // Given to Node.js, a signal costs a good part of what a small request does.
  const onAbort = () => outgoing.destroy(signal.reason)
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  outgoing.on('close', () => signal.removeEventListener('abort', onAbort))
  outgoing.end(body)
  return answerTo(outgoing)
}

async function* readEvents(
  { clock, path, longestLine }: { readonly clock: Clock; readonly path: string; readonly longestLine: number },
  signal: AbortSignal,
  ask: (request: CallerRequest, signal: AbortSignal) => Promise<IncomingMessage>,
): AsyncGenerator<unknown> {
  const fields = { method: 'GET', path }
  const silence = new AbortController()
  const combined = AbortSignal.any([signal, silence.signal])
  const arm = () => clock.after(SILENCE, () => silence.abort(new SilenceError('the watch fell silent')))
  let timer = arm()
  try {
    const answer = await ask({ method: 'GET', path }, combined)
    const status = answer.statusCode ?? 0
    if (status !== 200) {
      const body = await readAnswer(answer, LARGEST_REFUSAL, combined)
      const text = body.toString('utf8')
      throw errorOfAnswer({ status, text, body: parseJson(text), headers: answer.headers }, fields)
    }
    answer.setEncoding('utf8')
    yield undefined
    const lines = new Lines(longestLine)
    for await (const chunk of answer) {
      timer[Symbol.dispose]()
      timer = arm()
      for (const line of lines.take(String(chunk))) if (line !== '') yield parseJson(line) ?? null
    }
    // What was cut off in the middle is told again. A page for people may have no line at all.
    const { rest } = lines
    if (rest !== '' && !rest.startsWith('{')) yield null
  } catch (error) {
    throw unreachable(silence.signal.aborted ? silence.signal.reason : error, signal, fields)
  } finally {
    timer[Symbol.dispose]()
    silence.abort(new Error('the watch ended'))
  }
}
