import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { type Counter, type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { countRefusals, type HttpsServer, sendText, serveHttps } from '../../../platform/http/index.ts'
import type { Scope } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, seconds } from '../../../platform/time/index.ts'
import type { AuthorityHolder } from '../authority/module.ts'
import { ConnectionBounds } from './connection-bounds.ts'
import { Handshakes } from './handshakes.ts'
import { peerName } from './peer-name.ts'

export interface ServePeersOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Most nodes connected at a time. */
  readonly nodeLimit: number
  /** For TLS and the head of the upgrade; default 10 s. */
  readonly handshakeWithin?: Duration
  /** Connections that were closed before their peer had shown a certificate, because others waited, by `cause`. */
  readonly closed: Counter
  /** For whoever comes without an upgrade. */
  readonly greeting: string
  /** In metrics. */
  readonly name: string
}

export interface ServePeersPorts {
  readonly authority: AuthorityHolder
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
}

/** Connections that the kernel holds while this process is busy: a fleet that comes back at once. */
const BACKLOG = 2048
/**
 * TLS handshakes at a time: few enough that a busy machine brings all of them to their end in time, and enough for hundreds a second.
 * A link to a satellite takes a second and a half for one.
 */
const HANDSHAKES = { atOnce: 64, patience: seconds(5) }

export type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>

/** WSS for nodes: mutual TLS by our CA, the serving certificate of the moment, and bounds for whoever has not shown a certificate yet. */
export async function servePeers(
  options: ServePeersOptions,
  ports: ServePeersPorts,
  onUpgrade: OnUpgrade,
  scope: Scope,
): Promise<HttpsServer> {
  const { host, port, nodeLimit, handshakeWithin = seconds(10), greeting, name } = options
  const { serving, caPem } = ports.authority.current
  const strangers = createStrangers(options, ports.clock)
  const server = await serveHttps({
    at: { host, port, backlog: BACKLOG },
    log: ports.log,
    clock: ports.clock,
    onRefused: countRefusals(ports.metrics ?? silentMetrics, name),
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
    handler: (_request, response) => sendText(response, 426, 'text/plain', greeting),
  })
  server.server.on('secureConnection', (socket: TLSSocket) => {
    if (isOfOurCa(socket)) strangers.shown(socket)
    else socket.destroy()
  })
  server.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    void onUpgrade(request, socket, head)
  })
  scope.use(server)
  scope.use(
    ports.authority.current.onServing(({ certificatePem, keyPem }) =>
      server.renew({ cert: certificatePem, key: keyPem, ca: caPem }),
    ),
  )
  return server
}

/** Whether the certificate of the peer begins later by the clock of this machine. */
export function isTooEarly({ socket }: IncomingMessage): boolean {
  return socket instanceof TLSSocket && String(socket.authorizationError) === 'CERT_NOT_YET_VALID'
}

export const TOO_EARLY = 'the certificate begins later by the clock of the cloud: set the clock there'

/**
 * Who has no certificate of our CA is cut off here. One that has ended, or begins later, is let through to its refusal, so that a
 * node learns that it has to renew it, or that a clock is wrong.
 */
function isOfOurCa(socket: TLSSocket): boolean {
  return socket.authorized || OF_A_WRONG_CLOCK.has(String(socket.authorizationError))
}

const OF_A_WRONG_CLOCK = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])

/** Those who have not shown a certificate yet: bounded, so that nodes always find a place beside them. */
function createStrangers({ nodeLimit, closed }: ServePeersOptions, clock: Clock) {
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
