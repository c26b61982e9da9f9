import type { IncomingMessage, ServerResponse } from 'node:http'
import { readBody } from '../../../../platform/http/index.ts'
import { SkerryError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import { type Duration, seconds } from '../../../../platform/time/index.ts'
import { type HeaderLists, SERVICE_ERROR_HEADER } from '../../../../schemas/index.ts'
import { errorAnswer, ServiceError } from '../service-error.ts'
import { endToEnd, isHeader, pairsOf } from '../services/end-to-end.ts'
import type { Callable, Callables } from './callables.ts'
import { type Caller, type CallerAccess, callerOf, forbidden, refusalOf } from './caller.ts'
import { type CloudCalls, headerIn } from './cloud-calls.ts'
import { memberText } from './json-member.ts'

export interface LocalCallsPorts {
  readonly calls: CloudCalls
  readonly callables: Callables
  readonly access: CallerAccess
  readonly origins: readonly string[]
  readonly maxConcurrent: number
  readonly log: Logger
}

/** As much as KubeEdge's ServiceBus reads. */
const MOST_BODY_BYTES = 5_000_000
const WAIT = 60
const LONGEST_WAIT = 600
const CHANGES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])
const LIST = '/v1/rules'
/** Of the caller and this machine; the target in the cloud has no business with them. */
const NOT_PASSED = [
  ...['host', 'authorization', 'cookie', 'origin', 'referer', 'content-length', 'expect', 'prefer', 'forwarded', 'via'],
  ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', SERVICE_ERROR_HEADER],
]

/** `POST /v1/rules/<namespace>/<rule>` with any body, `GET /v1/rules`, and on every other path what KubeEdge's ServiceBus takes. */
export class LocalCalls {
  readonly #ports: LocalCallsPorts
  #underWay = 0

  constructor(ports: LocalCallsPorts) {
    this.#ports = ports
  }

  async answer(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    try {
      await this.#serve(request, response, signal)
    } catch (error) {
      if (response.headersSent || response.destroyed) return void response.destroy()
      const { status, headers, body } = errorAnswer(told(error))
      if (status >= 500 && !(error instanceof SkerryError))
        this.#ports.log.error('A call of the cloud failed inside', { error })
      const login = status === 401 ? { 'www-authenticate': 'Basic realm="skerry", charset="UTF-8"' } : {}
      const rest = {
        ...(request.complete ? {} : { connection: 'close' }),
        ...(status === 503 ? { 'retry-after': '1' } : {}),
      }
      response.writeHead(status, { ...headers, ...login, ...rest })
      response.end(body)
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { method = '', url = '' } = request
    const path = url.split('?', 1)[0] ?? ''
    const caller = await callerOf(request, this.#ports)
    if (path === LIST && (method === 'GET' || method === 'HEAD')) return this.#list(caller, response)
    if (!CHANGES.has(method)) throw notAllowed(method)
    if (this.#underWay >= this.#ports.maxConcurrent) {
      const fields = { most: this.#ports.maxConcurrent }
      throw new ServiceError(503, 'Too many calls of the cloud are under way', { code: 'HUB_CALLS_BUSY', fields })
    }
    this.#underWay++
    try {
      const rule = /^\/v1\/rules\/([^/]+)\/([^/]+)$/.exec(path)
      if (rule) await this.#callRule(`${rule[1]}/${rule[2]}`, caller, { request, response, signal })
      else if (path.startsWith('/v1/')) throw unknownRule(path)
      else await this.#callUrl(caller, { request, response, signal })
    } finally {
      this.#underWay--
    }
  }

  #list(caller: Caller, response: ServerResponse): void {
    const rules = this.#ports.callables.list().filter(({ rule }) => refusalOf(caller, rule) === undefined)
    const items = rules.map(({ rule = '', targetUrl: targetURL }) => {
      const [namespace = '', name = ''] = rule.split('/')
      return rule === '' ? { targetURL } : { namespace, name, targetURL }
    })
    sendJson(response, 200, { items })
  }

  /** Any bytes, with the method and the headers of the caller. */
  async #callRule(name: string, caller: Caller, { request, response, signal }: Exchange): Promise<void> {
    const refusal = refusalOf(caller, name)
    if (refusal !== undefined) throw forbidden(caller, name, refusal)
    const found = this.#ports.callables.byRule(name)
    if (!found) throw unknownRule(name)
    const body = await readBody(request, MOST_BODY_BYTES, signal)
    const headers = listsOf(endToEnd(request.rawHeaders, NOT_PASSED))
    const call = { ...namedBy(found), method: request.method ?? 'POST', headers, body }
    const { isStored, within } = preferenceOf(request)
    if (isStored) {
      const id = await this.#ports.calls.store(call)
      return sendJson(response, 202, { id, message: 'stored: the cloud gets it when it can' }, APPLIED)
    }
    const answer = await this.#ports.calls.ask(call, within, signal)
    if (answer.status < 200)
      throw new ServiceError(502, 'The cloud answered with what is none', { code: 'HUB_CLOUD_ANSWER_MALFORMED' })
    const bytes = Buffer.from(answer.body, 'base64')
    response.writeHead(answer.status, [
      ...rawOf(answer.headers),
      ...(hasBody(answer.status) ? ['content-length', String(bytes.length)] : []),
    ])
    response.end(hasBody(answer.status) ? bytes : undefined)
  }

  /** KubeEdge's form: `{method, targetURL, payload}`, answered with status 200 and `{code, msg, body}`. */
  async #callUrl(caller: Caller, { request, response, signal }: Exchange): Promise<void> {
    const reply = (code: number, msg: string, body = '') => sendJson(response, 200, { code, msg, body })
    const text = (await readBody(request, MOST_BODY_BYTES, signal)).toString('utf8')
    const posted = parsePosted(text)
    if (!posted) return reply(400, 'invalid params: the body is no JSON object {"method","targetURL","payload"}')
    const found = this.#ports.callables.list().filter(({ targetUrl }) => targetUrl === posted.targetURL)
    const [first] = found
    if (!first)
      return reply(
        400,
        `url ${posted.targetURL.slice(0, 500)} is not allowed and please make a rule for this url in the cloud`,
      )
    const mine = found.find(({ rule }) => refusalOf(caller, rule) === undefined)
    if (!mine) throw forbidden(caller, first.rule, refusalOf(caller, first.rule) ?? '')
    const headers = { 'content-type': ['application/json'] }
    const call = { ...namedBy(mine), method: posted.method, headers, body: Buffer.from(posted.payload) }
    const { isStored, within } = preferenceOf(request)
    try {
      if (isStored) return reply(202, 'stored: the cloud gets it when it can', await this.#ports.calls.store(call))
      const answer = await this.#ports.calls.ask(call, within, signal)
      const body = Buffer.from(answer.body, 'base64').toString('utf8')
      const code = headerIn(answer.headers, SERVICE_ERROR_HEADER)
      if (code !== undefined) return reply(answer.status, `the cloud has not called the target: ${code}`, body)
      const isGood = answer.status >= 200 && answer.status < 300
      reply(
        isGood ? 200 : answer.status,
        isGood ? 'receive response from cloud successfully' : 'the target did not accept it',
        body,
      )
    } catch (error) {
      if (!(error instanceof SkerryError)) throw error
      reply(error instanceof ServiceError ? error.status : 500, `${error.code}: ${error.message}`)
    }
  }
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly signal: AbortSignal
}

const APPLIED = { 'preference-applied': 'respond-async' }

function namedBy({ rule = '', uid, targetUrl }: Callable) {
  return { rule, ...(uid === undefined ? {} : { uid }), targetUrl }
}

/** RFC 7240: `Prefer: respond-async` has it stored, `wait=SECONDS` says how long the caller waits. */
function preferenceOf(request: IncomingMessage): { readonly isStored: boolean; readonly within: Duration } {
  const prefer = request.headers['prefer']
  const wishes = (Array.isArray(prefer) ? prefer.join(',') : (prefer ?? ''))
    .split(',')
    .map((each) => each.trim().toLowerCase())
  const wait = wishes.map((each) => /^wait *= *"?(\d{1,6})"?$/.exec(each)?.[1]).find((each) => each !== undefined)
  const most = Math.min(LONGEST_WAIT, Math.max(1, Number(wait ?? WAIT)))
  return { isStored: wishes.includes('respond-async'), within: seconds(most) }
}

function parsePosted(text: string) {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null || !('targetURL' in parsed)) return undefined
  const { targetURL } = parsed
  const method = 'method' in parsed ? parsed.method : 'POST'
  if (typeof targetURL !== 'string' || typeof method !== 'string') return undefined
  const upper = method === '' ? 'POST' : method.toUpperCase()
  if (!/^[A-Z]{3,10}$/.test(upper)) return undefined
  return { method: upper, targetURL, payload: memberText(text, 'payload') ?? '' }
}

function listsOf(headers: readonly string[]): HeaderLists {
  const lists = new Map<string, string[]>()
  for (const [name, value] of pairsOf(headers)) {
    const key = name.toLowerCase()
    // What a browser adds.
    if (key.startsWith('sec-')) continue
    lists.set(key, [...(lists.get(key) ?? []), value])
  }
  return Object.fromEntries(lists)
}

/** What no header may be was not said by the target. */
function rawOf(headers: HeaderLists): readonly string[] {
  const raw = Object.entries(headers).flatMap(([name, values]) =>
    values.flatMap((value) => (isHeader(name, value) ? [name, value] : [])),
  )
  return endToEnd(raw, ['content-length'])
}

function hasBody(status: number): boolean {
  return status !== 204 && status !== 304
}

function sendJson(
  response: ServerResponse,
  status: number,
  value: object,
  more: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`)
  const headers = { 'content-type': 'application/json', 'content-length': body.length, 'cache-control': 'no-store' }
  response.writeHead(status, { ...headers, ...more })
  response.end(body)
}

/** Bodies are read for others too, whose errors know no status. */
function told(error: unknown): unknown {
  if (!(error instanceof SkerryError) || error.code !== 'PLATFORM_BODY_TOO_LARGE') return error
  return new ServiceError(413, 'The body is too large', { code: error.code, fields: error.fields, cause: error })
}

function notAllowed(method: string): ServiceError {
  return new ServiceError(
    405,
    'The cloud is called with POST, PUT, PATCH or DELETE; GET /v1/rules lists what may be called',
    {
      code: 'HUB_CALL_METHOD_REFUSED',
      fields: { method: method.slice(0, 20) },
    },
  )
}

function unknownRule(rule: string): ServiceError {
  return new ServiceError(404, 'No rule of this node with a servicebus source has this name', {
    code: 'HUB_CALL_RULE_UNKNOWN',
    fields: { rule: rule.slice(0, 200) },
  })
}
