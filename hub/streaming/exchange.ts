import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** A request that asks for another protocol, as `http.Server` tells of it with `upgrade`. */
export interface UpgradeExchange {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

/** Protocols that a client would speak over a WebSocket. */
export function webSocketProtocols({ headers }: Pick<IncomingMessage, 'headers'>): readonly string[] {
  if (headers.upgrade?.toLowerCase() !== 'websocket') return []
  return (headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
}

/** A remote command over a WebSocket whose streams can be closed one by one: no kubelet of today speaks it. */
export function isCommandOverWebSocket(request: Pick<IncomingMessage, 'headers'>): boolean {
  return webSocketProtocols(request).includes(COMMAND_OVER_WEB_SOCKET)
}

export const COMMAND_OVER_WEB_SOCKET = 'v5.channel.k8s.io'

const TUNNEL = /^SPDY\/3\.1\+(.+\.k8s\.io)$/

/** Whether SPDY is to go through a WebSocket. */
export function isTunnelOverWebSocket(request: Pick<IncomingMessage, 'headers'>): boolean {
  return tunnelProtocols(request).length > 0
}

/** What is to be spoken over the SPDY in a WebSocket: `portforward.k8s.io`. */
export function tunnelProtocols(request: Pick<IncomingMessage, 'headers'>): readonly string[] {
  return webSocketProtocols(request).flatMap((each) => TUNNEL.exec(each)?.[1] ?? [])
}

export const TUNNEL_PREFIX = 'SPDY/3.1+'
