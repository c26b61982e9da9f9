import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { listen } from '../../../../platform/http/index.ts'

/** An HTTP service on a free port of the loopback. */
export async function startService(t: TestContext, listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  await listen(server, { host: '127.0.0.1', port: 0 })
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return portOf(server.address())
}

/** A service that says what a test wants, HTTP or not, once the head of a request has come. */
export async function startRawService(t: TestContext, answer: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
    socket.once('data', () => answer(socket))
  })
  await listen(server, { host: '127.0.0.1', port: 0 })
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return portOf(server.address())
}

function portOf(address: unknown): number {
  if (typeof address === 'object' && address !== null && 'port' in address) return Number(address.port)
  throw new Error('the server has no port')
}
