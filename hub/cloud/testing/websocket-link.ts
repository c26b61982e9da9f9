import { on } from 'node:events'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Frame } from '../../../schemas/index.ts'
import type { AcceptedLink, AcceptLink } from '../cloudhub/module.ts'

/** Links over bare WebSockets, for tests that need a socket and no more. */
export const acceptWebSocket: AcceptLink = async (request, socket, head) => {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, handleProtocols: () => false })
  const { promise, resolve } = Promise.withResolvers<WebSocket>()
  server.handleUpgrade(request, socket, head, resolve)
  return linkOver(await promise)
}

function linkOver(socket: WebSocket): AcceptedLink {
  return {
    async send(frame) {
      socket.send(JSON.stringify(frame))
    },
    frames: framesOf(socket),
    close: (reason) => socket.close(1000, reason),
  }
}

async function* framesOf(socket: WebSocket): AsyncGenerator<Frame> {
  for await (const [data] of on(socket, 'message', { close: ['close'] })) yield JSON.parse(String(data))
}
