import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { ms, systemClock } from '../../platform/time/index.ts'
import { isDeviceSilent } from '../contract/index.ts'
import { ServerException, startModbusServer } from '../simulators/index.ts'
import { ModbusConnection } from './connection.ts'
import { openWire } from './links.ts'
import { deviceOf, orderOf, visitOf } from './testing/configs.ts'
import { ScriptedMemory } from './testing/scripted-memory.ts'

const memory = () =>
  new ScriptedMemory(Object.fromEntries([0, 1, 3, 4, 5].map((offset) => [`holding ${offset}`, 1000 + offset])))

async function connected(t: TestContext, served: ScriptedMemory, config: object = {}) {
  const server = await startModbusServer({ host: '127.0.0.1', port: 0, memory: served })
  const { signal } = new AbortController()
  let now = 0
  const clock = { now: () => now, sleep: (wait: number, until: AbortSignal) => systemClock.sleep(ms(wait), until) }
  const device = deviceOf({ host: '127.0.0.1', port: server.port, ...config })
  const connection = new ModbusConnection(await openWire(device, { clock, signal }), device, clock)
  t.after(async () => {
    await connection[Symbol.asyncDispose]()
    await server.close()
  })
  const read = async (...offsets: readonly number[]) => {
    served.reads.length = 0
    const visits = offsets.map((offset) => visitOf(device, { offset, dataType: 'uint16' }))
    const results = await connection.read(visits, signal)
    return visits.map(({ id }) => {
      const outcome = results.get(id)
      return outcome?.ok ? outcome.value.value : outcome?.error.message
    })
  }
  const write = (config: object, value: number | boolean) =>
    connection
      .write([orderOf(device, config, value, typeof value === 'boolean' ? 'BOOLEAN' : 'INT')], signal)
      .then((results) => [...results.values()][0])
  return { device, connection, signal, read, write, pass: (milliseconds: number) => (now += milliseconds) }
}

describe('a Modbus connection', () => {
  it('finds the bad register by halving, and leaves it alone for a while', async (t) => {
    const served = memory()
    const { read, pass } = await connected(t, served)
    const [, , bad] = await read(0, 1, 2, 3, 4)
    assert.match(String(bad), /Illegal data address/)
    assert.deepEqual(served.reads, ['holding 0+5', 'holding 0+3', 'holding 0+2', 'holding 2+1', 'holding 3+2'])
    assert.deepEqual(await read(0, 1, 2, 3, 4), [1000, 1001, bad, 1003, 1004])
    assert.deepEqual(served.reads, ['holding 0+2', 'holding 3+2'])
    pass(10_000)
    served.values.set('holding 2', 7)
    assert.deepEqual(await read(0, 1, 2, 3, 4), [1000, 1001, 7, 1003, 1004])
    assert.deepEqual(served.reads, ['holding 0+2', 'holding 2+1', 'holding 3+2'])
    await read(0, 1, 2, 3, 4)
    assert.deepEqual(served.reads, ['holding 0+5'])
  })

  it('learns which gaps cannot be read over', async (t) => {
    const served = memory()
    const { read } = await connected(t, served, { maxGap: 4 })
    assert.deepEqual(await read(0, 1, 3, 5), [1000, 1001, 1003, 1005])
    assert.deepEqual(served.reads, ['holding 0+6', 'holding 0+2', 'holding 3+3'])
    await read(0, 1, 3, 5)
    assert.deepEqual(served.reads, ['holding 0+2', 'holding 3+3'])
  })

  it('reads in one request again what a passing failure had parted', async (t) => {
    const served = memory()
    const { read, pass } = await connected(t, served)
    const until = { failures: 1 }
    served.onRead = () => {
      if (until.failures-- > 0) throw new ServerException(4)
    }
    assert.deepEqual(await read(0, 1), [1000, 1001])
    assert.deepEqual(served.reads, ['holding 0+2', 'holding 0+1', 'holding 1+1'])
    pass(59_999)
    await read(0, 1)
    assert.deepEqual(served.reads, ['holding 0+1', 'holding 1+1'])
    pass(1)
    until.failures = 1
    await read(0, 1)
    assert.deepEqual(served.reads, ['holding 0+2', 'holding 0+1', 'holding 1+1'])
    pass(60_000)
    await read(0, 1)
    assert.deepEqual(served.reads, ['holding 0+1', 'holding 1+1'])
    pass(60_000)
    await read(0, 1)
    assert.deepEqual(served.reads, ['holding 0+2'])
  })

  it('reads a register again at once when it could be written', async (t) => {
    const served = memory()
    served.exceptions.set('holding 1', 4)
    const { read, write } = await connected(t, served)
    await read(0, 1)
    served.exceptions.delete('holding 1')
    assert.equal((await write({ offset: 1 }, 5))?.ok, true)
    assert.deepEqual(await read(0, 1), [1000, 5])
  })

  it('takes the word of a gateway for a unit that is silent, and keeps the connection', async (t) => {
    const served = memory()
    served.exceptions.set('holding 0', 11)
    const { read } = await connected(t, served)
    await assert.rejects(read(0, 1), isDeviceSilent)
    assert.deepEqual(served.reads, ['holding 0+2'])
    assert.deepEqual(await read(1), [1001])
  })

  it('does not try registers one by one when the device is busy', async (t) => {
    const served = memory()
    served.exceptions.set('holding 0', 6)
    const { read } = await connected(t, served)
    await read(0, 1, 3)
    assert.deepEqual(served.reads, ['holding 0+2', 'holding 3+1'])
  })

  it('changes bits of a register and leaves the others', async (t) => {
    for (const config of [{ maskWrite: true }, { maskWrite: false }]) {
      const served = memory()
      served.values.set('holding 0', 0b1010_0000)
      const { write } = await connected(t, served, config)
      assert.equal((await write({ offset: 0, bit: 1, bitCount: 3 }, 5))?.ok, true)
      assert.equal(served.values.get('holding 0'), 0b1010_1010)
    }
  })

  it('writes by any function that the device has', async (t) => {
    for (const writeFunction of ['auto', 'single', 'multiple', 'readWrite']) {
      const served = memory()
      served.values.set('coil 0', 0)
      const { write } = await connected(t, served, { writeFunction })
      assert.equal((await write({ offset: 4, dataType: 'uint32' }, 0x10002))?.ok, true)
      assert.deepEqual([served.values.get('holding 4'), served.values.get('holding 5')], [1, 2])
      assert.equal((await write({ register: 'CoilRegister', offset: 0 }, true))?.ok, true)
      assert.equal(served.values.get('coil 0'), 1)
    }
  })

  it('cannot be made where nobody listens', async () => {
    const server = await startModbusServer({ host: '127.0.0.1', port: 0, memory: memory() })
    const device = deviceOf({ host: '127.0.0.1', port: server.port })
    await server.close()
    const clock = { now: () => 0, sleep: () => Promise.resolve() }
    await assert.rejects(openWire(device, { clock, signal: new AbortController().signal }), /ECONNREFUSED/)
    const line = deviceOf({ serialPort: '/dev/does-not-exist' })
    await assert.rejects(openWire(line, { clock, signal: new AbortController().signal }), /does not exist/)
  })
})
