import { chmod } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type HttpHandler, prepareSocketPath, removeSocketPath, serveHttp } from '../../../platform/http/index.ts'
import type { Scope } from '../../../platform/lifecycle/index.ts'
import { serverCounts } from './server-counts.ts'
import type { ServerPorts } from './server-ports.ts'

const MOST_CONNECTIONS = 512
const EDGED_SOCKET = 'edged'

/**
 * The HTTP server of a kubelet, on a unix socket for the owner of the data directory: who may open it may do all. What answers is loaded
 * with the first request. The socket is there when this settles; its path.
 */
export async function serveEdged(
  /** Of the socket: private to its owner. */
  folder: string,
  given: Omit<ServerPorts, 'counts'>,
  scope: Scope,
): Promise<string> {
  const ports = { ...given, counts: serverCounts(given.metrics) }
  let routes: Promise<HttpHandler> | undefined
  const path = await prepareSocketPath(folder, EDGED_SOCKET)
  scope.defer(() => removeSocketPath(folder, EDGED_SOCKET))
  const server = await serveHttp({
    at: { path },
    log: ports.log,
    clock: ports.clock,
    maxConnections: MOST_CONNECTIONS,
    handler: async (request, response, signal) => {
      routes ??= import('./routes.ts').then(({ createRoutes }) => createRoutes(ports))
      await (await routes)(request, response, signal)
    },
  })
  scope.use(server)
  server.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Until it is taken over, whoever leaves must not end this process.
    socket.on('error', () => undefined)
    const left = new AbortController()
    socket.once('close', () => left.abort(new Error('the caller left')))
    void import('./upgrades.ts').then(({ answerUpgrade }) =>
      answerUpgrade(ports, { request, socket, head }, left.signal),
    )
  })
  await chmod(path, 0o600)
  return path
}
