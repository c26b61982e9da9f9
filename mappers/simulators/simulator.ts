import type { Clock, Random } from '../../platform/time/index.ts'

/** A simulated device on its real protocol. */
export interface Simulator {
  readonly name: string
  /** Where it listens. Throws before `start`. */
  readonly port: number
  /** Settles when the port is open; rejects when it is taken. */
  start(): Promise<void>
  close(): Promise<void>
}

export interface SimulatorOptions {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly clock: Clock
  readonly random: Random
}
