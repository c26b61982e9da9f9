import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { ms, systemClock } from '../../platform/time/index.ts'
import { isDeviceSilent } from '../contract/index.ts'
import { ModbusConnection } from './connection.ts'
import { openWire } from './links.ts'
import { deviceOf, orderOf, visitOf } from './testing/configs.ts'
import { type Script, startScriptedPeer } from './testing/scripted-peer.ts'

const clock = {
  now: () => systemClock.now(),
  sleep: (wait: number, until: AbortSignal) => systemClock.sleep(ms(wait), until),
}

async function served(t: TestContext, script: Script, config: object = {}) {
  const { port, requests } = await startScriptedPeer(t, script)
  const device = deviceOf({ host: '127.0.0.1', port, timeout: 200, ...config })
  const connecting = new AbortController()
  const connection = new ModbusConnection(await openWire(device, { clock, signal: connecting.signal }), device, clock)
  t.after(() => connection[Symbol.asyncDispose]())
  const read = async (count: number, signal = new AbortController().signal) => {
    const visits = Array.from({ length: count }, (_, offset) => visitOf(device, { offset, dataType: 'uint16' }))
    const results = await connection.read(visits, signal)
    return visits.map(({ id }) => {
      const outcome = results.get(id)
      return outcome?.ok ? outcome.value.value : outcome?.error.message
    })
  }
  return { connection, device, requests, read }
}

/** Holding register n holds 100 + n. */
const registers = (pdu: Buffer, most = 125) => {
  const [start, length] = [pdu.readUInt16BE(1), Math.min(most, pdu.readUInt16BE(3))]
  return [3, 2 * length, ...Array.from({ length }, (_, index) => [0, 100 + start + index]).flat()]
}

describe('a Modbus device that makes mistakes', () => {
  it('is read in shorter requests when it answers long ones in part', async (t) => {
    const { read, requests } = await served(t, ({ pdu }) => registers(pdu, 3))
    assert.deepEqual(await read(5), [100, 101, 102, 103, 104])
    assert.equal(requests.length, 3)
    assert.deepEqual(await read(5), [100, 101, 102, 103, 104])
    assert.equal(requests.length, 5)
  })

  it('loses only the request that it answered with another function', async (t) => {
    const { read } = await served(t, ({ pdu }) => (pdu.readUInt16BE(1) === 0 ? [4, 2, 0, 1] : registers(pdu)))
    const [first, second] = await read(2)
    assert.match(String(first), /function 4 was answered in place of 3/)
    assert.equal(second, 101)
  })

  it('has not written what it confirms for another register', async (t) => {
    const { connection, device } = await served(t, ({ pdu }) => [6, 0, 9, ...pdu.subarray(3)])
    const order = orderOf(device, { offset: 1, dataType: 'uint16' }, 7)
    const outcome = (await connection.write([order], new AbortController().signal)).get(order.id)
    assert.match(outcome?.ok === false ? outcome.error.message : '', /the contents that were asked for/)
  })

  it('tells every exception, and of which only those about registers are looked for one by one', async (t) => {
    for (const [exception, requests] of [
      [1, 3],
      [2, 3],
      [3, 3],
      [4, 3],
      [5, 1],
      [6, 1],
      [7, 1],
      [8, 1],
      [99, 1],
    ] as const) {
      const device = await served(t, () => [0x83, exception])
      assert.match(String((await device.read(2))[1]), new RegExp(`Modbus exception ${exception}: `))
      assert.equal(device.requests.length, requests, `exception ${exception}`)
    }
    for (const exception of [10, 11]) {
      const { read } = await served(t, () => [0x83, exception])
      await assert.rejects(read(2), isDeviceSilent)
    }
  })

  it('cannot answer a request with an answer that comes too late for another', async (t) => {
    const late: (() => void)[] = []
    const { read } = await served(t, ({ send }) => {
      if (late.length > 0) {
        for (const each of late) each()
        return [3, 2, 0, 2]
      }
      late.push(() => send([3, 2, 0, 1]))
      return undefined
    })
    await assert.rejects(read(1), isDeviceSilent)
    assert.deepEqual(await read(1), [2])
  })
})

describe('a Modbus connection to a peer that is none', () => {
  it('is lost at once when something else than Modbus comes', async (t) => {
    const { read } = await served(t, ({ socket }) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), {
      timeout: 30_000,
    })
    await assert.rejects(read(1), (error) => !isDeviceSilent(error) && /no Modbus TCP/.test(String(error)))
    await assert.rejects(read(1), /no Modbus TCP/)
  })

  it('is lost at once when it is closed in the middle of an answer', async (t) => {
    const { read } = await served(t, ({ socket }) => void socket.end(Uint8Array.of(0, 1, 0, 0, 0, 5, 1)), {
      timeout: 30_000,
    })
    await assert.rejects(read(1), /closed the Modbus connection/)
  })

  it('is lost when half of an answer is all that ever comes, and the next request goes unanswered too', async (t) => {
    const { read } = await served(t, ({ socket }) => void socket.write(Uint8Array.of(0, 1)), { timeout: 20 })
    await assert.rejects(read(1), isDeviceSilent)
    await assert.rejects(read(1), (error) => !isDeviceSilent(error))
  })

  it('can be disposed and aborted while it waits', async (t) => {
    const { read, connection } = await served(t, () => undefined, { timeout: 30_000 })
    const abort = new AbortController()
    const aborted = read(1, abort.signal)
    setImmediate(() => abort.abort(new Error('enough')))
    await assert.rejects(aborted, /enough/)
    const waiting = assert.rejects(read(1), /the Modbus connection is closed/)
    await connection[Symbol.asyncDispose]()
    await waiting
  })
})
