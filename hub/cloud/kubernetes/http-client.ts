import type { IncomingMessage } from 'node:http'
import { request as httpRequest } from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import { urlToHttpOptions } from 'node:url'
import { readBody } from '../../../platform/http/index.ts'
import { ConfigError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, minutes, seconds, withDeadline } from '../../../platform/time/index.ts'
import { errorOfStatus, strangeAnswer } from './errors.ts'
import { parseJson } from './guards.ts'

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With its query. */
  readonly path: string
  readonly body?: object
  readonly contentType?: string
}

/** HTTP to one Kubernetes API, with the credentials of a kubeconfig. */
export interface ApiClient {
  call(request: ApiRequest, signal?: AbortSignal): Promise<unknown>
  /**
   * The events of a watch as they come, after undefined as soon as it begins; null for what is no JSON. The stream is destroyed
   * when the consumer leaves.
   */
  events(path: string, signal: AbortSignal): AsyncIterable<unknown>
}

/** Either the text of a kubeconfig, or the file that holds it, or the service account of the pod this runs in. */
export type KubeconfigSource = { readonly text: string } | { readonly file: string } | { readonly inCluster: true }

export const CALL_DEADLINE = seconds(30)
/** API servers send a bookmark about once a minute; two missed ones mean that nobody is there. */
const SILENCE: Duration = seconds(100)
/** Tokens and certificates of a kubeconfig rotate: read them again this often. */
const CREDENTIALS_FRESH = minutes(1)
const LONGEST_LINE = 64 * 1024 * 1024
/** A page of 500 objects is far smaller; more is no answer of an API server. */
const LARGEST_ANSWER = 256 * 1024 * 1024
const LARGEST_REFUSAL = 1024 * 1024

/** Throws ConfigError when the kubeconfig cannot be used. The vendor library is loaded here and not before. */
export async function openApiClient(source: KubeconfigSource, clock: Clock): Promise<ApiClient & Disposable> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  const server = loadServer(source, config)
  const { protocol, hostname, port } = urlToHttpOptions(server)
  const prefix = server.pathname.replace(/\/$/, '')
  const agents = new Map<string, Agents>()
  let fresh: { readonly calls: RequestOptions; readonly watches: RequestOptions; readonly until: number } | undefined

  const credentials = async (isWatch: boolean): Promise<RequestOptions> => {
    if (!fresh || clock.monotonic() >= fresh.until) {
      const options: RequestOptions = {}
      await config.applyToHTTPSOptions(options)
      const isOwn = !config.getCurrentCluster()?.proxyUrl && server.protocol === 'https:'
      const own = isOwn ? keepAlive(agents, options) : undefined
      const until = clock.monotonic() + CREDENTIALS_FRESH.milliseconds
      const plain = own ? withoutTls(options) : options
      fresh = {
        calls: own ? { ...plain, agent: own.calls } : plain,
        watches: own ? { ...plain, agent: own.watches } : plain,
        until,
      }
    }
    return isWatch ? fresh.watches : fresh.calls
  }

  const open = async (request: ApiRequest, signal: AbortSignal, isWatch = false): Promise<IncomingMessage> => {
    const given = await credentials(isWatch)
    const body = request.body === undefined ? undefined : JSON.stringify(request.body)
    const headers = {
      ...given.headers,
      accept: 'application/json',
      ...(body === undefined
        ? {}
        : { 'content-type': request.contentType ?? 'application/json', 'content-length': Buffer.byteLength(body) }),
    }
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const send = server.protocol === 'http:' ? httpRequest : httpsRequest
    const { method, path } = request
    const outgoing = send({ ...given, protocol, hostname, port, method, path: `${prefix}${path}`, headers }, resolve)
    outgoing.on('error', reject)
    // Given to Node.js, a signal costs a good part of what a small request does.
    const onAbort = () => outgoing.destroy(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    outgoing.on('close', () => signal.removeEventListener('abort', onAbort))
    outgoing.end(body)
    return promise
  }

  return {
    async call(request, signal) {
      const fields = { method: request.method, path: request.path }
      try {
        return await withDeadline(clock, CALL_DEADLINE, signal, async (limited) => {
          const answer = await open(request, limited)
          const text = (await readBody(answer, LARGEST_ANSWER, limited)).toString('utf8')
          const body = parseJson(text)
          const status = answer.statusCode ?? 0
          if (status >= 300 || status < 200) throw errorOfStatus(status, body, { ...fields, ...retryAfter(answer) })
          if (body === undefined && text !== '') throw strangeAnswer({ ...fields, status })
          return body ?? {}
        })
      } catch (error) {
        throw unreachable(error, signal, fields)
      }
    },
    events: (path, signal) => readEvents(clock, path, signal, open),
    [Symbol.dispose]() {
      for (const own of agents.values()) destroy(own)
    },
  }
}

/** API servers that throttle say for how many seconds (RFC 9110 §10.2.3; its form with a date is of no use to machines). */
export function retryAfter({ headers }: { readonly headers: Readonly<Record<string, unknown>> }): {
  readonly retryAfterMs?: number
} {
  const text = String(headers['retry-after'] ?? '')
  return /^\d{1,6}$/.test(text) ? { retryAfterMs: Number(text) * 1000 } : {}
}

async function* readEvents(
  clock: Clock,
  path: string,
  signal: AbortSignal,
  open: (request: ApiRequest, signal: AbortSignal, isWatch: boolean) => Promise<IncomingMessage>,
): AsyncGenerator<unknown> {
  const fields = { method: 'GET', path }
  const silence = new AbortController()
  const combined = AbortSignal.any([signal, silence.signal])
  const arm = () => clock.after(SILENCE, () => silence.abort(new Error('the watch fell silent')))
  let timer = arm()
  try {
    const answer = await open({ method: 'GET', path }, combined, true)
    const status = answer.statusCode ?? 0
    if (status !== 200) {
      const body = await readBody(answer, LARGEST_REFUSAL, combined)
      throw errorOfStatus(status, parseJson(body.toString('utf8')), fields)
    }
    answer.setEncoding('utf8')
    yield undefined
    let rest = ''
    for await (const chunk of answer) {
      timer[Symbol.dispose]()
      timer = arm()
      const parts = `${rest}${chunk}`.split('\n')
      rest = parts.pop() ?? ''
      if (rest.length > LONGEST_LINE) throw new Error('a watch event is larger than 64 MiB')
      for (const line of parts) if (line !== '') yield parseJson(line) ?? null
    }
  } catch (error) {
    throw unreachable(error, signal, fields)
  } finally {
    timer[Symbol.dispose]()
    silence.abort(new Error('the watch ended'))
  }
}

/** Our own errors and the caller's abort pass; all else means that the API could not be reached. */
export function unreachable(error: unknown, signal: AbortSignal | undefined, fields: object): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof Error && 'retry' in error) return error
  return new UnavailableError('Kubernetes cannot be reached', {
    code: 'HUB_KUBERNETES_UNREACHABLE',
    fields: { ...fields },
    cause: error,
  })
}

function loadServer(
  source: KubeconfigSource,
  config: {
    loadFromString(text: string): void
    loadFromFile(file: string): void
    loadFromCluster(): void
    getCurrentCluster(): { readonly server: string } | null
  },
): URL {
  try {
    if ('text' in source) config.loadFromString(source.text)
    else if ('file' in source) config.loadFromFile(source.file)
    else config.loadFromCluster()
    const cluster = config.getCurrentCluster()
    if (!cluster) throw new Error('it has no current cluster')
    return new URL(cluster.server)
  } catch (error) {
    const fields = 'file' in source ? { file: source.file } : {}
    throw new ConfigError('the kubeconfig cannot be used', { code: 'HUB_KUBECONFIG_INVALID', fields, cause: error })
  }
}

const TLS_OPTIONS = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'rejectUnauthorized', 'servername'] as const

/** Watches hold their connection, and must not take those of calls; how many there are, their callers bound. */
interface Agents {
  readonly calls: Agent
  readonly watches: Agent
}

/** One pair of agents per set of credentials; the vendor's own opens a connection for each request. */
function keepAlive(agents: Map<string, Agents>, options: RequestOptions): Agents {
  const set = TLS_OPTIONS.map((option) => [option, options[option]] as const)
  const name = JSON.stringify(set.map(([, value]) => String(value)))
  const known = agents.get(name)
  if (known) return known
  for (const [old, own] of agents) {
    agents.delete(old)
    destroy(own)
  }
  const given = Object.fromEntries(set.filter(([, value]) => value !== undefined))
  const shared = { ...given, keepAlive: true, keepAliveMsecs: 15_000, minVersion: 'TLSv1.2' } as const
  const own = { calls: new Agent({ ...shared, maxSockets: 64 }), watches: new Agent(shared) }
  // All go to one server with one set of credentials. By default each request would look up a name with all of the PEM in it.
  for (const agent of [own.calls, own.watches]) agent.getName = () => 'api'
  agents.set(name, own)
  return own
}

/** They are the agent's. */
function withoutTls(options: RequestOptions): RequestOptions {
  const plain = { ...options }
  for (const option of TLS_OPTIONS) delete plain[option]
  return plain
}

function destroy({ calls, watches }: Agents): void {
  calls.destroy()
  watches.destroy()
}
