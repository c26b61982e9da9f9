import { join } from 'node:path'
import { stringify } from 'yaml'
import {
  FAULT_FORMS,
  placedConfig,
  type SimulatedDevice,
  type Simulator,
  type SimulatorEntry,
  simulatorOf,
  simulators,
  usualPort,
} from '../../../mappers/simulators/index.ts'
import { listenError } from '../../../platform/http/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { ms, systemClock, systemRandom } from '../../../platform/time/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { dataDirectory } from '../data-directory.ts'
import { EXIT } from '../exit.ts'
import { settleHeap } from '../settle-heap.ts'
import { stopSignal, untilAborted } from '../signals.ts'
import { chosenDevices } from '../simulate/chosen-devices.ts'
import { controlFaults, faultNamed, readFaultScript } from '../simulate/fault-control.ts'
import type { Console } from '../terminal.ts'
import { packageRoot } from '../version.ts'

const BROKER_RETRY = ms(150)

export interface SimulateOptions extends CommonOptions {
  readonly port?: string
  readonly host?: string
  readonly model?: string
  readonly device?: readonly string[]
  readonly faults?: string
  readonly fault?: string
  /** Modbus: RTU frames in TCP. */
  readonly rtu?: boolean
  /** On a serial port; a text is where that has to appear. */
  readonly serial?: string | boolean
}

/** `skerry simulate PROTOCOL`: a simulated device on its real protocol, until it is asked to stop. */
export async function simulate(protocol: string, options: SimulateOptions, terminal: Console): Promise<number> {
  const entry = entryOf(protocol)
  const host = options.host ?? '127.0.0.1'
  const port = parsePort(options.port ?? String(usualPort(entry)))
  const transport = transportOf(entry, options)
  const script = options.faults === undefined ? undefined : await readFaultScript(options.faults)
  const first = options.fault === undefined ? undefined : faultNamed(options.fault)
  const [device, ...neighbours] = await chosenDevices(entry, options, join(packageRoot, 'samples'))
  const signal = stopSignal(() => process.exit(EXIT.unclean))
  const create = await entry.load()
  const path = typeof options.serial === 'string' ? options.serial : undefined
  const folder = join(dataDirectory(options.data, 'run'), 'simulators', device.name)
  const isNodeBroker = isPartOfUp() || (isLoopback(host) && port === usualPort(entry))
  const at = { host, port, path, transport, folder, isNodeBroker }
  const simulator = create({ ...at, clock: systemClock, random: systemRandom, device, neighbours })
  await startWhenPossible(entry, simulator, signal).catch((error: unknown) => {
    throw listenError(error, { host, port })
  })
  process.send?.({
    ready: { simulators: { [entry.sample]: simulator.url } },
    address: simulator.configData,
  })
  if (process.send) settleHeap()
  tell(options, terminal, { entry, simulator, devices: [device, ...neighbours] })
  const line = (value: object, text: string) =>
    terminal.write(options.output === 'json' ? `${JSON.stringify(value)}\n` : `${text}\n`)
  await controlFaults(
    { script, first },
    {
      simulator,
      signal,
      told: (fault) => line({ fault }, `fault: ${fault}`),
      refused: (reason) => terminal.error(`skerry: ${reason}`),
    },
  )
  await untilAborted(signal)
  await simulator.close()
  return EXIT.ok
}

/** Part of a `skerry up`, the device of a broker waits for it: both are started at the same time. */
async function startWhenPossible(entry: SimulatorEntry, simulator: Simulator, signal: AbortSignal): Promise<void> {
  const waits = entry.reach.kind === 'broker' && isPartOfUp()
  for (;;) {
    try {
      return await simulator.start()
    } catch (error) {
      if (!waits) throw error
    }
    await systemClock.sleep(BROKER_RETRY, signal)
  }
}

/** Which gives it the broker of its node. */
function isPartOfUp(): boolean {
  return process.send !== undefined
}

function isLoopback(host: string): boolean {
  return ['127.0.0.1', 'localhost', '::1'].includes(host)
}

interface Running {
  readonly entry: SimulatorEntry
  readonly simulator: Simulator
  readonly devices: readonly SimulatedDevice[]
}

/** Where it is, what it has, and what a Device says that means it. */
function tell({ output }: SimulateOptions, terminal: Console, { entry, simulator, devices }: Running): void {
  const { url, configData } = simulator
  const protocol = entry.protocol
  const shown = devices.map((device) => ({
    name: device.name,
    protocol: { protocolName: protocol, configData: placedConfig(entry, device.configData, configData) },
    properties: device.properties.map(({ model }) => ({
      name: model.name,
      type: model.type ?? 'STRING',
      accessMode: model.accessMode ?? 'ReadWrite',
    })),
  }))
  if (output === 'json') {
    terminal.write(`${JSON.stringify({ simulator: simulator.name, protocol, url, configData, devices: shown })}\n`)
    return
  }
  terminal.write(
    [
      ...shown.flatMap((device) => [
        `${device.name} (${protocol}) on ${url}`,
        `  ${device.properties.map(({ name, accessMode }) => (accessMode === 'ReadOnly' ? name : `${name} (writable)`)).join(', ')}`,
        '  A Device that means it says in its spec:',
        ...stringify({ protocol: device.protocol })
          .trimEnd()
          .split('\n')
          .map((each) => `    ${each}`),
      ]),
      `Type a fault to bring it about: ${FAULT_FORMS}. Ctrl-C ends it.`,
      '',
    ].join('\n'),
  )
}

function entryOf(protocol: string): SimulatorEntry {
  const entry = simulatorOf(protocol)
  if (entry) return entry
  const known = simulators.map((each) => each.protocol).join(', ')
  throw new ConfigError(`nothing simulates "${protocol}"; there is: ${known}`, { code: 'PROCESS_SIMULATOR_UNKNOWN' })
}

function transportOf(entry: SimulatorEntry, options: SimulateOptions): string | undefined {
  const wanted = options.serial !== undefined && options.serial !== false ? 'serial' : options.rtu ? 'rtu' : undefined
  if (wanted === undefined || entry.transports.includes(wanted)) return wanted
  throw new ConfigError(`a simulated ${entry.protocol} device cannot be reached by --${wanted}: leave it out`, {
    code: 'PROCESS_SIMULATOR_TRANSPORT',
  })
}

function parsePort(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port
  throw new ConfigError(`"${text}" is not a port: give a number from 0 to 65535`, { code: 'PROCESS_PORT_INVALID' })
}
