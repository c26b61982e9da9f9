import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { createLocalBus } from '../../platform/bus/index.ts'
import { memoryLogger } from '../../platform/log/testing/index.ts'
import { ms, systemClock, systemRandom } from '../../platform/time/index.ts'
import { type AssignedDevice, assignedDevices, reportDevices, reportStates } from '../../schemas/index.ts'
import { runProtocolHost } from '../host/protocol-host.ts'
import type { ModbusMemory } from '../simulators/index.ts'
import modbus from './index.ts'
import { LinkServer, SerialTransport } from './testing/link-server.ts'

const UNITS = 30
const DEAD = 1
/** Everything ten times as fast as on a real line. */
const CYCLE_MS = 500
const TIMEOUT_MS = 60
const CYCLES = 6

/** Counts what each unit is asked. */
function countingMemory(): { readonly asked: number[]; readonly memory: ModbusMemory } {
  const asked = new Array<number>(UNITS + 1).fill(0)
  const memory: ModbusMemory = {
    readBits: () => [],
    readRegisters: (_table, unitId, start, length) => {
      asked[unitId] = (asked[unitId] ?? 0) + 1
      return Array.from({ length }, (_, index) => unitId * 100 + start + index)
    },
    writeCoils: () => undefined,
    writeRegisters: () => undefined,
  }
  return { asked, memory }
}

function deviceOn(path: string, unitId: number): AssignedDevice {
  const apiVersion = 'devices.kubeedge.io/v1beta1'
  const metadata = { name: `unit-${unitId}`, namespace: 'default', uid: `uid-${unitId}`, generation: 1 }
  const configData = { serialPort: path, baudRate: 115_200, unitId, timeout: TIMEOUT_MS }
  const visitor = (offset: number) => ({ register: 'HoldingRegister', offset, dataType: 'uint16' })
  const names = ['a', 'b', 'c']
  return {
    device: {
      apiVersion,
      kind: 'Device',
      metadata,
      spec: {
        protocol: { protocolName: 'modbus', configData },
        properties: names.map((name, offset) => ({
          name,
          collectCycle: CYCLE_MS,
          visitors: { configData: visitor(offset) },
        })),
      },
    },
    model: {
      apiVersion,
      kind: 'DeviceModel',
      metadata,
      spec: { properties: names.map((name) => ({ name, type: 'INT', accessMode: 'ReadOnly' })) },
    },
  }
}

async function startBus(t: TestContext) {
  const { asked, memory } = countingMemory()
  const server = await LinkServer.start(new SerialTransport(), memory)
  const log = memoryLogger()
  const bus = createLocalBus(systemClock, log)
  const states = new Map<string, string>()
  /** Units that ever reported a value that is none. */
  const failed = new Set<string>()
  bus.serve(reportStates, async (list) => {
    for (const { id, state } of list) states.set(id, state)
    return { unknown: [] }
  })
  bus.serve(reportDevices, async (list) => {
    for (const { id, readings } of list) if (readings.some(({ quality }) => quality === 'bad')) failed.add(id)
    return { unknown: [] }
  })
  const stop = new AbortController()
  const options = { bus, mapper: modbus, clock: systemClock, random: systemRandom, log, folder: '/nowhere' }
  const running = runProtocolHost(options, stop.signal)
  t.after(async () => {
    stop.abort(new Error('the test is over'))
    await running
    await server[Symbol.asyncDispose]()
  })
  for (let unitId = 1; unitId <= UNITS; unitId++) {
    bus.set(assignedDevices, `default/unit-${unitId}`, deviceOn(server.transport.path, unitId))
  }
  const until = async (what: string, holds: () => boolean) => {
    const end = systemClock.monotonic() + 30_000
    while (!holds()) {
      assert.ok(systemClock.monotonic() < end, `never: ${what}`)
      await systemClock.sleep(ms(5))
    }
  }
  return { server, asked, states, failed, until }
}

it('one dead unit of thirty on a serial line costs its neighbours next to nothing', { timeout: 90_000 }, async (t) => {
  const { server, asked, states, failed, until } = await startBus(t)
  const living = Array.from({ length: UNITS }, (_, index) => index + 1).filter((unitId) => unitId !== DEAD)
  await until('all are online', () => states.size === UNITS && [...states.values()].every((each) => each === 'online'))
  server.silenceDevice(0)
  await until('the dead one is offline', () => states.get(`default/unit-${DEAD}`) === 'offline')
  const before = [...asked]
  const count = (unitId: number) => (asked[unitId] ?? 0) - (before[unitId] ?? 0)
  const begun = systemClock.monotonic()
  // What a busy machine misses is skipped, and units lie at different points of their cycle: two pauses may cost one unit two more.
  await until('every neighbour was read so often', () => living.every((unitId) => count(unitId) >= CYCLES))
  const elapsedMs = systemClock.monotonic() - begun
  assert.deepEqual(
    living.filter((unitId) => states.get(`default/unit-${unitId}`) !== 'online'),
    [],
  )
  assert.deepEqual(
    [...failed].filter((id) => id !== `default/unit-${DEAD}`),
    [],
  )
  // Of the time of the line a tenth at most went to the dead one; in the long run the host grants less.
  const spent = count(DEAD) * TIMEOUT_MS
  assert.ok(spent <= 0.1 * elapsedMs, `${spent} ms of ${elapsedMs} ms were spent on a dead unit`)
  await server.resume()
  await until('it is back', () => states.get(`default/unit-${DEAD}`) === 'online')
})
