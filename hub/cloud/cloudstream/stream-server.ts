import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { countRefusals, type HttpsServer, serveHttps } from '../../../platform/http/index.ts'
import type { Scope } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Random, seconds } from '../../../platform/time/index.ts'
import type { Tunnels } from '../../tunnel/index.ts'
import type { AccessModule } from '../access/module.ts'
import { clientTls } from '../access/shown.ts'
import type { AuthorityHolder } from '../authority/module.ts'
import type { ListeningModule } from '../certificate-server/module.ts'
import type { AnyObject, Informer, Kubernetes } from '../kubernetes/index.ts'
import { ConnectionBounds } from '../peers/connection-bounds.ts'
import { peerName } from '../peers/peer-name.ts'
import { NodeEndpoints } from './node-endpoints.ts'
import { NodePorts, type PortRange } from './node-ports.ts'
import { KubeletFront } from './serve-kubelet.ts'
import { openServingIdentity, type ServingFiles } from './serving-identity.ts'
import { StreamBounds } from './stream-bounds.ts'

export interface StreamServerOptions {
  readonly host: string
  /** For all nodes; 0 takes a free one. */
  readonly port: number
  /** How API servers reach the kubelets of gateways. */
  readonly nodes:
    | {
        readonly by: 'ports' /** An IP address of this process. */
        readonly address: string
        readonly range?: PortRange
      }
    /** A packet filter leads this port of a node's own address to the common port. */
    | { readonly by: 'packet-filter'; readonly port: number }
    | { readonly by: 'nothing' }
  readonly serving?: ServingFiles
  readonly perCaller: number
  readonly altogether: number
}

export interface StreamServerPorts {
  readonly kubernetes: Kubernetes
  readonly nodes: Informer<AnyObject>
  readonly tunnels: Tunnels
  readonly isConnected: (node: string) => boolean
  readonly authority: AuthorityHolder
  readonly caller: AccessModule
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** The command of an exec stands in its head. */
const MOST_HEAD = 128 * 1024
const MOST_CONNECTIONS = 4096
const WAITING = { perAddress: 256, altogether: 1024 }

/** CloudStream’s stream server: the kubelets of all gateways, as API servers and others know kubelets. */
export function createStreamServerModule(options: StreamServerOptions, ports: StreamServerPorts): ListeningModule {
  let port = 0
  return {
    name: 'CloudStream',
    get port() {
      return port
    },
    async start(scope) {
      port = (await startServer(options, ports, scope)).port
      ports.log.info('The stream endpoint listens', { host: options.host, port })
    },
  }
}

async function startServer(options: StreamServerOptions, ports: StreamServerPorts, scope: Scope): Promise<HttpsServer> {
  const { host, nodes: way, serving } = options
  const { caller, log } = ports
  const names = [...new Set([...(way.by === 'ports' ? [way.address] : []), ...namesOf(host)])]
  const identity = await openServingIdentity({ names, ...(serving ? { files: serving } : {}) }, ports, scope)
  const context = () => {
    const { certificatePem: cert, keyPem: key } = identity.current
    return { cert, key, ...clientTls(caller.authority) }
  }
  const nodePorts = new NodePorts({
    host,
    ...(way.by === 'ports' && way.range ? { range: way.range } : {}),
    onConnection: (socket) => server.server.emit('connection', socket),
  })
  const front = new KubeletFront({
    ...ports,
    access: caller.access,
    bounds: new StreamBounds({ ...options, ...(ports.metrics ? { metrics: ports.metrics } : {}) }),
    nodeOfPort: (local) => nodePorts.nodeOf(local),
  })
  const strangers = createStrangers(ports)
  const server = await serveHttps({
    at: { host, port: options.port },
    log,
    clock: ports.clock,
    mostHead: MOST_HEAD,
    headWithin: seconds(10),
    maxConnections: MOST_CONNECTIONS,
    onRefused: countRefusals(ports.metrics ?? silentMetrics, 'stream'),
    admit: strangers.admit,
    // A caller who has said all may still have something to hear.
    tls: { ...context(), ALPNProtocols: ['http/1.1'], allowHalfOpen: true },
    handler(incoming, response, signal) {
      strangers.spoke(incoming.socket)
      return front.answer(incoming, response, signal)
    },
  })
  server.server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, first: Buffer) => {
    strangers.spoke(incoming.socket)
    void front.upgrade(incoming, socket, first)
  })
  // Streams would hold a stop up for as long as they last.
  scope.defer(() => server.close(seconds(1)))
  const renew = () => server.renew(context())
  identity.onChange(renew)
  scope.use(caller.authority.onChange(renew))
  scope.defer(() => nodePorts.closeAll())
  if (way.by !== 'nothing') followNodes(way, nodePorts, ports, scope)
  return server
}

function followNodes(
  way: Exclude<StreamServerOptions['nodes'], { readonly by: 'nothing' }>,
  nodePorts: NodePorts,
  ports: StreamServerPorts,
  scope: Scope,
): void {
  const endpoints = new NodeEndpoints(
    { replica: ports.random.uuid(), ...(way.by === 'ports' ? { address: way.address } : {}) },
    {
      ...ports,
      openPort: async (node) => (way.by === 'ports' ? await nodePorts.open(node) : way.port),
      closePort: (node) => nodePorts.close(node),
    },
  )
  scope.defer(() => endpoints.leave())
  scope.use(endpoints.follow())
  scope.run((signal) => endpoints.run(signal))
}

/** What is dialled where a server listens on this address. */
function namesOf(host: string): readonly string[] {
  const isAny = host === '0.0.0.0' || host === '::'
  return isAny ? ['127.0.0.1', '::1', 'localhost'] : [host, 'localhost']
}

/** Connections of all ports, in bounds; those that have asked nothing yet are the first to go. */
function createStrangers({ metrics = silentMetrics }: StreamServerPorts) {
  const closed = metrics.counter({
    name: 'skerry_stream_closed_total',
    help: 'Connections to the stream endpoint that were closed before they asked anything, because others waited, by cause.',
    labels: ['cause'],
  })
  const bounds = new ConnectionBounds({ ...WAITING, onClosed: () => closed.add(1, { cause: 'crowded' }) })
  let count = 0
  return {
    admit(connection: Socket, begin: () => void) {
      if (count >= MOST_CONNECTIONS) {
        closed.add(1, { cause: 'full' })
        connection.destroy()
        return
      }
      count++
      const peer = nameOf(connection)
      bounds.opened(peer, connection.remoteAddress, connection)
      connection.once('close', () => {
        count--
        bounds.settled(peer)
      })
      begin()
    },
    spoke: (socket: Socket | TLSSocket) => bounds.settled(nameOf(socket)),
  }
}

/** One peer may come to many ports from one of its own. */
function nameOf(socket: Socket): string {
  return `${peerName(socket)} ${socket.localPort ?? 0}`
}
