import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { sendText, serveHttps } from '../../../platform/http/index.ts'
import { describeError, type Module, type Scope } from '../../../platform/lifecycle/index.ts'
import { boundedLogger, type Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, type Duration, ms, type Random, seconds } from '../../../platform/time/index.ts'
import { createUpgradeAcceptor } from '../../link/index.ts'
import type { AuthorityHolder } from '../authority/module.ts'
import type { AnyObject, Informer, Kubernetes, ObjectSync } from '../kubernetes/index.ts'
import type { NodeRegister } from '../node-register/node-register.ts'
import { ConnectionBounds } from '../peers/connection-bounds.ts'
import { Handshakes } from '../peers/handshakes.ts'
import { peerName } from '../peers/peer-name.ts'
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

/** A peer that does not read why it is refused is cut off after this. */
const REFUSAL_WITHIN = seconds(5)
/** Connections that the kernel holds while this process is busy: a fleet that comes back at once. */
const BACKLOG = 2048
/**
 * TLS handshakes at a time: few enough that a busy machine brings all of them to their end in time, and enough for hundreds a second.
 * A link to a satellite takes a second and a half for one.
 */
const HANDSHAKES = { atOnce: 64, patience: seconds(5) }

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
      const { authority, log, nodes } = ports
      const { serving, caPem } = authority.current
      memory = await openPatiently(ports, scope)
      scope.use(nodes.onChange((now, before) => !now && before && hub.remove(before.metadata.name)))
      scope.run((signal) => hub.run(signal))
      const { host, nodeLimit, handshakeWithin = seconds(10) } = options
      const strangers = createStrangers(nodeLimit, ports)
      const server = await serveHttps({
        at: { host, port: options.port, backlog: BACKLOG },
        log,
        headWithin: handshakeWithin,
        maxConnections: nodeLimit + strangers.most,
        admit: strangers.admit,
        tls: {
          cert: serving.certificatePem,
          key: serving.keyPem,
          ca: caPem,
          requestCert: true,
          // See below: Node.js would cut off without a word.
          rejectUnauthorized: false,
          handshakeTimeout: handshakeWithin.milliseconds,
        },
        handler: (_request, response) => sendText(response, 426, 'text/plain', 'this is CloudHub: WebSocket only\n'),
      })
      server.server.on('secureConnection', (socket: TLSSocket) => {
        if (isOfOurCa(socket)) strangers.shown(socket)
        else socket.destroy()
      })
      const accept = createAcceptor(hub, options, { ...ports, cloudEpoch: memory })
      server.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        void accept(request, socket, head)
      })
      scope.use(server)
      scope.use(
        authority.current.onServing(({ certificatePem, keyPem }) =>
          server.renew({ cert: certificatePem, key: keyPem, ca: caPem }),
        ),
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

/**
 * Who has no certificate of our CA is cut off here. One that has ended, or begins later, is let through to its refusal, so that a
 * node learns that it has to renew it, or that a clock is wrong.
 */
function isOfOurCa(socket: TLSSocket): boolean {
  return socket.authorized || OF_A_WRONG_CLOCK.has(String(socket.authorizationError))
}

const OF_A_WRONG_CLOCK = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])

const TOO_EARLY = 'the certificate begins later by the clock of the cloud: set the clock there'

/** Those who have not shown a certificate yet: bounded, so that nodes always find a place beside them. */
function createStrangers(nodeLimit: number, { clock, metrics = silentMetrics }: CloudHubPorts) {
  const closed = metrics.counter({
    name: 'skerry_cloudhub_closed_total',
    help: 'Connections that were closed before their peer had shown a certificate, because others waited, by cause.',
    labels: ['cause'],
  })
  const most = nodeLimit + 100
  // A whole fleet may stand behind one address.
  const waiting = { perAddress: nodeLimit + 50, altogether: most }
  const bounds = new ConnectionBounds({ ...waiting, onClosed: () => closed.add(1, { cause: 'crowded' }) })
  const handshakes = new Handshakes({ ...HANDSHAKES, clock, onClosed: () => closed.add(1, { cause: 'slow' }) })
  const settled = (peer: string) => {
    bounds.settled(peer)
    handshakes.settled(peer)
  }
  return {
    most,
    admit(connection: Socket, begin: () => void) {
      const peer = peerName(connection)
      connection.once('close', () => settled(peer))
      bounds.opened(peer, connection.remoteAddress, connection)
      handshakes.enter({ peer, connection, begin }, connection.remoteAddress)
    },
    shown: (socket: TLSSocket) => settled(peerName(socket)),
  }
}

interface AcceptorPorts extends CloudHubPorts {
  readonly cloudEpoch: string
}

function createAcceptor(hub: Hub, options: CloudHubOptions, ports: AcceptorPorts): AcceptUpgrade {
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
    socket.on('error', () => socket.destroy())
    const head = `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: text/plain\r\n`
    const late = clock.after(REFUSAL_WITHIN, () => socket.destroy())
    socket.once('close', () => late[Symbol.dispose]())
    socket.end(`${head}Content-Length: ${Buffer.byteLength(reason) + 1}\r\n\r\n${reason}\n`, () => socket.destroy())
  }

  return async (request, socket, head) => {
    const shown = request.socket instanceof TLSSocket ? request.socket.getPeerX509Certificate() : undefined
    const certificate = authority.current.nodeCertificate(shown)
    const identified = identify(request.headers, certificate, (each) => register.refusal(each))
    if (!identified.ok)
      return refuse(socket, identified.status, identified.reason, request.headers['node_id']?.slice(0, 253))
    const { node } = identified.peer
    if (request.socket instanceof TLSSocket && String(request.socket.authorizationError) === 'CERT_NOT_YET_VALID')
      return refuse(socket, 403, TOO_EARLY, node)
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

type AcceptUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>
