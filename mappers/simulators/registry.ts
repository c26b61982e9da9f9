import { UP_PORTS, type UpPortName } from '../../schemas/config/index.ts'
import type { JsonObject } from '../../schemas/index.ts'
import type { CreateSimulator } from './simulator.ts'

export type SimulatorReach =
  /** Listens on a port; the name of its usual one. It may keep files, as its certificate, in the data directory. */
  | { readonly kind: 'port'; readonly port: UpPortName; readonly keepsFiles?: boolean }
  /** Opens a pseudo-terminal, which is linked at a path. */
  | { readonly kind: 'serial' }
  /** Connects to an MQTT broker, whose host and port it is given. */
  | { readonly kind: 'broker' }

/** How one protocol is simulated. */
export interface SimulatorEntry {
  readonly protocol: string
  readonly aliases: readonly string[]
  /** Folder of `samples/` that is simulated when nothing else is asked for. */
  readonly sample: string
  /** How `skerry up` and `skerry simulate` make it reachable. */
  readonly reach: SimulatorReach
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
    reach: { kind: 'port', port: 'pump' },
    address: ['host', 'port', 'mode', 'serialPort'],
    transports: ['tcp', 'rtu', 'serial'],
    load: async () => (await import('./modbus/modbus-simulator.ts')).createModbusSimulator,
  },
  {
    protocol: 'opcua',
    aliases: ['opc-ua'],
    sample: 'boiler',
    reach: { kind: 'port', port: 'opcua', keepsFiles: true },
    address: ['url', 'fingerprint', 'trust'],
    transports: ['tcp'],
    load: async () => (await import('./opcua/opcua-simulator.ts')).createOpcuaSimulator,
  },
  {
    protocol: 'bluetooth-serial',
    aliases: ['serial', 'bluetooth'],
    sample: 'balance',
    reach: { kind: 'serial' },
    address: ['path', 'macAddress', 'channel'],
    transports: ['serial'],
    load: async () => (await import('./serial/serial-simulator.ts')).createSerialSimulator,
  },
  {
    protocol: 'mqtt',
    aliases: [],
    sample: 'plug',
    reach: { kind: 'broker' },
    address: ['broker', 'host', 'port'],
    transports: ['mqtt'],
    load: async () => (await import('./mqtt/mqtt-simulator.ts')).createMqttSimulator,
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

/** The port where it listens, or that of its broker; 0 for serial ports. */
export function usualPort({ reach }: SimulatorEntry): number {
  if (reach.kind === 'serial') return 0
  return UP_PORTS[reach.kind === 'broker' ? 'mqtt' : reach.port].port
}
