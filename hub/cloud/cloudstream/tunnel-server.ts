import type { Duplex } from 'node:stream'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, type Module } from '../../../platform/lifecycle/index.ts'
import { boundedLogger, type Logger } from '../../../platform/log/index.ts'
import type { Clock, Duration } from '../../../platform/time/index.ts'
import { createTunnelAcceptor, type Tunnels } from '../../tunnel/index.ts'
import type { AuthorityHolder } from '../authority/module.ts'
import type { NodeRegister } from '../node-register/node-register.ts'
import { refuseUpgrade } from '../peers/refuse-upgrade.ts'
import { isTooEarly, type OnUpgrade, servePeers, TOO_EARLY } from '../peers/serve-peers.ts'
import { NodeTunnels } from './node-tunnels.ts'
import { dialOf, identifyTunnel } from './tunnel-identity.ts'

export interface TunnelServerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Most nodes with a tunnel at a time. */
  readonly nodeLimit: number
  /** Most streams of a node at a time; default 128. */
  readonly streamsPerNode?: number
  /** For TLS and the head of the upgrade; default 10 s. */
  readonly handshakeWithin?: Duration
}

export interface TunnelServerPorts {
  readonly authority: AuthorityHolder
  readonly register: NodeRegister
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
}

export interface TunnelServerModule extends Module {
  /** Real after the start; 0 before. */
  readonly port: number
  /** There before the start. */
  readonly tunnels: Tunnels
}

/** The server that nodes dial with their certificate, so that the cloud can reach what is served on them. */
export function createTunnelServerModule(options: TunnelServerOptions, ports: TunnelServerPorts): TunnelServerModule {
  const tunnels = new NodeTunnels(ports)
  let port = 0
  return {
    name: 'TunnelServer',
    tunnels,
    get port() {
      return port
    },
    async start(scope) {
      const { metrics = silentMetrics, log } = ports
      const closed = metrics.counter({
        name: 'skerry_cloudstream_closed_total',
        help: 'Connections to the tunnel server that were closed before their peer had shown a certificate, because others waited, by cause.',
        labels: ['cause'],
      })
      const greeting = 'this is the tunnel server: WebSocket only\n'
      const accept = createAcceptor(tunnels, options, ports)
      const server = await servePeers({ ...options, name: 'tunnel', greeting, closed }, ports, accept, scope)
      scope.defer(() => tunnels.endAll('the cloud half is stopping'))
      port = server.port
      log.info('The tunnel server listens', { host: options.host, port })
    },
  }
}

function createAcceptor(tunnels: NodeTunnels, options: TunnelServerOptions, ports: TunnelServerPorts): OnUpgrade {
  const { nodeLimit, streamsPerNode } = options
  const { authority, register, clock, metrics = silentMetrics } = ports
  // A node that was cut off comes back for ever.
  const log = boundedLogger(ports.log, ports)
  const acceptTunnel = createTunnelAcceptor({
    clock,
    bytes: metrics.counter({
      name: 'skerry_cloudstream_bytes_total',
      help: 'Bytes of messages through tunnels, by direction: up from nodes, down to them.',
      labels: ['direction'],
    }),
    ...(streamsPerNode === undefined ? {} : { mostStreams: streamsPerNode }),
  })
  const refused = metrics.counter({
    name: 'skerry_cloudstream_refused_total',
    help: 'Connections that the tunnel server refused, by HTTP status.',
    labels: ['status'],
  })
  const refuse = (socket: Duplex, { status, reason }: { status: number; reason: string }, node: unknown) => {
    refused.add(1, { status: String(status) })
    log.warn('Refused a tunnel', { node, status, reason })
    refuseUpgrade(socket, { status, reason }, clock)
  }

  return async (request, socket, head) => {
    const dial = dialOf(request, (shown) => authority.current.nodeCertificate(shown))
    const identified = identifyTunnel(dial, (each) => register.refusal(each))
    if (!identified.ok) return refuse(socket, identified, dial.claimed?.slice(0, 253))
    const { certificate } = identified
    const { node } = certificate
    if (isTooEarly(request)) return refuse(socket, { status: 403, reason: TOO_EARLY }, node)
    if (tunnels.size >= nodeLimit && !tunnels.isOpen(node))
      return refuse(socket, { status: 503, reason: 'too many nodes are connected' }, node)
    try {
      const tunnel = await acceptTunnel(request, socket, head)
      using _held = register.hold(certificate, (reason) => tunnel.close(reason))
      log.info('Tunnel opened', { node, peer: tunnel.peer })
      const reason = await tunnels.hold(node, tunnel)
      log.info('Tunnel ended', { node, reason })
    } catch (error) {
      log.debug('A tunnel broke', { node, error: describeError(error) })
    }
  }
}
