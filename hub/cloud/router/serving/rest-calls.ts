import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Counter, type Histogram, type Metrics, silentMetrics } from '../../../../platform/health/index.ts'
import { describeError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import type { Clock } from '../../../../platform/time/index.ts'
import type { Tunnels } from '../../../tunnel/index.ts'
import type { Access, Credentials, User } from '../../access/access.ts'
import type { CloudHub } from '../../cloudhub/delivery.ts'
import { HOP_HEADER } from '../replicas/hop.ts'
import { placeElsewhere, publishAnywhere } from '../replicas/publish-anywhere.ts'
import type { ReplicaRoad } from '../replicas/replica-road.ts'
import { answerOf, CallRefusal } from '../router-error.ts'
import type { PathFound, RuleTable } from '../rules/rule-table.ts'
import type { Tally } from '../status/tally.ts'
import type { ServiceRequest } from '../targets/service-frame.ts'
import { servicePathOf, topicOf } from '../targets/target-place.ts'
import { sendPlain, sendRefusal } from './answers.ts'
import { forwardedHeaders } from './headers.ts'
import { parseRequestPath, type RequestPath } from './request-path.ts'
import type { RuleGates } from './rule-gates.ts'
import { ServiceCalls, tooLarge } from './service-calls.ts'
import { wholeBody } from './whole-body.ts'

export interface RestCallPorts {
  readonly table: RuleTable
  readonly access: Access
  readonly hub: Pick<CloudHub, 'ask' | 'tell' | 'peerOf'>
  /** Absent: local services are called in frames alone. */
  readonly tunnels?: Pick<Tunnels, 'isOpen' | 'open'>
  /** Absent: nodes are called here alone. */
  readonly replicas?: ReplicaRoad
  readonly gates: RuleGates
  readonly tally: Tally
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
}

const WAITS = { eventbus: ['delivered', 'none'], servicebus: ['answer'] } as const
const MOST_HEADERS = 100

/** Calls of REST sources: who, which rule, whether it may, and what the node says to it. Nothing is ever sent twice. */
export class RestCalls {
  readonly #ports: RestCallPorts
  readonly #services: ServiceCalls
  readonly #calls: Counter
  readonly #took: Histogram

  constructor(ports: RestCallPorts) {
    this.#ports = ports
    this.#services = new ServiceCalls(ports)
    const metrics = ports.metrics ?? silentMetrics
    this.#calls = metrics.counter({
      name: 'skerry_router_calls_total',
      help: 'Calls of REST sources, by the kind of their target and the HTTP status of the answer.',
      labels: ['target', 'status'],
    })
    this.#took = metrics.histogram({
      name: 'skerry_router_call_seconds',
      help: 'From the head of a call until its answer was written.',
    })
  }

  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
    caller: { readonly shown: Credentials; readonly onKnown: () => void },
  ): Promise<void> {
    const began = this.#ports.clock.monotonic()
    const call = { target: 'none' }
    try {
      await this.#serve(request, response, { signal, caller, call })
    } catch (error) {
      if (signal.aborted && response.destroyed) return
      const answer = answerOf(error)
      if (answer.status >= 500 && answer.code === 'PLATFORM_INTERNAL')
        this.#ports.log.error('A call could not be served', { error: describeError(error) })
      sendRefusal(request, response, answer)
    } finally {
      this.#calls.add(1, { target: call.target, status: String(response.headersSent ? response.statusCode : 499) })
      this.#took.observe((this.#ports.clock.monotonic() - began) / 1000)
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
    const { table } = this.#ports
    const { signal, call } = context
    // Only replicas pass calls on, and they have a listener of their own.
    if (request.headers[HOP_HEADER] !== undefined)
      throw refusal(403, 'HUB_HOP_FORGED', `no caller may send the header ${HOP_HEADER}`)
    const user = await this.#identify(request, context)
    const path = requestPathOf(request)
    if (!table.isSynced) throw refusal(503, 'HUB_RULES_UNKNOWN', 'the rules are not known yet', 2)
    const found = path && table.find(path.namespace, path.segments)
    // KubeEdge's words.
    if (!path || !found) return sendPlain(request, response, 404, 'Request error')
    await this.#authorize(user, found, signal)
    call.target = found.live.target.spec.ruleEndpointType
    using _inside = this.#ports.gates.enter(found.live)
    const { key, settings } = found.live
    if (Number(request.headers['content-length'] ?? 0) > settings.maxBodyBytes) throw tooLarge()
    try {
      const failure =
        call.target === 'eventbus'
          ? await this.#publish({ request, response, path, found, signal })
          : await this.#callService({ request, response, path, found, signal })
      if (failure === undefined) this.#ports.tally.delivered(key)
      else this.#ports.tally.failed(key, `node ${path.node}: ${failure}`)
    } catch (error) {
      const { code, message, status } = answerOf(error)
      // A caller that left, or wrote something wrong, is no failure of the rule.
      if (!signal.aborted && status !== 400 && status !== 408 && status !== 413)
        this.#ports.tally.failed(key, `node ${path.node}: ${code}: ${message}`)
      throw error
    }
  }

  async #identify(request: IncomingMessage, { caller, signal }: Context): Promise<User> {
    if (request.rawHeaders.length / 2 > MOST_HEADERS)
      throw refusal(431, 'HUB_TOO_MANY_HEADERS', `more than ${MOST_HEADERS} headers`)
    refuseDoubtful(request)
    const user = await this.#ports.access.authenticate(caller.shown, signal)
    if (!user)
      throw refusal(
        401,
        'HUB_CALLER_UNKNOWN',
        'show a Kubernetes token (Authorization: Bearer) or a client certificate',
      )
    caller.onKnown()
    return user
  }

  async #authorize(user: User, { live }: PathFound, signal: AbortSignal): Promise<void> {
    const { namespace = 'default', name } = live.rule.metadata
    const resource = {
      group: 'rules.kubeedge.io',
      version: 'v1',
      plural: 'rules',
      subresource: 'call',
      namespace,
      name,
    }
    const { allowed } = await this.#ports.access.authorize(user, { verb: 'create', resource }, signal)
    if (allowed) return
    const message = `${user.name} may not create rules/call of rule ${name} in namespace ${namespace}`
    throw refusal(403, 'HUB_CALL_FORBIDDEN', message)
  }

  async #publish({ request, response, path, found, signal }: Call): Promise<undefined> {
    const { clock } = this.#ports
    const { settings } = found.live
    const wait = waitOf(request, WAITS.eventbus)
    const topic = topicOf(found, path)
    const payload = await wholeBody(request, settings.maxBodyBytes, { clock, signal })
    const options = { wait, deadline: settings.timeout, signal }
    const outcome = await publishAnywhere(this.#ports, { node: path.node, topic, payload }, options)
    if (outcome === 'delivered') sendPlain(request, response, 200, 'message delivered')
    else sendPlain(request, response, 202, 'message delivered to the hub')
    return undefined
  }

  async #callService({ request, response, path, found, signal }: Call): Promise<string | undefined> {
    const { hub, tunnels, replicas } = this.#ports
    const { live } = found
    waitOf(request, WAITS.servicebus)
    const call: ServiceRequest = {
      node: path.node,
      port: live.target.spec.properties?.['service_port'] ?? '',
      path: servicePathOf(found, path),
      method: request.method ?? 'GET',
      headers: forwardedHeaders(request.headersDistinct),
    }
    const exchange = { request, response, call, limits: live.settings, signal }
    const place = tunnels?.isOpen(path.node) ? undefined : placeElsewhere({ hub, replicas }, path.node)
    if (place === undefined || !replicas) return this.#services.serve(exchange)
    return this.#services.stream(replicas.serviceCall(exchange), replicas.wayTo(place, path.node))
  }
}

interface Context {
  readonly signal: AbortSignal
  readonly caller: { readonly shown: Credentials; readonly onKnown: () => void }
  readonly call: { target: string }
}

interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly path: RequestPath
  readonly found: PathFound
  readonly signal: AbortSignal
}

function requestPathOf({ url = '/' }: IncomingMessage): RequestPath | undefined {
  const path = parseRequestPath(url)
  if (typeof path === 'string') throw refusal(400, 'HUB_CALL_PATH', path)
  return path
}

/** What a proxy before this one may have read in another way. */
function refuseDoubtful({ headersDistinct }: IncomingMessage): void {
  if ((headersDistinct['authorization']?.length ?? 0) > 1)
    throw refusal(400, 'HUB_CALLER_TWICE', 'the header Authorization comes more than once')
}

/** What the caller waits for, by header `x-skerry-wait`; the first of the choices where it does not say. */
function waitOf<W extends string>({ headers }: IncomingMessage, choices: readonly [W, ...W[]]): W {
  const wanted = headers['x-skerry-wait']
  if (wanted === undefined) return choices[0]
  const chosen = choices.find((each) => each === wanted)
  if (chosen !== undefined) return chosen
  throw refusal(400, 'HUB_CALL_WAIT', `x-skerry-wait must be ${choices.join(' or ')} for this rule`)
}

function refusal(status: number, code: string, message: string, retryAfterSeconds?: number): CallRefusal {
  return new CallRefusal({ status, code, message, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) })
}
