import { type IncomingMessage, type OutgoingHttpHeaders, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { RefusedError } from '../../../platform/lifecycle/index.ts'
import { KUBERNETES_VERSION } from '../../../schemas/index.ts'
import type { HttpGet } from '../pod/schema/actions.ts'
import type { Container } from '../pod/schema/container.ts'
import { hostAndPort, hostOf, portOf } from './address.ts'
import { failureText } from './failure-text.ts'

export interface HttpTarget {
  readonly container: Pick<Container, 'name' | 'ports'>
  readonly podIp: string
  /** Who asks, as servers see it in `User-Agent`. */
  readonly as: 'kube-probe' | 'kube-lifecycle'
}

/** Its head has come. Whoever has it reads the body or closes it; a connection serves one question. */
export interface HttpAnswer {
  readonly status: number
  /** The beginning of the body, at most 10 KiB, and then the end of the connection. */
  text(): Promise<string>
  close(): void
}

/** Where a question goes; `path` with its query, as it is sent. */
interface Place {
  readonly scheme: 'http' | 'https'
  readonly host: string
  readonly port: number
  readonly path: string
}

const MOST_QUESTIONS = 10
const LONGEST_BODY = 10 * 1024
const LARGEST_HEAD = 256 * 1024
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
/** Of the exchange itself, not of who asks. */
const NOT_FORWARDED: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'trailer', 'connection'])

/**
 * Asks a container by HTTP as a kubelet does: no certificate is verified, no proxy is used, redirects are followed as long as they
 * stay on the host. Rejects with a RefusedError whose message has Kubernetes' words, or with the reason of the signal.
 */
export async function httpGet(action: HttpGet, target: HttpTarget, signal: AbortSignal): Promise<HttpAnswer> {
  const first = firstPlace(action, target)
  let headers = headersOf(action, target.as)
  let place = first
  for (let questions = 1; ; questions++) {
    const answer = await ask(place, headers, signal)
    const next = nextPlace(answer, place)
    if (!next || next.place.host !== first.host) return answer
    answer.close()
    if (questions >= MOST_QUESTIONS) throw failed(next.place, `stopped after ${MOST_QUESTIONS} redirects`)
    // The name of a virtual host goes on to its own paths only.
    if (next.isAbsolute) headers = without(headers, 'host')
    place = next.place
  }
}

/** How people see it: `http://10.1.2.3:80/healthz`. */
export function httpUrl(action: HttpGet, target: Omit<HttpTarget, 'as'>): string {
  return textOf(firstPlace(action, target))
}

function firstPlace({ scheme, host, port, path }: HttpGet, { container, podIp }: Omit<HttpTarget, 'as'>): Place {
  return {
    scheme: scheme === 'HTTPS' ? 'https' : 'http',
    host: hostOf(host, podIp).toLowerCase(),
    port: portOf(port, container),
    path: sendable(path),
  }
}

/** With what a request line may not have in its percent form. */
function sendable(path: string): string {
  const [beforeFragment = ''] = path.split('#')
  const escaped = beforeFragment.replace(/[^\x21-\x7e]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
  return escaped.startsWith('/') ? escaped : `/${escaped}`
}

function headersOf({ httpHeaders }: HttpGet, as: HttpTarget['as']): OutgoingHttpHeaders {
  const { major, minor } = KUBERNETES_VERSION
  const given = new Map<string, string[]>()
  for (const { name, value } of httpHeaders) {
    const key = name.toLowerCase()
    if (!NOT_FORWARDED.has(key)) given.set(key, [...(given.get(key) ?? []), value])
  }
  if (!given.has('user-agent')) given.set('user-agent', [`${as}/${major}.${minor}`])
  if (!given.has('accept')) given.set('accept', ['*/*'])
  // These two are sent unless somebody wants them empty; there is one host.
  for (const key of ['user-agent', 'accept', 'host']) if (given.get(key)?.[0] === '') given.delete(key)
  const entries = [...given].map(([key, values]) => [key, key === 'host' || values.length === 1 ? values[0] : values])
  return Object.fromEntries(entries)
}

function without(headers: OutgoingHttpHeaders, name: string): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name))
}

interface RawAnswer extends HttpAnswer {
  readonly location: string | undefined
}

async function ask(place: Place, headers: OutgoingHttpHeaders, signal: AbortSignal): Promise<RawAnswer> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const { host, port, path } = place
  // An agent of its own: its connection is closed after the answer.
  const options: RequestOptions = { host, port, path, headers, agent: false, maxHeaderSize: LARGEST_HEAD }
  const tls = { rejectUnauthorized: false, servername: isIP(host) === 0 ? host : '' }
  const request = place.scheme === 'https' ? requestHttps({ ...options, ...tls }) : requestHttp(options)
  const onAbort = () => {
    request.destroy()
    reject(signal.reason)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  request.once('close', () => signal.removeEventListener('abort', onAbort))
  request.on('error', (error) => reject(failed(place, failureText(error, hostAndPort(host, port)), error)))
  request.once('response', resolve)
  request.end()
  const response = await promise
  // A connection that breaks off later is told by who reads.
  response.on('error', () => undefined)
  const { statusCode: status = 0 } = response
  return {
    status,
    location: response.headers.location,
    close: () => void request.destroy(),
    async text() {
      try {
        return await beginningOf(response)
      } catch (error) {
        signal.throwIfAborted()
        throw failed(place, failureText(error, hostAndPort(host, port)), error)
      } finally {
        request.destroy()
      }
    },
  }
}

async function beginningOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response) {
    const bytes: Buffer = chunk
    chunks.push(bytes)
    length += bytes.length
    if (length >= LONGEST_BODY) break
  }
  return Buffer.concat(chunks).subarray(0, LONGEST_BODY).toString('utf8')
}

function nextPlace({ status, location }: RawAnswer, from: Place) {
  if (!REDIRECTS.has(status) || location === undefined || location === '') return undefined
  const url = URL.parse(location, textOf(from))
  if (!url) throw failed(from, `failed to parse Location header ${JSON.stringify(location)}`)
  const { protocol, hostname, port, pathname, search } = url
  const scheme = protocol === 'https:' ? 'https' : 'http'
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const usual = scheme === 'https' ? 443 : 80
  const place: Place = { scheme, host, port: port === '' ? usual : Number(port), path: `${pathname}${search}` }
  if (protocol !== `${scheme}:`) throw failed(from, `unsupported protocol scheme "${protocol.replace(/:$/, '')}"`)
  return { place, isAbsolute: URL.canParse(location) || location.startsWith('//') }
}

function textOf({ scheme, host, port, path }: Place): string {
  return `${scheme}://${hostAndPort(host, port)}${path}`
}

function failed(place: Place, text: string, cause?: unknown): RefusedError {
  return new RefusedError(`Get "${textOf(place)}": ${text}`, { code: 'EDGED_HTTP_FAILED', cause })
}
