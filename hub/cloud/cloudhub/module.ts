import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, type Module, type Scope } from '../../../platform/lifecycle/index.ts'
import { boundedLogger, type Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, type Duration, ms, type Random, seconds } from '../../../platform/time/index.ts'
import { createUpgradeAcceptor } from '../../link/index.ts'
import type { AuthorityHolder } from '../authority/module.ts'
import type { AnyObject, Informer, Kubernetes, ObjectSync } from '../kubernetes/index.ts'
import type { NodeRegister } from '../node-register/node-register.ts'
import { refuseUpgrade } from '../peers/refuse-upgrade.ts'
import { isTooEarly, type OnUpgrade, servePeers, TOO_EARLY } from '../peers/serve-peers.ts'
import { openCloudEpoch } from './cloud-epoch.ts'
import type { CloudHub } from './delivery.ts'
import { Hub } from './hub.ts'
import { identify } from './identity.ts'
import { serveLink } from './serve-link.ts'
import { SyncRecords } from './sync-records.ts'

export interface CloudHubOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Most nodes connected at a time; more are refused and closed. */
  readonly nodeLimit: number
  /** Largest message of a node; default 32 MiB. */
  readonly maxFrameBytes?: number
  /** For TLS and the head of the upgrade; default 10 s. */
  readonly handshakeWithin?: Duration
}

export interface CloudHubPorts {
  readonly authority: AuthorityHolder
  readonly register: NodeRegister
  readonly kubernetes: Kubernetes
  readonly records: Informer<ObjectSync>
  readonly clusterRecords: Informer<ObjectSync>
  readonly nodes: Informer<AnyObject>
  /** Leases of namespace `kubeedge`. */
  readonly sessionLeases: Informer<AnyObject>
  /** Of the database behind the API, where that is known. */
  readonly incarnation?: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
  /** PEM of the CA of the Kubernetes API, for edges that ask for it. */
  readonly clusterCa?: string
  /** Port of the tunnel server as nodes dial it, or `off`; told to Skerry edges. */
  readonly tunnel?: () => string
  /** `<address>:<port>` at which other replicas reach this one. */
  readonly replica?: () => string | undefined
}

export interface CloudHubModule extends Module {
  /** Real after the start. */
  readonly port: number
  /** For controllers; there before the start. */
  readonly hub: CloudHub
}

/** CloudHub: WSS with mutual TLS. A connection is that of the node in its certificate, or it is refused and closed. */
export function createCloudHubModule(options: CloudHubOptions, ports: CloudHubPorts): CloudHubModule {
  let memory = ''
  const hub = new Hub({ ...ports, records: new SyncRecords(ports), memory: () => memory })
  let port = 0
  return {
    name: 'CloudHub',
    hub,
    get port() {
      return port
    },
    async start(scope) {
      const { log, nodes } = ports
      const { host } = options
      memory = await openPatiently(ports, scope)
      scope.use(nodes.onChange((now, before) => !now && before && hub.remove(before.metadata.name)))
      scope.run((signal) => hub.run(signal))
      const greeting = 'this is CloudHub: WebSocket only\n'
      const accept = createAcceptor(hub, options, { ...ports, cloudEpoch: memory })
      const server = await servePeers(
        { ...options, name: 'cloudhub', greeting, closed: closedBy(ports) },
        ports,
        accept,
        scope,
      )
      scope.defer(() => hub.endAll('the cloud half is stopping'))
      port = server.port
      log.info('CloudHub listens', { host, port })
    },
  }
}

/** The API is there, since the authority is open, but may be away for a moment. */
async function openPatiently(ports: CloudHubPorts, scope: Scope): Promise<string> {
  const backoff = new Backoff({ first: ms(100), most: seconds(10) }, ports.random)
  for (;;) {
    try {
      return await openCloudEpoch(ports, scope.signal)
    } catch (error) {
      scope.signal.throwIfAborted()
      scope.pending('the Kubernetes API, for the identity of the cloud')
      ports.log.warn('The identity of the cloud cannot be read or made yet', { error })
      await ports.clock.sleep(backoff.next(), scope.signal)
    } finally {
      scope.pending(undefined)
    }
  }
}

function closedBy({ metrics = silentMetrics }: CloudHubPorts) {
  return metrics.counter({
    name: 'skerry_cloudhub_closed_total',
    help: 'Connections that were closed before their peer had shown a certificate, because others waited, by cause.',
    labels: ['cause'],
  })
}

interface AcceptorPorts extends CloudHubPorts {
  readonly cloudEpoch: string
}

function createAcceptor(hub: Hub, options: CloudHubOptions, ports: AcceptorPorts): OnUpgrade {
  const { nodeLimit, maxFrameBytes: largestFrame } = options
  const { authority, register, clock, random, metrics = silentMetrics } = ports
  // A node that was cut off comes back for ever.
  const log = boundedLogger(ports.log, ports)
  const acceptLink = createUpgradeAcceptor({ ...ports, ...(largestFrame === undefined ? {} : { largestFrame }) })
  const refused = metrics.counter({
    name: 'skerry_cloudhub_refused_total',
    help: 'Connections that CloudHub refused, by HTTP status.',
    labels: ['status'],
  })

  const refuse = (socket: Duplex, status: number, reason: string, node: unknown) => {
    refused.add(1, { status: String(status) })
    log.warn('Refused a connection', { node, status, reason })
    refuseUpgrade(socket, { status, reason }, clock)
  }

  return async (request, socket, head) => {
    const shown = request.socket instanceof TLSSocket ? request.socket.getPeerX509Certificate() : undefined
    const certificate = authority.current.nodeCertificate(shown)
    const identified = identify(request.headers, certificate, (each) => register.refusal(each))
    if (!identified.ok)
      return refuse(socket, identified.status, identified.reason, request.headers['node_id']?.slice(0, 253))
    const { node } = identified.peer
    if (isTooEarly(request)) return refuse(socket, 403, TOO_EARLY, node)
    if (hub.size >= nodeLimit && !hub.isConnected(node))
      return refuse(socket, 503, 'too many nodes are connected', node)
    try {
      const link = await acceptLink(request, socket, head)
      // The upgrade took a moment, in which the node may have been revoked.
      const late = register.refusal(identified.certificate)
      if (late) return link.close(late.reason)
      using _held = register.hold(identified.certificate, (reason) => hub.cutOff(node, reason))
      await serveLink(hub, link, { ...identified.peer, session: random.uuid() })
    } catch (error) {
      log.debug('A connection broke', { node, error: describeError(error) })
    }
  }
}
