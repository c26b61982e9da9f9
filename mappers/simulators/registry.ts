import { UP_PORTS } from '../../schemas/config/index.ts'
import type { JsonObject } from '../../schemas/index.ts'
import type { CreateSimulator } from './simulator.ts'

/** How one protocol is simulated. */
export interface SimulatorEntry {
  readonly protocol: string
  readonly aliases: readonly string[]
  /** Folder of `samples/` that is simulated when nothing else is asked for. */
  readonly sample: string
  /** Where it listens unless it is told otherwise; 0 where nothing listens. */
  readonly port: number
  /** Ways to reach it, the first one the usual. */
  readonly transports: readonly string[]
  /** Keys of `protocol.configData` that say where a device is. */
  readonly address: readonly string[]
  /** Loads its code, which may be a whole server of a vendor. */
  readonly load: () => Promise<CreateSimulator>
}

/** All protocols that can be simulated. */
export const simulators: readonly SimulatorEntry[] = [
  {
    protocol: 'modbus',
    aliases: ['modbus-tcp'],
    sample: 'pump',
    port: UP_PORTS.pump.port,
    address: ['host', 'port', 'mode', 'serialPort'],
    transports: ['tcp', 'rtu', 'serial'],
    load: async () => (await import('./modbus/modbus-simulator.ts')).createModbusSimulator,
  },
]

/** By name or alias, in any case. */
export function simulatorOf(protocol: string): SimulatorEntry | undefined {
  const name = protocol.toLowerCase()
  return simulators.find((entry) => entry.protocol === name || entry.aliases.includes(name))
}

/** `protocol.configData` of a Device that means a simulator: that of its manifest, with the address of the simulator. */
export function placedConfig(entry: SimulatorEntry, configData: JsonObject, address: JsonObject): JsonObject {
  const kept = Object.entries(configData).filter(([key]) => !entry.address.includes(key))
  return { ...address, ...Object.fromEntries(kept) }
}
