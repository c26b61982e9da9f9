import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { ms, systemClock } from '../../platform/time/index.ts'
import { type Discovered, isDeviceSilent } from '../contract/index.ts'
import { ModbusConnection } from './connection.ts'
import { connectionKey, deviceConfig } from './device-config.ts'
import { discover } from './discover.ts'
import { openWire } from './links.ts'
import { conflict } from './same-line.ts'
import { deviceOf, orderOf, visitOf } from './testing/configs.ts'
import { needsPymodbus, type PeerKind, startPymodbus } from './testing/pymodbus.ts'
import type { ModbusOrder, ModbusVisit } from './visit.ts'
import { ORDERS } from './visitor-config.ts'

const clock = {
  now: () => systemClock.now(),
  sleep: (wait: number, until: AbortSignal) => systemClock.sleep(ms(wait), until),
}
const { signal } = new AbortController()
const log = { debug: () => undefined, warn: () => undefined }

/** Data type, registers, and the number that the server put there. */
const NUMBERS = [
  ['int16', 1, -2],
  ['uint16', 1, 65_534],
  ['int32', 2, -70_000],
  ['uint32', 2, 4_294_967_294],
  ['int64', 4, -1_234_567_890_123_456_789n],
  ['uint64', 4, 18_446_744_073_709_551_614n],
  ['float32', 2, 24.5],
  ['float64', 4, -1.25e300],
] as const

async function served(t: TestContext, kind: PeerKind, config: object = {}) {
  const peer = await startPymodbus(kind)
  const open: AsyncDisposable[] = []
  t.after(async () => {
    for (const each of [...open, peer]) await each[Symbol.asyncDispose]()
  })
  return { peer, open, device: deviceOf({ ...peer.config, timeout: 1000, ...config }) }
}

async function connected(t: TestContext, kind: PeerKind, config: object = {}) {
  const { peer, open, device } = await served(t, kind, config)
  const connection = new ModbusConnection(await openWire(device, { clock, signal }), device, clock)
  open.push(connection)
  const read = async (visits: readonly ModbusVisit[]) => {
    const results = await connection.read(visits, signal)
    return visits.map(({ id }) => {
      const outcome = results.get(id)
      return outcome?.ok ? outcome.value.value : outcome?.error.message
    })
  }
  const write = async (orders: readonly ModbusOrder[]) => {
    for (const outcome of (await connection.write(orders, signal)).values()) {
      if (!outcome.ok) throw outcome.error
    }
  }
  /** What mbpoll finds, when the line is free for it. */
  const mbpoll = async (type: string, first: number, count: number) => {
    if (kind === 'serial') await connection[Symbol.asyncDispose]()
    const words = ['-a', '1', '-t', type, '-0', '-r', String(first), '-c', String(count), '-1', ...peer.mbpoll]
    const { stdout } = await promisify(execFile)('mbpoll', words)
    return [...stdout.matchAll(/^\[\d+\]:\s+(\S+)/gm)].map(([, value]) => Number(value))
  }
  return { device, second: { ...device, unitId: 2 }, read, write, mbpoll }
}

describe('with pymodbus', { skip: needsPymodbus() }, () => {
  for (const kind of ['tcp', 'rtu-over-tcp', 'serial'] as const) {
    it(`reads all four tables of two units (${kind})`, async (t) => {
      const { device, second, read } = await connected(t, kind)
      const visits = [
        visitOf(device, { offset: 0, dataType: 'uint16' }),
        visitOf(device, { offset: 1, dataType: 'uint32' }),
        visitOf(device, { register: 'InputRegister', offset: 7, dataType: 'uint16' }),
        visitOf(device, { register: 'CoilRegister', offset: 1 }, 'BOOLEAN'),
        visitOf(device, { register: 'CoilRegister', offset: 12 }, 'BOOLEAN'),
        visitOf(device, { register: 'DiscreteInputRegister', offset: 9 }, 'BOOLEAN'),
      ]
      assert.deepEqual(await read(visits), [100, 101 * 65_536 + 102, 1107, true, false, false])
      assert.deepEqual(await read([visitOf(second, { offset: 3, dataType: 'uint16' })]), [5003])
      const long = Array.from({ length: 250 }, (_, offset) => visitOf(device, { offset, dataType: 'uint16' }))
      assert.deepEqual(
        await read(long),
        long.map((_, offset) => 100 + offset),
      )
      const [exception, good] = await read([visitOf(device, { offset: 5000 }), visitOf(device, { offset: 4 })])
      assert.match(String(exception), /Illegal data address/)
      assert.equal(good, 104)
    })

    it(`reads numbers of every size and order as their author meant them (${kind})`, async (t) => {
      const { device, read } = await connected(t, kind)
      for (const [index, order] of ORDERS.entries()) {
        let offset = 300 + 20 * index
        const visits = NUMBERS.map(([dataType, length]) => {
          offset += length
          return visitOf(device, { register: 'InputRegister', offset: offset - length, dataType, order }, 'DOUBLE')
        })
        assert.deepEqual(
          await read(visits),
          NUMBERS.map(([, , value]) => value),
          order,
        )
      }
    })

    it(`writes by every function (${kind})`, async (t) => {
      const { device, read, write, mbpoll } = await connected(t, kind)
      const readWrite = { ...device, writeFunction: 'readWrite' } as const
      await write([
        orderOf(device, { offset: 0, dataType: 'int16' }, -2),
        orderOf(device, { offset: 1, dataType: 'float32', order: 'CDAB' }, 24.5),
      ])
      await write([orderOf(device, { offset: 10, dataType: 'uint16' }, 7)])
      await write([orderOf({ ...device, maskWrite: true }, { offset: 11, bit: 8, bitCount: 4 }, 5)])
      await write([orderOf(readWrite, { offset: 12, dataType: 'uint32' }, 0x10002)])
      await write([orderOf(device, { register: 'CoilRegister', offset: 0 }, true, 'BOOLEAN')])
      await write(
        [2, 3, 4].map((offset) => orderOf(device, { register: 'CoilRegister', offset }, offset !== 3, 'BOOLEAN')),
      )
      assert.deepEqual(
        await read([visitOf(device, { offset: 1, dataType: 'float32', order: 'CDAB' }, 'FLOAT')]),
        [24.5],
      )
      if (kind === 'rtu-over-tcp') return
      assert.deepEqual(await mbpoll('4', 0, 3), [65_534, 0, 0x41c4])
      assert.deepEqual(await mbpoll('4', 10, 4), [7, (5 << 8) | 111, 1, 2])
      assert.deepEqual(await mbpoll('0', 0, 6), [1, 1, 1, 0, 1, 1])
    })

    it(`finds the units that are there, and what they say of themselves (${kind})`, async (t) => {
      const { device } = await served(t, kind, { timeout: 250, units: '1-3' })
      const found: Discovered[] = []
      for await (const each of discover(device, { clock, signal, log })) found.push(each)
      assert.deepEqual(
        found.map(({ name, description, device: { unitId } }) => ({ name, description, unitId })),
        [1, 2].map((unitId) => ({
          name: `p-1-unit-${unitId}`,
          description: `unit ${unitId}: Vendor P-1 2.3`,
          unitId,
        })),
      )
      for (const { device: config } of found) {
        const parsed = deviceConfig.parse(config)
        assert.ok(parsed.ok)
        assert.equal(connectionKey(parsed.value), connectionKey(device))
        assert.equal(conflict(parsed.value, device), undefined)
      }
    })

    it(`finds a unit silent that is not there, and goes on with the others (${kind})`, async (t) => {
      const { device, read } = await connected(t, kind, { timeout: 100 })
      const patient = { ...device, timeout: 1000 }
      await assert.rejects(read([visitOf({ ...device, unitId: 9 }, { offset: 0 })]), isDeviceSilent)
      assert.deepEqual(await read([visitOf(patient, { offset: 0 })]), [100])
      await assert.rejects(read([visitOf({ ...device, unitId: 9 }, { offset: 0 })]), isDeviceSilent)
      assert.deepEqual(await read([visitOf(patient, { offset: 0 })]), [100])
    })
  }
})
