import { type ModbusMemory, ServerException } from '../../simulators/index.ts'
import type { ConformanceCases } from '../../testing/index.ts'
import { ScriptedMemory } from './scripted-memory.ts'

/** Two units that hold different values; others do not exist. */
export function conformanceMemory(): ModbusMemory {
  const units = [unitMemory(1500), unitMemory(2500)]
  const of = (unitId: number) => {
    const unit = units[unitId - 1]
    if (!unit) throw new ServerException(11)
    return unit
  }
  return {
    readBits: (table, unitId, start, length) => of(unitId).readBits(table, unitId, start, length),
    readRegisters: (table, unitId, start, length) => of(unitId).readRegisters(table, unitId, start, length),
    writeCoils: (unitId, start, values) => of(unitId).writeCoils(unitId, start, values),
    writeRegisters: (unitId, start, values) => of(unitId).writeRegisters(unitId, start, values),
  }
}

function unitMemory(first: number): ScriptedMemory {
  const memory = new ScriptedMemory({
    'holding 0': first,
    'holding 1': 0xffff,
    'holding 3': 7,
    'input 10': 0x41c4,
    'input 11': 0,
    'coil 5': 1,
    'discrete 6': 0,
    ...Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`holding ${100 + index}`, index])),
  })
  memory.exceptions.set('holding 3', 4)
  return memory
}

export const conformanceCases = {
  readable: [
    { type: 'INT', visitor: { register: 'HoldingRegister', offset: 0, dataType: 'uint16' }, value: 1500, second: 2500 },
    { type: 'INT', visitor: { register: 'HoldingRegister', offset: '1' }, value: -1 },
    { type: 'FLOAT', visitor: { register: 'InputRegister', offset: 10, limit: 2 }, value: 24.5 },
    { type: 'BOOLEAN', visitor: { register: 'CoilRegister', offset: 5 }, value: true },
    { type: 'BOOLEAN', visitor: { register: 'DiscreteInputRegister', offset: 6 }, value: false },
  ],
  writable: { type: 'INT', visitor: { register: 'HoldingRegister', offset: 100, dataType: 'int32' }, value: -70_000 },
  // Next to a register that exists, so that the planner asks for both in one request.
  broken: { type: 'INT', visitor: { register: 'HoldingRegister', offset: 2 } },
  unwritable: { type: 'INT', visitor: { register: 'HoldingRegister', offset: 3 }, value: 1 },
  refused: { type: 'INT', visitor: { register: 'HoldingRegister', offset: 70_000 } },
  refusedDevice: { host: 'plc', port: 70_000 },
  many: (index: number) => ({
    type: 'INT',
    visitor: { register: 'HoldingRegister', offset: 100 + index, dataType: 'uint16' },
    value: index,
  }),
} satisfies ConformanceCases
