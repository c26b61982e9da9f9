import { createPumpSimulator } from './modbus/pump.ts'
import type { Simulator, SimulatorOptions } from './simulator.ts'

/** The simulated devices of `skerry simulate`, by protocol. */
export const simulators: Readonly<Record<string, (options: SimulatorOptions) => Simulator>> = {
  modbus: createPumpSimulator,
}
