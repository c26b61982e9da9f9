import { createHash } from 'node:crypto'
import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { answerTo, readAnswer } from '../../../../platform/http/index.ts'
import { RefusedError, SkerryError, UnavailableError } from '../../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, seconds, withDeadline } from '../../../../platform/time/index.ts'
import { allowsLinkLocal } from '../rules/check-rule.ts'
import type { LiveRule } from '../rules/live-rule.ts'
import { isLinkLocal } from '../rules/rest-address.ts'
import { answeredHeaders, type HeaderMap } from '../serving/headers.ts'
import type { WholeAnswer } from './service-frame.ts'

export interface RestRequest {
  readonly method: string
  readonly headers: HeaderMap
  readonly body: Uint8Array
}

export interface RestOptions {
  readonly deadline: Duration
  readonly signal: AbortSignal
  /** Of the answer; a longer one rejects. 0: its status is all that is wanted. */
  readonly mostBytes: number
  /** A connection of its own: one that waited may be closed by the other side just now, and this call is made once. */
  readonly isFresh?: boolean
}

interface Agents {
  readonly plain: Agent
  readonly tls: HttpsAgent
}

const MOST_AGENTS = 100
/** For the body of an answer of which the status was all. */
const LET_GO_WITHIN = seconds(10)
const SOCKETS = { keepAlive: true, maxSockets: 64, maxFreeSockets: 8, timeout: 60_000 } as const

/** Web services that rules name. Their certificates are verified, and where they point to is not followed. */
export class RestTargets implements Disposable {
  readonly #clock: Clock
  readonly #agents = new Map<string, Agents>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Settles with any whole answer; rejects where there is none in time. */
  call({ rule, target }: LiveRule, request: RestRequest, options: RestOptions): Promise<WholeAnswer> {
    const url = new URL(rule.spec.targetResource['resource'] ?? '')
    const ca = target.spec.properties?.['ca']
    const isGuarded = !allowsLinkLocal(target)
    const agents = options.isFresh ? undefined : this.#agentsFor(ca, isGuarded)
    const lookup = isGuarded ? guardedLookup : undefined
    const { deadline, signal, mostBytes } = options
    return withDeadline(this.#clock, deadline, signal, (limited) =>
      exchange(url, request, { clock: this.#clock, agents, ca, lookup, mostBytes, signal: limited }),
    )
  }

  [Symbol.dispose](): void {
    for (const agents of this.#agents.values()) destroy(agents)
    this.#agents.clear()
  }

  /** A connection that was looked up without guard is none for those that have it. */
  #agentsFor(ca: string | undefined, isGuarded: boolean): Agents {
    const key = `${isGuarded} ${ca === undefined ? '' : createHash('sha256').update(ca).digest('hex')}`
    const present = this.#agents.get(key)
    if (present) return present
    const [oldest] = this.#agents
    if (this.#agents.size >= MOST_AGENTS && oldest) {
      destroy(oldest[1])
      this.#agents.delete(oldest[0])
    }
    const agents = {
      plain: new Agent(SOCKETS),
      tls: new HttpsAgent({ ...SOCKETS, ...(ca === undefined ? {} : { ca }) }),
    }
    this.#agents.set(key, agents)
    return agents
  }
}

interface Exchange {
  readonly clock: Clock
  readonly agents: Agents | undefined
  readonly ca: string | undefined
  readonly lookup: LookupFunction | undefined
  readonly mostBytes: number
  readonly signal: AbortSignal
}

async function exchange(
  url: URL,
  { method, headers, body }: RestRequest,
  { clock, agents, ca, lookup, mostBytes, signal }: Exchange,
): Promise<WholeAnswer> {
  const isTls = url.protocol === 'https:'
  const options: RequestOptions & { readonly ca?: string } = {
    method,
    headers: {
      ...Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, [...values]])),
      ...(body.length > 0 || !BODILESS.has(method) ? { 'content-length': body.length } : {}),
    },
    agent: agents ? (isTls ? agents.tls : agents.plain) : false,
    signal,
    ...(lookup ? { lookup } : {}),
    ...(isTls && ca !== undefined ? { ca } : {}),
  }
  const call = isTls ? httpsRequest(url, options) : httpRequest(url, options)
  call.end(body)
  const answer = await answerTo(call).catch((cause: unknown) => {
    throw cause instanceof SkerryError ? cause : unreachable(url, cause)
  })
  const status = answer.statusCode ?? 502
  const kept = answeredHeaders(Object.entries(answer.headersDistinct))
  if (mostBytes === 0) {
    letGo(answer, clock)
    return { status, headers: kept, body: Buffer.alloc(0) }
  }
  return { status, headers: kept, body: await readAnswer(answer, mostBytes, signal) }
}

/** Its connection can be used again where little comes, and soon. */
function letGo(answer: IncomingMessage, clock: Clock): void {
  let bytes = 0
  const timer = clock.after(LET_GO_WITHIN, () => answer.destroy())
  answer.once('close', () => timer[Symbol.dispose]())
  answer.on('error', () => undefined)
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > 64 * 1024) answer.destroy()
  })
}

const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS'])

/** Names that lead to addresses of machine metadata are refused where they are looked up, too. */
const guardedLookup: LookupFunction = (name, options, callback) => {
  systemLookup(name, options, (error, address: string | LookupAddress[], family?: number) => {
    if (error) return callback(error, address, family)
    const all = typeof address === 'string' ? [address] : address.map((each) => each.address)
    if (!all.some(isLinkLocal)) return callback(null, address, family)
    const fields = { name }
    callback(
      new RefusedError('The target has a link-local or metadata address', { code: 'HUB_TARGET_REFUSED', fields }),
      address,
      family,
    )
  })
}

function unreachable(url: URL, cause: unknown): UnavailableError {
  return new UnavailableError('The target cannot be reached', {
    code: 'HUB_TARGET_UNREACHABLE',
    fields: { host: url.host },
    cause,
  })
}

function destroy({ plain, tls }: Agents): void {
  plain.destroy()
  tls.destroy()
}
