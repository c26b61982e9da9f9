import type { CreateSimulator } from './simulator.ts'

/** How one protocol is simulated. */
export interface SimulatorEntry {
  readonly protocol: string
  readonly aliases: readonly string[]
  /** Folder of `samples/` that is simulated when nothing else is asked for. */
  readonly sample: string
  /** Loads its code, which may be a whole server of a vendor. */
  readonly load: () => Promise<CreateSimulator>
}

/** All protocols that can be simulated. */
export const simulators: readonly SimulatorEntry[] = [
  {
    protocol: 'modbus',
    aliases: ['modbus-tcp'],
    sample: 'pump',
    load: async () => (await import('./modbus/modbus-simulator.ts')).createModbusSimulator,
  },
]

/** By name or alias, in any case. */
export function simulatorOf(protocol: string): SimulatorEntry | undefined {
  const name = protocol.toLowerCase()
  return simulators.find((entry) => entry.protocol === name || entry.aliases.includes(name))
}
