import { type WebSocket, WebSocketServer } from 'ws'
import type { UpgradeExchange } from './exchange.ts'

/** What one message may hold: clients of Kubernetes send some dozen KiB. */
const LARGEST_MESSAGE = 8 * 1024 * 1024
/** More than this is not under way to a client because of its pings. */
const MOST_UNSENT = 64 * 1024

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
    autoPong: false,
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
      // A client that pings and does not read must not fill the memory with pongs.
      webSocket.on('ping', (data) => {
        if (webSocket.bufferedAmount < MOST_UNSENT) webSocket.pong(data)
      })
      resolve(webSocket)
    })
  })
}
