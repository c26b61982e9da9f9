import { SkerryError } from '../lifecycle/errors.ts'
import type { Scope } from '../lifecycle/module.ts'
import type { Logger } from '../log/logger.ts'
import { Backoff, type Clock, type Random, seconds } from '../time/index.ts'
import type { HttpServer } from './serve.ts'

export interface KeepListeningOptions<T extends HttpServer> {
  /** What cannot be done without it, for people: `ServiceBus cannot listen for applications of this machine`. */
  readonly trouble: string
  readonly port: number
  readonly open: () => Promise<T>
  readonly onListening: (server: T) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

const REST = { first: seconds(1), most: seconds(60) }

/**
 * Listens; where another program has the port, it says so and tries again: the devices of a gateway must not stand still for it.
 * The first try is over when this settles.
 */
export async function keepListening<T extends HttpServer>(
  options: KeepListeningOptions<T>,
  scope: Scope,
): Promise<void> {
  if (await tryListening(options, scope)) return
  scope.pending(`port ${options.port}, which another program has`)
  scope.run(async (signal) => {
    const backoff = new Backoff(REST, options.random)
    do await options.clock.sleep(backoff.next(), signal)
    while (!(await tryListening(options, scope)))
    scope.pending(undefined)
  })
}

async function tryListening<T extends HttpServer>(options: KeepListeningOptions<T>, scope: Scope): Promise<boolean> {
  const { port, log, onListening, trouble } = options
  try {
    const server = await options.open()
    scope.defer(() => server.close(seconds(2)))
    onListening(server)
    return true
  } catch (error) {
    if (!(error instanceof SkerryError) || !error.code.startsWith('PLATFORM_PORT_')) throw error
    log.warn(trouble, { port, error })
    return false
  }
}
