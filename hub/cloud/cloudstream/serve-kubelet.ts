import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { TLSSocket } from 'node:tls'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { sendText, whileKnown } from '../../../platform/http/index.ts'
import { describeError } from '../../../platform/lifecycle/index.ts'
import { boundedLogger, type Logger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, minutes } from '../../../platform/time/index.ts'
import { IDLE_WITHIN } from '../../streaming/index.ts'
import type { Tunnels } from '../../tunnel/index.ts'
import type { Access } from '../access/access.ts'
import { credentialsOf } from '../access/shown.ts'
import { askNode, type NodeAnswer } from './ask-node.ts'
import { type FindNodePorts, findNode } from './find-node.ts'
import { type Flow, joinStreams, watchFlow } from './flow.ts'
import { headersForClient } from './forwarded-headers.ts'
import { authorize, identify } from './gate.ts'
import { type KubeletRequest, readKubeletPath } from './kubelet-path.ts'
import { type Refusal, refusalOf, shownByKubectl } from './refusal.ts'
import type { StreamBounds } from './stream-bounds.ts'

export interface ServeKubeletPorts extends FindNodePorts {
  readonly tunnels: Tunnels
  readonly access: Access
  readonly bounds: StreamBounds
  /** Whose port a connection came to; nothing for the common one. */
  readonly nodeOfPort: (port: number | undefined) => string | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
}

/** What a caller may go on with. */
interface Admitted {
  readonly ok: true
  readonly node: string
  readonly user: string
  readonly request: KubeletRequest
  readonly held: Disposable
}

/** Streams may be still for as long as a kubelet lets them; what is none has something to say all the time. */
const STILL_ANSWER = minutes(2)

/** Answers as the kubelets of all nodes, from where they are. */
export class KubeletFront {
  readonly #ports: ServeKubeletPorts
  readonly #log: Logger
  readonly #count: (what: string, status: number) => void
  readonly #bytes: (direction: 'up' | 'down', count: number) => void

  constructor(ports: ServeKubeletPorts) {
    this.#ports = ports
    // Whoever reaches the port can cause lines.
    this.#log = boundedLogger(ports.log, ports)
    const { metrics = silentMetrics } = ports
    const requests = metrics.counter({
      name: 'skerry_stream_requests_total',
      help: 'Requests to kubelets of gateways at the stream endpoint, by what they ask for and the status of their answer.',
      labels: ['what', 'status'],
    })
    const bytes = metrics.counter({
      name: 'skerry_stream_bytes_total',
      help: 'Bytes between callers and kubelets of gateways: up to the gateway, down from it.',
      labels: ['direction'],
    })
    this.#count = (what, status) => requests.add(1, { what, status: String(status) })
    this.#bytes = (direction, count) => bytes.add(count, { direction })
  }

  /** A request that stays one. */
  async answer(incoming: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const admitted = await this.#admit(incoming, signal)
    if (!admitted.ok) return this.#refuse(response, admitted)
    using _held = admitted.held
    using _known = this.#whileKnown(incoming)
    if (admitted.request.isUpgrade) {
      return this.#refuse(response, { status: 400, text: 'Upgrade request required', what: admitted.request.what })
    }
    await this.#forward(incoming, response, admitted, signal)
  }

  /** A request that wants to become a stream. */
  async upgrade(incoming: IncomingMessage, socket: Duplex, first: Buffer): Promise<void> {
    const leaving = new AbortController()
    const onClose = () => leaving.abort(new Error('the caller left'))
    socket.on('error', () => socket.destroy()).once('close', onClose)
    const response = responseOn(incoming)
    if (first.length > 0) socket.unshift(first)
    try {
      const admitted = await this.#admit(incoming, leaving.signal)
      if (!admitted.ok) return this.#refuse(response, admitted)
      using _held = admitted.held
      using _known = this.#whileKnown(incoming)
      if (admitted.request.isUpgrade) await this.#stream(incoming, socket, response, admitted, leaving.signal)
      // The upgrade is an offer, which one may leave alone (RFC 9110 §7.8).
      else await this.#forward(incoming, response, admitted, leaving.signal)
    } catch (error) {
      if (!leaving.signal.aborted) this.#log.warn('A stream to a gateway failed', { error })
      socket.destroy()
    } finally {
      socket.off('close', onClose)
    }
  }

  /** What lasts ends with the credentials of its caller. */
  #whileKnown(incoming: IncomingMessage): Disposable {
    const { access, clock } = this.#ports
    const shown = credentialsOf(incoming)
    const known = whileKnown(clock, async (signal) => (await access.authenticate(shown, signal)) !== undefined)
    known.signal.addEventListener('abort', () => incoming.socket.destroy(known.signal.reason), { once: true })
    return known
  }

  async #admit(
    incoming: IncomingMessage,
    signal: AbortSignal,
  ): Promise<Admitted | (Refusal & { ok: false; what: string })> {
    const { access, bounds, nodeOfPort } = this.#ports
    const read = readKubeletPath(incoming.method ?? '', (incoming.url ?? '').split('?')[0] ?? '')
    const refused = (status: number, text: string, what: string) => ({ ok: false, status, text, what }) as const
    const identified = await identify(access, credentialsOf(incoming), signal)
    if (!identified.ok) return this.#told(identified, refused(identified.status, identified.text, 'unknown'))
    if (!read.ok) return refused(read.status, read.text, 'unknown')
    const { request } = read
    const { what } = request
    const hints = hintsOf(incoming, nodeOfPort(incoming.socket.localPort))
    const found = await findNode(hints, request, this.#ports, signal)
    const { user } = identified
    // Where there is no node, who may ask none is not told what there is and what not.
    const node = found.ok ? found.node : ''
    const decided = await authorize(access, { user, node, request }, signal)
    if (!decided.ok) return this.#told(decided, refused(decided.status, decided.text, what))
    if (!found.ok) return this.#told(found, refused(found.status, found.text, what))
    const held = bounds.tryHold(user.name)
    if (!held)
      return refused(429, `${user.name} has the most streams that are allowed, or all callers together have`, what)
    return { ok: true, node, user: user.name, request, held }
  }

  #told<T>({ error }: { readonly error?: unknown }, refusal: T): T {
    if (error !== undefined) this.#log.warn('The Kubernetes API did not answer a question about a caller', { error })
    return refusal
  }

  async #forward(incoming: IncomingMessage, response: ServerResponse, admitted: Admitted, signal: AbortSignal) {
    const asked = await this.#ask(incoming, admitted, signal)
    if (!('kind' in asked)) return this.#refuse(response, asked)
    const { what } = admitted.request
    if (asked.kind === 'upgrade') {
      asked.stream.destroy()
      return this.#refuse(response, { status: 502, text: 'the node changed to a stream that nobody asked for', what })
    }
    using flow = this.#flow(what === 'logs' ? IDLE_WITHIN : STILL_ANSWER, () => asked.answer.destroy())
    await this.#pass(asked.answer, response, what, flow)
  }

  async #stream(
    incoming: IncomingMessage,
    socket: Duplex,
    response: ServerResponse,
    admitted: Admitted,
    signal: AbortSignal,
  ): Promise<void> {
    const { user, node, request } = admitted
    const asked = await this.#ask(incoming, admitted, signal)
    if (!('kind' in asked)) return this.#refuse(response, asked)
    const { clock } = this.#ports
    using flow = this.#flow(IDLE_WITHIN, (error) => socket.destroy(error))
    if (asked.kind === 'answer') return await this.#pass(asked.answer, response, request.what, flow)
    const path = incoming.url?.split('?')[0]
    this.#ports.log.info('A stream to a gateway begins', { user, node, path })
    const begun = clock.monotonic()
    this.#count(request.what, 101)
    response.detachSocket(incoming.socket)
    socket.write(switchingHead(asked.answer))
    try {
      await joinStreams(socket, asked.stream, flow, clock)
    } catch (error) {
      this.#log.debug('A stream to a gateway broke', { user, node, path, error: describeError(error) })
    }
    const afterSeconds = Math.round((clock.monotonic() - begun) / 1000)
    this.#ports.log.info('A stream to a gateway has ended', { user, node, path, afterSeconds })
  }

  async #ask(
    incoming: IncomingMessage,
    { node, request: { what } }: Admitted,
    signal: AbortSignal,
  ): Promise<NodeAnswer | (Refusal & { what: string })> {
    try {
      return await askNode({ node, incoming }, this.#ports, signal)
    } catch (error) {
      signal.throwIfAborted()
      return { ...refusalOf(error, node), what }
    }
  }

  async #pass(answer: IncomingMessage, response: ServerResponse, what: string, flow: Flow): Promise<void> {
    const { statusCode = 502 } = answer
    if (statusCode < 200) {
      answer.destroy()
      return this.#refuse(response, { status: 502, text: `the node answered with status ${statusCode}`, what })
    }
    this.#count(what, statusCode)
    try {
      response.writeHead(statusCode, headersForClient(answer))
      // Of logs that are followed, the first line may be far.
      response.flushHeaders()
      await pipeline(answer, flow.meter('down'), response)
    } catch (error) {
      this.#log.debug('An answer of a gateway was cut off', { what, error: describeError(error) })
      answer.destroy()
      response.destroy()
    }
  }

  #refuse(response: ServerResponse, refusal: Refusal & { readonly what: string }): void {
    const { what } = refusal
    const { status, text } = shownByKubectl(refusal, what)
    this.#count(what, status)
    // Whoever is nobody may be somebody on a new connection, once his authority is known.
    if (status === 401) response.setHeader('connection', 'close')
    sendText(response, status, 'text/plain; charset=utf-8', text)
  }

  #flow(idle: Duration, onIdle: (error: Error) => void): Flow {
    return watchFlow({ clock: this.#ports.clock, idle, onBytes: this.#bytes, onIdle })
  }
}

function hintsOf({ socket, headers }: IncomingMessage, ofPort: string | undefined) {
  const { servername: serverName } = socket instanceof TLSSocket ? socket : {}
  return {
    ...(ofPort === undefined ? {} : { ofPort }),
    ...(typeof serverName === 'string' ? { serverName } : {}),
    ...(headers.host === undefined ? {} : { host: headers.host }),
  }
}

/** An answer in place of an upgrade, after which the connection ends. */
function responseOn(incoming: IncomingMessage): ServerResponse {
  const response = new ServerResponse(incoming)
  response.shouldKeepAlive = false
  response.assignSocket(incoming.socket)
  response.once('finish', () => {
    response.detachSocket(incoming.socket)
    incoming.socket.end(() => incoming.socket.destroy())
  })
  return response
}

function switchingHead(answer: IncomingMessage): string {
  const headers = headersForClient(answer, ['connection', 'upgrade'])
  const lines = Array.from({ length: headers.length / 2 }, (_, at) => `${headers[2 * at]}: ${headers[2 * at + 1]}\r\n`)
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`
}
