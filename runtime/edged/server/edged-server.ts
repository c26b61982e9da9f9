import { chmod } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  countRefusals,
  type HttpHandler,
  type HttpServer,
  prepareSocketPath,
  removeSocketPath,
  type ServeHttpOptions,
  serveHttp,
} from '../../../platform/http/index.ts'
import type { Scope } from '../../../platform/lifecycle/index.ts'
import { isForeign } from './foreign.ts'
import { serverCounts } from './server-counts.ts'
import type { ServerPorts } from './server-ports.ts'

export interface EdgedServerOptions {
  /** Of the socket: private to its owner. */
  readonly folder: string
  /** Of 127.0.0.1; absent: the socket alone. */
  readonly port?: number
}

const MOST_CONNECTIONS = 512
const NAME = 'edged'
const LOOPBACK = '127.0.0.1'

/**
 * The HTTP server of a kubelet, on a unix socket for the owner of the data directory: who may open it may do all. What answers is loaded
 * with the first request. The socket is there when this settles; its path.
 */
export async function serveEdged(
  { folder, port }: EdgedServerOptions,
  given: Omit<ServerPorts, 'counts'>,
  scope: Scope,
): Promise<string> {
  const ports = { ...given, counts: serverCounts(given.metrics) }
  const path = await prepareSocketPath(folder, NAME)
  scope.defer(() => removeSocketPath(folder, NAME))
  scope.use(await listen({ path }, ports))
  await chmod(path, 0o600)
  if (port !== undefined) scope.use(await listen({ host: LOOPBACK, port }, ports))
  return path
}

async function listen(at: ServeHttpOptions['at'], ports: ServerPorts): Promise<HttpServer> {
  let routes: Promise<HttpHandler> | undefined
  const refuses = (request: IncomingMessage) => !('path' in at) && isForeign(request)
  const served = await serveHttp({
    ...{ at, log: ports.log, clock: ports.clock, maxConnections: MOST_CONNECTIONS },
    onRefused: countRefusals(ports.metrics, 'edged'),
    handler: async (request, response, signal) => {
      if (refuses(request)) {
        response.writeHead(403).end()
        return
      }
      routes ??= import('./routes.ts').then(({ createRoutes }) => createRoutes(ports))
      await (await routes)(request, response, signal)
    },
  })
  served.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Until it is taken over, whoever leaves must not end this process.
    socket.on('error', () => undefined)
    if (refuses(request)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
      return
    }
    const left = new AbortController()
    socket.once('close', () => left.abort(new Error('the caller left')))
    void import('./upgrades.ts').then(({ answerUpgrade }) =>
      answerUpgrade(ports, { request, socket, head }, left.signal),
    )
  })
  return served
}
