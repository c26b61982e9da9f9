import type { Clock, Random } from '../../../platform/time/index.ts'
import type { Fault } from '../faults/fault.ts'
import type { Simulator, SimulatorOptions } from '../simulator.ts'
import { ILLEGAL_ADDRESS, ILLEGAL_VALUE, type ModbusMemory, ServerException } from './modbus-memory.ts'
import { type ModbusServer, startModbusServer } from './modbus-server.ts'
import { advancePump, type PumpState, RESTING_PUMP } from './pump-physics.ts'

/** Addresses of the simulated pump, counted from 0; samples/pump speaks of the same. */
export const PUMP_ADDRESSES = { targetSpeed: 0, speed: 0, temperature: 2, running: 0, alarm: 0 } as const
const MOST_SPEED = 3000

export interface PumpSimulator extends Simulator {
  readonly port: number
  /** What the pump does just now; for tests. */
  readonly state: PumpState
  /** Requests are taken and never answered. */
  silence(): void
  /** All connections end and new ones are refused, as when the cable is pulled. */
  disconnect(): Promise<void>
  resume(): Promise<void>
}

/** A pump on real Modbus TCP. Any unit id is answered. */
export function createPumpSimulator(options: Omit<SimulatorOptions, 'device'>): PumpSimulator {
  const pump = new PumpMemory(options.clock, options.random)
  let server: ModbusServer | undefined
  const running = () => {
    if (!server) throw new Error('the simulator is not running')
    return server
  }
  return {
    name: 'pump',
    get port() {
      return running().port
    },
    get url() {
      return `tcp://${options.host}:${running().port}`
    },
    get configData() {
      return { host: options.host, port: running().port }
    },
    get connections() {
      return server?.connections ?? 0
    },
    get requests() {
      return server?.requests ?? 0
    },
    get state() {
      return pump.state
    },
    async fault(fault: Fault | undefined) {
      await running().resume()
      if (fault?.kind === 'silence') running().silence()
      if (fault?.kind === 'disconnect') await running().disconnect()
    },
    async start() {
      server ??= await startModbusServer({ host: options.host, port: options.port, memory: pump })
    },
    async close() {
      await server?.close()
      server = undefined
    },
    silence: () => running().silence(),
    disconnect: () => running().disconnect(),
    resume: () => running().resume(),
  }
}

class PumpMemory implements ModbusMemory {
  readonly #clock: Clock
  readonly #random: Random
  #state = RESTING_PUMP
  #at: number

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
    this.#at = clock.monotonic()
  }

  /** Time passes when somebody looks: no timer, and the same on virtual time. */
  get state(): PumpState {
    const now = this.#clock.monotonic()
    this.#state = advancePump(this.#state, (now - this.#at) / 1000)
    this.#at = now
    return this.#state
  }

  readBits(table: 'coil' | 'discrete', _unitId: number, start: number, length: number): readonly boolean[] {
    if (start !== 0 || length !== 1) throw new ServerException(ILLEGAL_ADDRESS)
    return [table === 'coil' ? this.state.running : this.state.alarm]
  }

  readRegisters(table: 'holding' | 'input', _unitId: number, start: number, length: number): readonly number[] {
    const registers = table === 'holding' ? [this.state.targetSpeed] : this.#inputs()
    if (start + length > registers.length) throw new ServerException(ILLEGAL_ADDRESS)
    return registers.slice(start, start + length)
  }

  writeCoils(_unitId: number, start: number, values: readonly boolean[]): void {
    const [running] = values
    if (start !== PUMP_ADDRESSES.running || values.length !== 1 || running === undefined) {
      throw new ServerException(ILLEGAL_ADDRESS)
    }
    this.#state = { ...this.state, running }
  }

  writeRegisters(_unitId: number, start: number, values: readonly number[]): void {
    const [targetSpeed] = values
    if (start !== PUMP_ADDRESSES.targetSpeed || values.length !== 1 || targetSpeed === undefined) {
      throw new ServerException(ILLEGAL_ADDRESS)
    }
    if (targetSpeed > MOST_SPEED) throw new ServerException(ILLEGAL_VALUE)
    this.#state = { ...this.state, targetSpeed }
  }

  /** Speed, a reserve, then the temperature as a float, high word first, with the noise of a cheap sensor. */
  #inputs(): readonly number[] {
    const { speed, temperature } = this.state
    const noisy = Math.round((temperature + (this.#random.next() - 0.5) * 0.2) * 10) / 10
    const float = Buffer.alloc(4)
    float.writeFloatBE(noisy)
    return [Math.round(speed), 0, float.readUInt16BE(0), float.readUInt16BE(2)]
  }
}
