import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Counter } from '../../platform/health/index.ts'
import type { Clock } from '../../platform/time/index.ts'
import { SKERRY_HEADER, SKERRY_WIRE_VERSION } from '../../schemas/index.ts'
import { LARGEST_MESSAGE } from './frame.ts'
import { EdgeTunnel } from './kubeedge/edge-tunnel.ts'
import { StreamTunnel } from './stream-tunnel.ts'
import { TunnelSocket } from './tunnel-socket.ts'
import type { TunnelTarget } from './tunnels.ts'

/** The cloud's end of a node's tunnel. */
export interface NodeTunnel {
  readonly peer: 'skerry' | 'kubeedge'
  /** Streams at present. */
  readonly size: number
  /** Settles with the reason, never rejects. */
  readonly closed: Promise<string>
  /** As Tunnels.open. */
  open(target: TunnelTarget, signal: AbortSignal): Promise<Duplex>
  close(reason: string): void
}

export interface NodeTunnelOptions {
  readonly clock: Clock
  /** Default 128. */
  readonly mostStreams?: number
  /** Of messages, with `direction` up or down. */
  readonly bytes?: Counter
}

export type AcceptTunnel = (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<NodeTunnel>

/** Completes the upgrades of nodes whose caller has already decided who may. Skerry edges announce themselves, and are answered in kind. */
export function createTunnelAcceptor(options: NodeTunnelOptions): AcceptTunnel {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: LARGEST_MESSAGE,
    // An original edge sends what it has as text.
    skipUTF8Validation: true,
    clientTracking: false,
    handleProtocols: () => false,
  })
  server.on('headers', (headers, request) => {
    if (isSkerry(request)) headers.push(`${SKERRY_HEADER}: ${SKERRY_WIRE_VERSION}`)
  })
  return (request, connection, head) =>
    new Promise((resolve, reject) => {
      connection.once('close', () => reject(new Error('the peer left during the upgrade')))
      server.handleUpgrade(request, connection, head, (webSocket) => {
        const peer = isSkerry(request) ? 'skerry' : 'kubeedge'
        const socket = new TunnelSocket(webSocket, {
          clock: options.clock,
          isText: peer === 'kubeedge',
          connection: request.socket,
          onMessage: (message) => tunnel.take(message),
          onBytes: (isOut, bytes) => options.bytes?.add(bytes, { direction: isOut ? 'down' : 'up' }),
        })
        const onBreach = (reason: string) => {
          tunnel.end(reason)
          socket.close(reason)
        }
        const ports = { ...options, wire: socket, onBreach }
        const tunnel = peer === 'skerry' ? new StreamTunnel(ports) : new EdgeTunnel(ports)
        resolve({
          peer,
          get size() {
            return tunnel.size
          },
          closed: socket.closed.then((reason) => {
            tunnel.end(reason)
            return reason
          }),
          open: (target, signal) => tunnel.open(target, signal),
          close: onBreach,
        })
      })
    })
}

function isSkerry(request: IncomingMessage): boolean {
  return request.headers[SKERRY_HEADER] === SKERRY_WIRE_VERSION
}
