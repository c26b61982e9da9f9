import { simulators } from '../../../mappers/simulators/index.ts'
import { listenError } from '../../../platform/http/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { systemClock, systemRandom } from '../../../platform/time/index.ts'
import { UP_PORTS } from '../../../schemas/config/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { EXIT } from '../exit.ts'
import { stopSignal, untilAborted } from '../signals.ts'
import type { Console } from '../terminal.ts'

export interface SimulateOptions extends CommonOptions {
  readonly port?: string
  readonly host?: string
}

/** `skerry simulate PROTOCOL`: a simulated device on its real protocol, until it is asked to stop. */
export async function simulate(protocol: string, options: SimulateOptions, terminal: Console): Promise<number> {
  const create = simulators[protocol]
  if (!create) {
    throw new ConfigError(`nothing simulates "${protocol}"; there is: ${Object.keys(simulators).join(', ')}`, {
      code: 'PROCESS_SIMULATOR_UNKNOWN',
    })
  }
  const host = options.host ?? '127.0.0.1'
  const port = parsePort(options.port ?? String(UP_PORTS.pump.port))
  const signal = stopSignal(() => process.exit(EXIT.unclean))
  const simulator = create({ host, port, clock: systemClock, random: systemRandom })
  await simulator.start().catch((error: unknown) => {
    throw listenError(error, { host, port })
  })
  const url = `tcp://${host}:${simulator.port}`
  process.send?.({ ready: { simulators: { [simulator.name]: url } } })
  terminal.print(
    options.output,
    { simulator: simulator.name, protocol, url },
    `${simulator.name} (${protocol}) on ${url}`,
  )
  await untilAborted(signal)
  await simulator.close()
  return EXIT.ok
}

function parsePort(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port
  throw new ConfigError(`"${text}" is not a port: give a number from 0 to 65535`, { code: 'PROCESS_PORT_INVALID' })
}
