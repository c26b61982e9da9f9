import type { Clock, Random } from '../../platform/time/index.ts'
import type { JsonObject } from '../../schemas/index.ts'
import type { Fault } from './faults/fault.ts'
import type { SimulatedDevice } from './simulated-device.ts'

/** A simulated device on its real protocol. */
export interface Simulator {
  /** Of the device. */
  readonly name: string
  /** Where it is reached, e.g. `tcp://127.0.0.1:5020`, `opc.tcp://...`, `mqtt://...`, `file:///dev/pts/3`. Throws before `start`. */
  readonly url: string
  /** The part of `protocol.configData` of a Device that says where it is. Throws before `start`. */
  readonly configData: JsonObject
  /** Links that are open just now. */
  readonly connections: number
  /** Requests that arrived, answered or not. */
  readonly requests: number
  /** Settles when it can be reached; rejects when it cannot, e.g. where the port is taken. */
  start(): Promise<void>
  /** Ends all links. May be called more than once, and before `start`. */
  close(): Promise<void>
  /** Brings a fault about, in place of the last one; undefined heals. Settles when it has taken effect. */
  fault(fault: Fault | undefined): Promise<void>
}

export interface SimulatorOptions {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly clock: Clock
  readonly random: Random
  readonly device: SimulatedDevice
  /** Further devices on the same server or line, where the protocol has units. */
  readonly neighbours?: readonly SimulatedDevice[] | undefined
  /** Where the protocol has several: for Modbus `tcp` (default), `rtu` (RTU over TCP) or `serial`. */
  readonly transport?: string | undefined
  /** For serial lines: where the port has to appear, as a link. */
  readonly path?: string | undefined
  /** For devices of a broker: it is that of the node, which Devices call `local`. */
  readonly isNodeBroker?: boolean | undefined
  /** For what outlives the simulator, as its certificate; made when it is needed. Absent: nothing outlives it. */
  readonly folder?: string | undefined
}

export type CreateSimulator = (options: SimulatorOptions) => Simulator
