import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { ms, systemClock } from '../../platform/time/index.ts'
import { NEEDS, needs } from '../../tools/testing/needs.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { ModbusConnection } from './connection.ts'
import { discover } from './discover.ts'
import { openWire } from './links.ts'
import { deviceOf, orderOf, visitOf } from './testing/configs.ts'
import type { ModbusOrder, ModbusVisit } from './visit.ts'

const clock = {
  now: () => systemClock.now(),
  sleep: (wait: number, until: AbortSignal) => systemClock.sleep(ms(wait), until),
}
const { signal } = new AbortController()
const log = { debug: () => undefined, warn: () => undefined }

function needsLibmodbus(): string | false {
  const missing = needs('cc')
  if (missing !== false || process.env['CI'] === 'true') return missing
  const { status } = spawnSync('cc', ['-E', '-include', 'modbus/modbus.h', '-x', 'c', '/dev/null'], { stdio: 'ignore' })
  return status === 0 ? false : `${NEEDS}libmodbus-dev`
}

describe('with libmodbus', { skip: needsLibmodbus() }, () => {
  let program: string
  before(async () => {
    program = join(temporaryFolder('skerry-libmodbus-'), 'server')
    const source = join(import.meta.dirname, 'testing', 'libmodbus-server.c')
    await promisify(execFile)('cc', ['-o', program, source, '-lmodbus'])
  })

  async function served<T>(work: (device: ReturnType<typeof deviceOf>) => Promise<T>): Promise<T> {
    const server = spawn(program, { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(server, 'close')
    try {
      const [port] = await once(createInterface(server.stdout), 'line')
      return await work(deviceOf({ host: '127.0.0.1', port: Number(port), timeout: 1000 }))
    } finally {
      server.kill('SIGKILL')
      await ended
    }
  }

  async function connected(work: (peer: Peer) => Promise<void>): Promise<void> {
    await served(async (device) => {
      await using connection = new ModbusConnection(await openWire(device, { clock, signal }), device, clock)
      await work({
        device,
        read: async (...visits) => {
          const results = await connection.read(visits, signal)
          return visits.map(({ id }) => {
            const outcome = results.get(id)
            return outcome?.ok ? outcome.value.value : outcome?.error.message
          })
        },
        write: async (...orders) => {
          for (const outcome of (await connection.write(orders, signal)).values()) if (!outcome.ok) throw outcome.error
        },
      })
    })
  }

  it('reads the numbers that it put down', async () => {
    await connected(async ({ device, read }) => {
      const input = (offset: number, more: object) =>
        visitOf(device, { register: 'InputRegister', offset, ...more }, 'DOUBLE')
      const visits = [
        input(0, { dataType: 'float32' }),
        input(8, { dataType: 'int32' }),
        input(10, { dataType: 'int64' }),
      ]
      assert.deepEqual(await read(...visits), [-1234.5, -70_000, -1_234_567_890_123_456_789n])
    })
  })

  it('writes by every function, and is refused what is not there', async () => {
    await connected(async ({ device, read, write }) => {
      await write(orderOf(device, { offset: 0, dataType: 'uint16' }, 7))
      await write(orderOf(device, { offset: 1, dataType: 'float64', order: 'CDAB' }, 0.1))
      await write(orderOf({ ...device, maskWrite: true }, { offset: 5, bit: 8, bitCount: 4 }, 5))
      await write(orderOf({ ...device, writeFunction: 'readWrite' }, { offset: 6, dataType: 'uint32' }, 0x1_0002))
      await write(orderOf(device, { register: 'CoilRegister', offset: 9 }, true, 'BOOLEAN'))
      await write(...[1, 2, 3].map((at) => orderOf(device, { register: 'CoilRegister', offset: at }, true, 'BOOLEAN')))
      const words = [0, 5, 6, 7, 8].map((offset) => visitOf(device, { offset, dataType: 'uint16' }))
      assert.deepEqual(await read(...words), [7, (5 << 8) | 105, 1, 2, 108])
      const float = visitOf(device, { offset: 1, dataType: 'float64', order: 'CDAB' }, 'DOUBLE')
      assert.deepEqual(await read(float), [0.1])
      const coils = [0, 1, 2, 3, 9].map((at) => visitOf(device, { register: 'CoilRegister', offset: at }, 'BOOLEAN'))
      assert.deepEqual(await read(...coils), [false, true, true, true, true])
      const inputs = [0, 1, 3].map((at) =>
        visitOf(device, { register: 'DiscreteInputRegister', offset: at }, 'BOOLEAN'),
      )
      assert.deepEqual(await read(...inputs), [true, false, true])
      const [last, beyond] = await read(visitOf(device, { offset: 299 }), visitOf(device, { offset: 300 }))
      assert.equal(last, 399)
      assert.match(String(beyond), /Illegal data address/)
    })
  })

  it('is found, and says its id by function 17', async () => {
    await served(async (device) => {
      const found: (string | undefined)[] = []
      for await (const each of discover({ ...device, units: [1] }, { clock, signal, log })) found.push(each.description)
      assert.equal(found.length, 1)
      assert.match(found[0] ?? '', /^unit 1: id .*(LMB|4c4d42)/)
    })
  })
})

interface Peer {
  readonly device: ReturnType<typeof deviceOf>
  read(...visits: readonly ModbusVisit[]): Promise<readonly unknown[]>
  write(...orders: readonly ModbusOrder[]): Promise<void>
}
