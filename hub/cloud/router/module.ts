import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import {
  countRefusals,
  type HttpHandler,
  type HttpServer,
  serveHttp,
  serveHttps,
} from '../../../platform/http/index.ts'
import { ConfigError, describeError, type Module, type Scope } from '../../../platform/lifecycle/index.ts'
import { boundedLogger, type Logger } from '../../../platform/log/index.ts'
import type { Store } from '../../../platform/store/index.ts'
import { type Clock, minutes, type Random, seconds } from '../../../platform/time/index.ts'
import type { Rule, RuleEndpoint } from '../../../schemas/index.ts'
import { createFrameFactory } from '../../link/index.ts'
import type { Tunnels } from '../../tunnel/index.ts'
import type { Access } from '../access/access.ts'
import type { ClientAuthority } from '../access/client-authority.ts'
import { clientTls, credentialsOf } from '../access/shown.ts'
import type { AuthorityHolder } from '../authority/module.ts'
import type { CloudHub } from '../cloudhub/delivery.ts'
import { createEventRecorder } from '../device-controller/events/event-recorder.ts'
import type { AnyObject, Informer, Kubernetes } from '../kubernetes/index.ts'
import { ConnectionBounds } from '../peers/connection-bounds.ts'
import { peerName } from '../peers/peer-name.ts'
import type { ReplicaRoad } from './replicas/replica-road.ts'
import { type ReplicaOptions, startReplicas } from './replicas/start-replicas.ts'
import { RuleTable } from './rules/rule-table.ts'
import { RestCalls } from './serving/rest-calls.ts'
import { RuleGates } from './serving/rule-gates.ts'
import { StatusWriter } from './status/status-writer.ts'
import { RestTargets } from './targets/rest-target.ts'
import { WaitingCalls } from './upward/calls.ts'
import { deliver } from './upward/deliver.ts'
import { Lanes } from './upward/lanes.ts'
import { Receipts } from './upward/receipts.ts'
import { Spool } from './upward/spool.ts'
import { takeUpward } from './upward/upward.ts'

export interface RouterOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Loopback alone. */
  readonly plainHttp: boolean
  /** Absent: calls are passed on to nobody, and taken of no replica. */
  readonly replicas?: ReplicaOptions
}

export interface RouterPorts {
  readonly kubernetes: Kubernetes
  readonly rules: Informer<Rule>
  readonly endpoints: Informer<RuleEndpoint>
  readonly hub: CloudHub
  /** Leases of namespace `kubeedge`, which say where nodes are connected. */
  readonly sessionLeases: Informer<AnyObject>
  readonly authority: AuthorityHolder
  readonly access: Access
  readonly clientAuthority: ClientAuthority
  readonly tunnels?: Tunnels
  /** Of `routerStoreDomain`; opened by whoever composes. */
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

export interface RouterModule extends Module {
  /** Real after the start. */
  readonly port: number
  /** `<address>:<port>` at which other replicas reach this one, after the start; nothing where they do not. */
  readonly replica: string | undefined
}

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost'])
const HEAD_WITHIN = seconds(10)
/** Of a whole request: large bodies over slow links. Each pause in one has a bound of its own. */
const REQUEST_WITHIN = minutes(60)
const MOST_CONNECTIONS = 4096
/** Who has not shown who it is yet. */
const WAITING = { perAddress: 256, altogether: 1024 }
const EVENTS = { perSecond: 5, burst: 50 }
const FLUSH_WITHIN = seconds(3)

/** The Router: REST calls to nodes, and what nodes say to rules. */
export function createRouterModule(options: RouterOptions, ports: RouterPorts): RouterModule {
  let port = 0
  let replica: string | undefined
  return {
    name: 'Router',
    get port() {
      return port
    },
    get replica() {
      return replica
    },
    async start(scope) {
      if (options.plainHttp && !LOOPBACK.has(options.host)) {
        const fields = { pointer: '/router/plainHttp', host: options.host }
        throw new ConfigError('router.plainHttp needs a loopback address in router.host', {
          code: 'HUB_ROUTER_PLAIN',
          fields,
        })
      }
      const table = scope.use(new RuleTable(ports))
      const events = createEventRecorder({ ...withoutMetrics(ports), component: 'skerry-router', rate: EVENTS })
      const status = new StatusWriter({ ...ports, table, events })
      const gates = new RuleGates(ports.clock)
      const elsewhere = options.replicas && (await startReplicas(options.replicas, ports, scope))
      const replicas = elsewhere ? { replicas: elsewhere.road } : {}
      replica = elsewhere?.own
      await startUpward(ports, { table, status, gates, ...replicas }, scope)
      const calls = new RestCalls({ ...ports, ...replicas, table, gates, tally: status })
      const server = await listen(options, ports, calls)
      scope.use(server)
      scope.use(table.onChange((key) => status.look(key)))
      scope.run((signal) => events.run(signal))
      scope.run((signal) => status.run(signal))
      port = server.port
      ports.log.info('Router listens', { host: options.host, port })
    },
  }
}

interface Parts {
  readonly table: RuleTable
  readonly status: StatusWriter
  readonly gates: RuleGates
  readonly replicas?: ReplicaRoad
}

async function startUpward(ports: RouterPorts, { table, status, gates, replicas }: Parts, scope: Scope): Promise<void> {
  const { hub, store, clock, log } = ports
  const targets = scope.use(new RestTargets(clock))
  const spool = new Spool({ store, clock, log })
  const frames = createFrameFactory(ports)
  const receipts = new Receipts({ ...ports, frames })
  const lanes: Lanes = new Lanes({
    ...ports,
    ...{ table, spool, receipts, tally: status, log: boundedLogger(log, ports) },
    deliver: (live, node, letter, signal) =>
      deliver({ hub, targets, clock, ...(replicas ? { replicas } : {}) }, live, { node, letter, signal }),
  })
  const left = await spool.open()
  receipts.taken(left)
  lanes.add(left)
  // Last of all: what is delivered until the end is counted.
  scope.defer(async () => {
    const within = new AbortController()
    using _timer = clock.after(FLUSH_WITHIN, () => within.abort(new Error('the Router is stopping')))
    await status.flush(within.signal).catch((error: unknown) => {
      log.warn('Counts of rules could not be written', { error: describeError(error) })
    })
  })
  const calls = new WaitingCalls({ ...ports, table, targets, gates, tally: status, frames })
  const upward = { table, spool, lanes, receipts, tally: status, clock }
  scope.use(hub.onUserMessage((message) => takeUpward(upward, message)))
  // Where it begins anew while nodes are connected, they have to say again what they keep.
  const there: string[] = []
  hub.onConnection(({ node, skerry }) => void (skerry && there.push(node)))[Symbol.dispose]()
  for (const node of there) hub.cutOff(node, 'the Router has begun anew')
  scope.use(hub.onUpstream('held', (upstream) => receipts.compare(upstream)))
  scope.use(hub.onUpstream('calls', (upstream) => calls.take(upstream, scope.signal)))
  scope.use(table.onChange((key) => lanes.wake((rule) => rule === key)))
  const isThere = (node: string) =>
    lanes.wake((rule, from) => (table.rule(rule)?.spec.targetResource['node_name'] ?? from) === node)
  scope.use(hub.onConnection(({ node }, connected) => (connected ? isThere(node) : receipts.left(node))))
  if (replicas) scope.use(ports.sessionLeases.onChange((now) => void (now && isThere(now.metadata.name))))
  scope.run((signal) => lanes.run(signal))
  scope.run((signal) => receipts.run(signal))
}

async function listen(options: RouterOptions, ports: RouterPorts, calls: RestCalls): Promise<HttpServer> {
  const { authority, clientAuthority, metrics = silentMetrics } = ports
  const log = boundedLogger(ports.log, ports)
  const closed = metrics.counter({
    name: 'skerry_router_closed_total',
    help: 'Connections to the Router that were closed because too many strangers waited.',
  })
  const bounds = new ConnectionBounds({ ...WAITING, onClosed: () => closed.add() })
  const handler: HttpHandler = (request, response, signal) => {
    const onKnown = () => bounds.settled(peerName(request.socket))
    return calls.serve(request, response, signal, { shown: credentialsOf(request), onKnown })
  }
  const common = {
    ...{ at: { host: options.host, port: options.port }, handler, log, headWithin: HEAD_WITHIN },
    ...{ requestWithin: REQUEST_WITHIN, maxConnections: MOST_CONNECTIONS, clock: ports.clock },
    onRefused: countRefusals(metrics, 'router'),
  }
  if (options.plainHttp) return bounded(await serveHttp(common), bounds)
  const contextOf = () => {
    const { certificatePem: cert, keyPem: key } = authority.current.serving
    return { cert, key, ...clientTls(clientAuthority) }
  }
  const server = await serveHttps({ ...common, tls: contextOf() })
  const renewals = [
    authority.current.onServing(() => server.renew(contextOf())),
    clientAuthority.onChange(() => server.renew(contextOf())),
  ]
  const close = async () => {
    for (const renewal of renewals) renewal[Symbol.dispose]()
    await server.close()
  }
  return bounded({ ...server, [Symbol.asyncDispose]: close }, bounds)
}

function bounded(server: HttpServer, bounds: ConnectionBounds): HttpServer {
  const listening: Pick<Server, 'on'> = server.server
  listening.on('connection', (socket: Socket) => {
    const peer = peerName(socket)
    bounds.opened(peer, socket.remoteAddress, socket)
    socket.once('close', () => bounds.settled(peer))
  })
  return server
}

/** Events are counted with those of devices otherwise. */
function withoutMetrics({ metrics: _metrics, ...ports }: RouterPorts): Omit<RouterPorts, 'metrics'> {
  return ports
}
