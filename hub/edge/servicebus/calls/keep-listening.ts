import { type HttpHandler, type HttpServer, serveHttp } from '../../../../platform/http/index.ts'
import { type Scope, SkerryError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import { Backoff, type Clock, type Random, seconds } from '../../../../platform/time/index.ts'

export interface KeepListeningOptions {
  readonly host: string
  readonly port: number
  readonly handler: HttpHandler
  readonly onListening: (server: HttpServer) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

const MOST_CONNECTIONS = 256
const REST = { first: seconds(1), most: seconds(60) }

/**
 * Listens; where another program has the port, it says so and tries again: the devices of a gateway must not stand still for it.
 * The first try is over when this settles.
 */
export async function keepListening(options: KeepListeningOptions, scope: Scope): Promise<void> {
  if (await tryListening(options, scope)) return
  scope.pending(`port ${options.port}, which another program has`)
  scope.run(async (signal) => {
    const backoff = new Backoff(REST, options.random)
    do await options.clock.sleep(backoff.next(), signal)
    while (!(await tryListening(options, scope)))
    scope.pending(undefined)
  })
}

async function tryListening(options: KeepListeningOptions, scope: Scope): Promise<boolean> {
  const { host, port, handler, clock, log, onListening } = options
  try {
    const server = await serveHttp({ at: { host, port }, handler, clock, log, maxConnections: MOST_CONNECTIONS })
    scope.defer(() => server.close(seconds(2)))
    onListening(server)
    return true
  } catch (error) {
    if (!(error instanceof SkerryError) || !error.code.startsWith('PLATFORM_PORT_')) throw error
    log.warn('ServiceBus cannot listen for applications of this machine', { port, error })
    return false
  }
}
