import type { IncomingMessage } from 'node:http'
import { createServer, type Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import type { MqttTlsConfig, MqttWebSocketConfig } from '../../../../schemas/config/index.ts'
import { listen } from '../../../http/listen.ts'
import { ConfigError } from '../../../lifecycle/errors.ts'
import type { Scope } from '../../../lifecycle/module.ts'
import type { Logger } from '../../../log/logger.ts'
import type { Clock, Duration } from '../../../time/index.ts'
import type { Peer } from '../access/peer.ts'
import type { Counters } from '../counters.ts'
import { ConnectionLimit } from './connection-limit.ts'
import { caFile } from './identity-files.ts'
import { LiveIdentity } from './live-identity.ts'
import { peerOf } from './peer-of.ts'
import { isForPods, openPodListener, type PodListenerOptions } from './pod-listener.ts'
import { serveWebSocket } from './websocket.ts'

export interface ListenerOptions {
  readonly host: string
  readonly port: number
  readonly tls?: MqttTlsConfig | undefined
  readonly websocket?: MqttWebSocketConfig | undefined
  /** Where pods come in, as far as that is known. */
  readonly pods?: (() => PodListenerOptions | undefined) | undefined
  /** Where a self-made certificate is kept; needed for one. */
  readonly folder?: string | undefined
  readonly maxConnections: number
  /** One address of pods has twice as many before it is known who comes. */
  readonly maxConnectionsPerPod?: number | undefined
  readonly maxPacketBytes: number
  readonly clock: Clock
  readonly log: Logger
  readonly counters: Counters
  /** How often the files of certificates are looked at. */
  readonly recheck?: Duration | undefined
  /** The connection is a client's from now on. */
  readonly accept: (connection: Duplex, peer: Peer, request?: IncomingMessage) => void
}

/** Ports that are listened on; undefined where a listener is off. */
export interface Ports {
  readonly tcp: number
  readonly tls: number | undefined
  readonly websocket: number | undefined
}

export interface Listeners extends Ports {
  /** Opens one more, see `openPodListener`. */
  readonly forPods: (pods: PodListenerOptions) => Promise<number | undefined>
}

interface At {
  readonly host: string
  readonly port: number
}

/** Opens the listeners of the broker. Released, they take nobody new and leave those who are there to the broker. */
export async function openListeners(options: ListenerOptions, scope: Scope): Promise<Listeners> {
  const { counters, tls, websocket } = options
  const limit = new ConnectionLimit({
    most: options.maxConnections,
    mostOfAddress: 2 * (options.maxConnectionsPerPod ?? Number.POSITIVE_INFINITY),
    isShared: (socket) => isForPods(socket, options.pods?.()),
    onRefused: (reason) => counters.refused.add(1, { reason }),
  })
  const identity = tls || websocket?.tls ? await openIdentity(options, scope) : undefined
  const tcp = await openTcp(options, options, limit, scope)
  return {
    tcp,
    forPods: (pods) => openForPods(options, pods, { tcp, limit }, scope),
    tls: tls && identity && (await openTls(options, tls, identity, limit, scope)),
    websocket: websocket && (await openWebSocket(options, websocket, identity, limit, scope)),
  }
}

async function openTcp(options: ListenerOptions, at: At, limit: ConnectionLimit, scope: Scope): Promise<number> {
  const { log } = options
  const server = createServer({ noDelay: true }, (socket) => admit(options, socket))
  const port = await open(server, at, limit, log, scope)
  log.info('The MQTT broker listens', { host: at.host, port })
  return port
}

function openForPods(
  options: ListenerOptions,
  pods: PodListenerOptions,
  { tcp, limit }: { readonly tcp: number; readonly limit: ConnectionLimit },
  scope: Scope,
): Promise<number | undefined> {
  const plain = { host: options.host, port: tcp }
  return openPodListener(pods, plain, (at) => openTcp(options, at, limit, scope), options.log)
}

async function openTls(
  options: ListenerOptions,
  tls: MqttTlsConfig,
  identity: LiveIdentity,
  limit: ConnectionLimit,
  scope: Scope,
): Promise<number> {
  const { log, counters } = options
  const server = createTlsServer({ ...tlsOptions(tls, identity), noDelay: true }, (socket) => admit(options, socket))
  server.on('tlsClientError', (error) => {
    counters.refused.add(1, { reason: 'tls' })
    log.debug('A TLS handshake of an MQTT client failed', { error })
  })
  identity.onRenewed((renewed) => server.setSecureContext({ ...renewed, minVersion: 'TLSv1.2' }))
  const port = await open(server, tls, limit, log, scope)
  log.info('The MQTT broker listens with TLS', { host: tls.host, port, ...trustOf(options) })
  return port
}

async function openWebSocket(
  options: ListenerOptions,
  websocket: MqttWebSocketConfig,
  identity: LiveIdentity | undefined,
  limit: ConnectionLimit,
  scope: Scope,
): Promise<number> {
  const { log, counters, maxPacketBytes, maxConnections } = options
  const served = await serveWebSocket({
    at: websocket,
    tls: identity && websocket.tls ? tlsOptions(options.tls, identity) : undefined,
    origins: websocket.origins,
    maxPacketBytes,
    maxConnections,
    log,
    onRefused: (reason) => counters.refused.add(1, { reason }),
    accept: (stream, request) => admit(options, stream, request),
  })
  limit.watch(served.server)
  identity?.onRenewed((renewed) => served.renew(renewed))
  scope.defer(() => void served.close())
  log.info('The MQTT broker listens for WebSocket', {
    ...{ host: websocket.host, port: served.port },
    ...(websocket.tls ? trustOf(options) : {}),
  })
  return served.port
}

async function openIdentity(options: ListenerOptions, scope: Scope): Promise<LiveIdentity> {
  const { folder, tls, clock, log, recheck } = options
  if (folder === undefined) {
    throw new ConfigError('mqtt.tls: a self-made certificate needs a folder', { code: 'PLATFORM_MQTT_TLS_INCOMPLETE' })
  }
  const identity = await LiveIdentity.open({
    ...{ source: tls ?? { names: [] }, folder, clock, log },
    ...(recheck === undefined ? {} : { reread: recheck }),
  })
  scope.run((signal) => identity.follow(signal))
  return identity
}

/** TLS 1.2 and newer. A client certificate that is not of the CA is looked at in `peerOf`, where one is optional. */
function tlsOptions(tls: MqttTlsConfig | undefined, identity: LiveIdentity): TlsOptions {
  const { current } = identity
  return {
    ...current,
    minVersion: 'TLSv1.2',
    handshakeTimeout: 10_000,
    requestCert: current.ca !== undefined,
    rejectUnauthorized: tls?.requireCertificate === true,
  }
}

function admit(options: ListenerOptions, connection: Duplex, request?: IncomingMessage): void {
  const socket = request?.socket ?? connection
  const peer = peerOf(socket, request)
  if (peer !== 'gone' && peer !== 'certificate') {
    const isPod = isForPods(socket, options.pods?.())
    options.accept(connection, isPod ? { ...peer, isForPods: true } : peer, request)
    return
  }
  if (peer === 'certificate') {
    options.counters.refused.add(1, { reason: 'certificate' })
    const address = socket instanceof Socket ? socket.remoteAddress : undefined
    options.log.warn('An MQTT client showed a certificate that is not good', { address })
  }
  connection.on('error', () => undefined)
  connection.destroy()
}

/** What clients have to trust; nothing where the certificate was given. */
function trustOf({ tls, folder = '' }: ListenerOptions): { readonly ca?: string } {
  return tls?.certificate === undefined ? { ca: caFile(folder) } : {}
}

async function open(server: Server, at: At, limit: ConnectionLimit, log: Logger, scope: Scope): Promise<number> {
  limit.watch(server)
  await listen(server, { host: at.host, port: at.port })
  server.on('error', (error) => log.error('The MQTT broker cannot accept', { error }))
  scope.defer(() => void server.close())
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
