import type { JsonObject } from '../../../schemas/index.ts'
import { deviceConfig } from '../../modbus/config.ts'
import { FaultyAnswers } from '../faults/faulty-answers.ts'
import type { Simulator, SimulatorOptions } from '../simulator.ts'
import { deviceMemory } from './device-memory.ts'
import { rtuFraming, tcpFraming } from './modbus-frames.ts'
import { GATEWAY_TARGET_SILENT, type ModbusMemory, ServerException } from './modbus-memory.ts'
import { type ModbusServer, startModbusServer } from './modbus-server.ts'

/**
 * Devices on a real Modbus server: TCP, or RTU over TCP. One device alone answers for every unit id; where there are several,
 * each answers for its own.
 */
export function createModbusSimulator(options: SimulatorOptions): Simulator {
  const { host, device, clock, random } = options
  const isRtu = options.transport === 'rtu-over-tcp'
  const answers = new FaultyAnswers(clock, random)
  const memory = memoryOf(options)
  let server: ModbusServer | undefined
  const running = () => {
    if (!server) throw new Error('the simulator is not running')
    return server
  }
  return {
    name: device.name,
    get url() {
      return `tcp://${host.includes(':') ? `[${host}]` : host}:${running().port}`
    },
    get configData() {
      return { host, port: running().port, ...(isRtu ? { mode: 'RTU_OVER_TCP' } : {}) }
    },
    get connections() {
      return server?.connections ?? 0
    },
    get requests() {
      return server?.requests ?? 0
    },
    async start() {
      const framing = isRtu ? rtuFraming : tcpFraming
      server ??= await startModbusServer({ host, port: options.port, memory, framing, answers })
    },
    async close() {
      await server?.close()
      server = undefined
    },
    async fault(fault) {
      answers.current = fault
      if (fault?.kind === 'disconnect') await running().disconnect()
      else await running().resume()
    },
  }
}

function memoryOf({ device, neighbours = [] }: SimulatorOptions): ModbusMemory {
  const own = deviceMemory(device)
  if (neighbours.length === 0) return own
  const units = new Map([device, ...neighbours].map((each) => [unitOf(each.configData), deviceMemory(each)]))
  const at = (unitId: number) => {
    const found = units.get(unitId)
    if (!found) throw new ServerException(GATEWAY_TARGET_SILENT)
    return found
  }
  /** Unit 0 means all of them, on a serial line. */
  const allAt = (unitId: number) => (unitId === 0 ? [...units.values()] : [at(unitId)])
  return {
    readBits: (table, unitId, start, length) => at(unitId).readBits(table, unitId, start, length),
    readRegisters: (table, unitId, start, length) => at(unitId).readRegisters(table, unitId, start, length),
    writeCoils: (unitId, start, values) => {
      for (const each of allAt(unitId)) each.writeCoils(unitId, start, values)
    },
    writeRegisters: (unitId, start, values) => {
      for (const each of allAt(unitId)) each.writeRegisters(unitId, start, values)
    },
  }
}

/** The id that a Device names, by whatever spelling; 1 where it names none. */
function unitOf(configData: JsonObject): number {
  const parsed = deviceConfig.parse({ host: 'simulated', ...configData })
  return parsed.ok ? parsed.value.unitId : 1
}
