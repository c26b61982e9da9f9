import { join } from 'node:path'
import { createSimulatedDevice, simulatorOf, simulators } from '../../../mappers/simulators/index.ts'
import { listenError } from '../../../platform/http/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { systemClock, systemRandom } from '../../../platform/time/index.ts'
import { UP_PORTS } from '../../../schemas/config/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { EXIT } from '../exit.ts'
import { readManifests } from '../read-manifests.ts'
import { stopSignal, untilAborted } from '../signals.ts'
import type { Console } from '../terminal.ts'
import { packageRoot } from '../version.ts'

export interface SimulateOptions extends CommonOptions {
  readonly port?: string
  readonly host?: string
}

/** `skerry simulate PROTOCOL`: a simulated device on its real protocol, until it is asked to stop. */
export async function simulate(protocol: string, options: SimulateOptions, terminal: Console): Promise<number> {
  const entry = simulatorOf(protocol)
  if (!entry) {
    const known = simulators.map((each) => each.protocol).join(', ')
    throw new ConfigError(`nothing simulates "${protocol}"; there is: ${known}`, {
      code: 'PROCESS_SIMULATOR_UNKNOWN',
    })
  }
  const host = options.host ?? '127.0.0.1'
  const port = parsePort(options.port ?? String(UP_PORTS.pump.port))
  const signal = stopSignal(() => process.exit(EXIT.unclean))
  const folder = join(packageRoot, 'samples', entry.sample)
  const { models, devices } = await readManifests([join(folder, 'model.yaml'), join(folder, 'device.yaml')])
  const [model] = models
  if (!model) throw new ConfigError('no DeviceModel', { code: 'PROCESS_MANIFEST_INVALID' })
  const device = createSimulatedDevice({ model, device: devices[0], clock: systemClock, random: systemRandom })
  const create = await entry.load()
  const simulator = create({ host, port, clock: systemClock, random: systemRandom, device })
  await simulator.start().catch((error: unknown) => {
    throw listenError(error, { host, port })
  })
  const { url, configData } = simulator
  process.send?.({ ready: { simulators: { [entry.sample]: url } } })
  terminal.print(
    options.output,
    { simulator: simulator.name, protocol: entry.protocol, url, configData },
    `${simulator.name} (${entry.protocol}) on ${url}`,
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
