import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Logger } from '../../platform/log/index.ts'
import type { Clock } from '../../platform/time/index.ts'
import { CLOUD_EPOCH_HEADER, SKERRY_HEADER, SKERRY_WIRE_VERSION, TUNNEL_HEADER } from '../../schemas/index.ts'
import type { Link } from './link.ts'
import { LARGEST_FRAME, linkOver } from './websocket-link.ts'

export type AcceptUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<Link>

export interface AcceptorPorts {
  readonly clock: Clock
  readonly log: Logger
  /** Bytes; a peer that sends more is closed. Default 32 MiB. */
  readonly largestFrame?: number
  /** Told to peers that announce the skerry keys. */
  readonly cloudEpoch?: string
  /** Told to the same: port of the tunnel server, or `off`. */
  readonly tunnel?: () => string
}

/**
 * Completes the upgrades of a server whose caller has already decided who may: any path, no subprotocol, no extension. A peer
 * that announces the skerry keys is answered in kind.
 */
export function createUpgradeAcceptor(ports: AcceptorPorts): AcceptUpgrade {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: ports.largestFrame ?? LARGEST_FRAME,
    clientTracking: false,
    handleProtocols: () => false,
  })
  server.on('headers', (headers, request) => {
    if (!isSkerry(request)) return
    headers.push(`${SKERRY_HEADER}: ${SKERRY_WIRE_VERSION}`)
    if (ports.cloudEpoch) headers.push(`${CLOUD_EPOCH_HEADER}: ${ports.cloudEpoch}`)
    if (ports.tunnel) headers.push(`${TUNNEL_HEADER}: ${ports.tunnel()}`)
  })
  return (request, socket, head) =>
    new Promise((resolve, reject) => {
      socket.once('close', () => reject(new Error('the peer left during the upgrade')))
      server.handleUpgrade(request, socket, head, (webSocket) =>
        resolve(
          linkOver(webSocket, {
            clock: ports.clock,
            log: ports.log,
            isSkerry: isSkerry(request),
            bytesRead: () => request.socket.bytesRead,
            wire: socket,
          }),
        ),
      )
    })
}

function isSkerry(request: IncomingMessage): boolean {
  return request.headers[SKERRY_HEADER] === SKERRY_WIRE_VERSION
}
