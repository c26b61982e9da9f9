import type { JsonObject } from '../../../schemas/index.ts'
import { deviceConfig } from '../../modbus/device-config.ts'
import { FaultyAnswers } from '../faults/faulty-answers.ts'
import type { Simulator, SimulatorOptions } from '../simulator.ts'
import { deviceMemory } from './device-memory.ts'
import { type LineServer, startLineServer } from './line-server.ts'
import { rtuFraming, tcpFraming } from './modbus-frames.ts'
import { GATEWAY_TARGET_SILENT, type ModbusMemory, ServerException } from './modbus-memory.ts'
import { type ModbusServer, startModbusServer } from './modbus-server.ts'

/**
 * Devices on a real Modbus server: TCP, RTU over TCP (`rtu`), or RTU on a serial line (`serial`). One device alone answers for
 * every unit id; where there are several, each answers for its own.
 */
export function createModbusSimulator(options: SimulatorOptions): Simulator {
  const { host, port, path, device, clock, random, transport = 'tcp' } = options
  const answers = new FaultyAnswers(clock, random)
  const memory = memoryOf(options)
  let server: ModbusServer | undefined
  let line: LineServer | undefined
  const serving = () => {
    const found = server ?? line
    if (!found) throw new Error('the simulator is not running')
    return found
  }
  const at = () => {
    const found = serving()
    return 'path' in found ? { path: found.path } : { port: found.port }
  }
  return {
    name: device.name,
    get url() {
      const where = at()
      return 'path' in where ? `file://${where.path}` : `tcp://${host.includes(':') ? `[${host}]` : host}:${where.port}`
    },
    get configData() {
      const where = at()
      if ('path' in where) return { mode: 'RTU', serialPort: where.path }
      return { host, port: where.port, ...(transport === 'rtu' ? { mode: 'RTUoverTCP' } : {}) }
    },
    get connections() {
      return (server ?? line)?.connections ?? 0
    },
    get requests() {
      return (server ?? line)?.requests ?? 0
    },
    async start() {
      if (server ?? line) return
      const framing = transport === 'rtu' ? rtuFraming : tcpFraming
      if (transport === 'serial') line = await startLineServer({ clock, memory, answers, path })
      else server = await startModbusServer({ host, port, memory, framing, answers })
    },
    async close() {
      await (server ?? line)?.disconnect()
      server = undefined
      line = undefined
    },
    async fault(fault) {
      answers.current = fault
      if (fault?.kind === 'disconnect') await serving().disconnect()
      else await serving().resume()
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
  const parsed = deviceConfig.parse({ host: 'simulated', ...configData, mode: 'TCP' })
  return parsed.ok ? parsed.value.unitId : 1
}
