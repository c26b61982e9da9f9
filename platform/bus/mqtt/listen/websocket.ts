import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SecureContextOptions, TlsOptions } from 'node:tls'
import { WebSocketServer } from 'ws'
import { isOriginAllowed } from '../../../http/origin.ts'
import { serveHttp, serveHttps } from '../../../http/serve.ts'
import type { Logger } from '../../../log/logger.ts'
import { seconds } from '../../../time/index.ts'
import { streamOf } from './websocket-stream.ts'

export interface WebSocketListenerOptions {
  readonly at: { readonly host: string; readonly port: number }
  /** wss where it is there. */
  readonly tls: TlsOptions | undefined
  readonly origins: readonly string[]
  readonly maxPacketBytes: number
  readonly maxConnections: number
  readonly log: Logger
  readonly onRefused: (reason: 'origin' | 'upgrade') => void
  readonly accept: (stream: Duplex, request: IncomingMessage) => void
}

export interface WebSocketListener {
  readonly server: Server
  readonly port: number
  close(): Promise<void>
  /** Of wss. */
  renew(context: SecureContextOptions): void
}

/** Room for packets that come together in one frame; a packet itself is bounded where it is read. */
const FRAME_ROOM = 65_536
/** MQTT 3.1.1 §6, and its older name. */
const PROTOCOLS = ['mqtt', 'mqttv3.1']
const PATHS = new Set(['/', '/mqtt'])

/** MQTT over WebSocket on `/mqtt` and `/`. */
export async function serveWebSocket(options: WebSocketListenerOptions): Promise<WebSocketListener> {
  const { at, tls, log, maxConnections } = options
  const http = {
    at: { host: at.host, port: at.port },
    log,
    maxConnections,
    handler: (_request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(426, { connection: 'Upgrade, close', upgrade: 'websocket', 'content-type': 'text/plain' })
      response.end('MQTT over WebSocket: connect with an MQTT client.\n')
    },
  }
  const secure = tls && (await serveHttps({ ...http, tls }))
  const served = secure ?? (await serveHttp(http))
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: options.maxPacketBytes + FRAME_ROOM,
    handleProtocols: (offered) => PROTOCOLS.find((each) => offered.has(each)) ?? false,
  })
  const server: Server = served.server
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined)
    const refusal = refuse(request, options.origins)
    if (refusal) {
      options.onRefused(refusal.status === 403 ? 'origin' : 'upgrade')
      log.debug('A WebSocket was refused', { reason: refusal.reason, origin: request.headers.origin })
      socket.end(`HTTP/1.1 ${refusal.status} ${refusal.reason}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => options.accept(streamOf(webSocket), request))
  })
  return {
    server,
    port: served.port,
    close: () => served.close(seconds(1)),
    renew: (context) => secure?.renew(context),
  }
}

function refuse(request: IncomingMessage, origins: readonly string[]) {
  const { headers, url = '' } = request
  if (!isOriginAllowed(headers.origin, headers.host, origins)) return { status: 403, reason: 'Origin Not Allowed' }
  if (!PATHS.has(url.split('?')[0] ?? '')) return { status: 404, reason: 'Not Found' }
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim())
  return PROTOCOLS.some((each) => offered.includes(each))
    ? undefined
    : { status: 400, reason: 'Subprotocol Mqtt Missing' }
}
