import { type WebSocket, WebSocketServer } from 'ws'
import type { UpgradeExchange } from './exchange.ts'

/** What one message may hold: clients of Kubernetes send some dozen KiB. */
const LARGEST_MESSAGE = 8 * 1024 * 1024

/**
 * Answers a WebSocket handshake with that protocol. Undefined where the handshake is bad, and answered so. What the client sends
 * waits until somebody listens and calls `resume`.
 */
export function acceptWebSocket(
  { request, socket, head }: UpgradeExchange,
  protocol: string,
): Promise<WebSocket | undefined> {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: LARGEST_MESSAGE,
    clientTracking: false,
    handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
  })
  return new Promise((resolve) => {
    const onClose = () => resolve(undefined)
    socket.once('close', onClose)
    server.handleUpgrade(request, socket, head, (webSocket) => {
      socket.off('close', onClose)
      webSocket.pause()
      resolve(webSocket)
    })
  })
}
