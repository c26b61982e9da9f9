import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { VisitId } from '../contract/index.ts'
import { startModbusServer } from '../simulators/index.ts'
import { describeMapper } from '../testing/index.ts'
import { visitorConfig } from './config.ts'
import { ModbusConnection } from './connection.ts'
import modbus from './index.ts'
import { dial } from './tcp-wire.ts'
import { ScriptedMemory } from './testing/scripted-memory.ts'

const ports = new WeakMap<object, number>()

function memory() {
  return new ScriptedMemory({
    'holding 0': 1500,
    'holding 1': 0xffff,
    'holding 3': 7,
    'input 10': 0x41c4,
    'input 11': 0,
    'coil 5': 1,
    'discrete 6': 0,
    ...Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`holding ${100 + index}`, index])),
  })
}

describeMapper({
  mapper: modbus,
  server: async () => {
    const served = memory()
    served.exceptions.set('holding 3', 4)
    const server = await startModbusServer({ host: '127.0.0.1', port: 0, memory: served })
    ports.set(server, server.port)
    return server
  },
  device: (server, index) => ({ ip: '127.0.0.1', port: String(ports.get(server) ?? 502), slaveID: String(index + 1) }),
  cases: {
    readable: [
      { type: 'INT', visitor: { register: 'HoldingRegister', offset: 0, dataType: 'uint16' }, value: 1500 },
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
    many: (index) => ({
      type: 'INT',
      visitor: { register: 'HoldingRegister', offset: 100 + index, dataType: 'uint16' },
    }),
  },
})

function idOf(text: string): VisitId
function idOf(text: string): string {
  return text
}

async function connected(t: TestContext, served: ScriptedMemory) {
  const server = await startModbusServer({ host: '127.0.0.1', port: 0, memory: served })
  const { signal } = new AbortController()
  const connection = new ModbusConnection(await dial('127.0.0.1', server.port, signal))
  t.after(async () => {
    await connection[Symbol.asyncDispose]()
    await server.close()
  })
  const visits = [0, 1, 2].map((offset) => {
    const parsed = visitorConfig.parse({ register: 'HoldingRegister', offset, dataType: 'uint16' })
    assert.ok(parsed.ok)
    return {
      id: idOf(`v${offset}`),
      device: { host: '127.0.0.1', port: server.port, unitId: 1, timeout: 2000, mode: 'TCP' as const },
      property: { name: `p${offset}`, type: 'INT', accessMode: 'ReadWrite' } as const,
      visitor: parsed.value,
    }
  })
  return { visits, signal, read: () => connection.read(visits, signal) }
}

describe('a Modbus connection', () => {
  it('asks for a bad register by itself from the second time on', async (t) => {
    const served = memory()
    const { read } = await connected(t, served)
    await read()
    assert.deepEqual(served.reads, ['holding 0+3', 'holding 0+1', 'holding 1+1', 'holding 2+1'])
    served.reads.length = 0
    const results = await read()
    assert.deepEqual(served.reads, ['holding 0+2', 'holding 2+1'])
    const bad = results.get(idOf('v2'))
    assert.match(bad && !bad.ok ? bad.error.message : '', /Illegal data address/)
  })

  it('does not try registers one by one when the device itself fails', async (t) => {
    const served = memory()
    served.exceptions.set('holding 0', 11)
    const { read } = await connected(t, served)
    const results = await read()
    assert.deepEqual(served.reads, ['holding 0+3'])
    assert.deepEqual(
      [...results.values()].map(({ ok }) => ok),
      [false, false, false],
    )
  })

  it('cannot be made where nobody listens', async () => {
    const server = await startModbusServer({ host: '127.0.0.1', port: 0, memory: memory() })
    const { port } = server
    await server.close()
    await assert.rejects(dial('127.0.0.1', port, new AbortController().signal), /ECONNREFUSED/)
  })
})
