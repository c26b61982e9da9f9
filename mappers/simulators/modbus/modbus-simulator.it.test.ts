import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { SerialPort } from 'serialport'
import { ms, seconds, systemRandom } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { DeviceModel, JsonObject, ModelProperty, PropertyType } from '../../../schemas/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { createSimulatedDevice } from '../create-device.ts'
import type { SimulatedDevice } from '../simulated-device.ts'
import type { SimulatorOptions } from '../simulator.ts'
import { simulateSample } from '../testing/simulate-sample.ts'
import { deviceMemory } from './device-memory.ts'
import { crc16 } from './modbus-frames.ts'
import { createModbusSimulator } from './modbus-simulator.ts'

const run = promisify(execFile)
const MBPOLL = '/usr/bin/mbpoll'
const CALM = { ...systemRandom, next: () => 0.5 }

async function mbpoll(port: number, ...words: string[]): Promise<readonly (string | undefined)[]> {
  const ran = await run(MBPOLL, ['-m', 'tcp', '-p', String(port), '-0', '-1', ...words])
  return [...ran.stdout.matchAll(/\[\d+\]:\s+(\S+)/g)].map((match) => match[1])
}

const property = (name: string, type: PropertyType, visitor: JsonObject): ModelProperty => ({
  name,
  type,
  accessMode: 'ReadWrite',
  visitors: { protocolName: 'modbus', configData: visitor },
})

const EVERYTHING: readonly ModelProperty[] = [
  property('small', 'INT', { register: 'holding', offset: 100, dataType: 'int16' }),
  property('unsigned', 'INT', { register: 'holding', offset: 101, dataType: 'uint32' }),
  property('swapped', 'FLOAT', { register: 'holding', offset: 103, dataType: 'float32', isRegisterSwap: true }),
  property('scaled', 'DOUBLE', { register: 'holding', offset: 105, dataType: 'uint16', scale: 0.1 }),
  property('name', 'STRING', { registerType: 'HoldingRegister', registerAddress: 108, limit: 4 }),
  property('flag', 'BOOLEAN', { register: 'coil', offset: 3 }),
]

const modelOf = (properties: readonly ModelProperty[]): DeviceModel => ({
  apiVersion: 'devices.kubeedge.io/v1beta1',
  kind: 'DeviceModel',
  metadata: { name: 'everything' },
  spec: { protocol: 'modbus', properties },
})

function unit(unitId: number, clock = new FakeClock()): SimulatedDevice {
  const model = modelOf(EVERYTHING)
  const device = { ...model, kind: 'Device', spec: { protocol: { configData: { slaveID: unitId } } } }
  return createSimulatedDevice({ model, device, clock, random: CALM })
}

async function served(t: TestContext, options: Partial<SimulatorOptions> = {}) {
  const clock = new FakeClock()
  const device = unit(1, clock)
  const simulator = createModbusSimulator({ host: '127.0.0.1', port: 0, clock, random: CALM, device, ...options })
  await simulator.start()
  t.after(() => simulator.close())
  return { clock, device: options.device ?? device, simulator, port: Number(new URL(simulator.url).port) }
}

/** A raw peer: sends bytes, and gives what comes back, so many bytes of it. */
async function peer(t: TestContext, port: number) {
  const socket: Socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  let got = Buffer.alloc(0)
  socket.on('data', (part: Buffer) => {
    got = Buffer.concat([got, part])
    socket.emit('more')
  })
  const take = async (count: number) => {
    while (got.length < count) await once(socket, 'more')
    const taken = got.subarray(0, count)
    got = got.subarray(count)
    return [...taken]
  }
  return { socket, take, send: (...bytes: readonly number[]) => socket.write(Buffer.from(bytes)) }
}

const tcp = (unitId: number, ...pdu: readonly number[]) => [0, 1, 0, 0, 0, pdu.length + 1, unitId, ...pdu]
function rtu(unitId: number, ...pdu: readonly number[]): readonly number[] {
  const crc = crc16(Uint8Array.of(unitId, ...pdu))
  return [unitId, ...pdu, crc & 0xff, crc >> 8]
}

describe('the simulated pump, asked by mbpoll', {
  skip: existsSync(MBPOLL) ? false : 'mbpoll is not installed',
}, () => {
  it('answers all four tables and takes writes', async (t) => {
    const clock = new FakeClock()
    const { device, port } = await simulateSample(t, 'pump', clock, CALM)
    await mbpoll(port, '-r', '0', '-t', '4', '127.0.0.1', '1500')
    assert.equal(device.read('targetSpeed'), 1500)
    await clock.advance(seconds(120))
    assert.deepEqual(await mbpoll(port, '-r', '0', '-t', '4', '-c', '1', '127.0.0.1'), ['1500'])
    assert.deepEqual(await mbpoll(port, '-r', '0', '-t', '3', '-c', '1', '127.0.0.1'), ['1500'])
    const [temperature] = await mbpoll(port, '-r', '2', '-t', '3:float', '-B', '-c', '1', '127.0.0.1')
    assert.ok(Math.abs(Number(temperature) - 49.5) < 1, `${temperature} degC`)
    assert.deepEqual(await mbpoll(port, '-r', '0', '-t', '0', '-c', '1', '127.0.0.1'), ['1'])
    assert.deepEqual(await mbpoll(port, '-r', '0', '-t', '1', '-c', '1', '127.0.0.1'), ['0'])
    await mbpoll(port, '-r', '0', '-t', '0', '127.0.0.1', '0')
    assert.equal(device.read('running'), false)
  })

  it('refuses registers it does not have and speeds it cannot reach', async (t) => {
    const { device, port } = await simulateSample(t, 'pump', new FakeClock(), CALM)
    await assert.rejects(mbpoll(port, '-r', '9', '-t', '4', '-c', '1', '127.0.0.1'), /Illegal data address/)
    await assert.rejects(mbpoll(port, '-r', '0', '-t', '4', '127.0.0.1', '3001'), /Illegal data value/)
    assert.equal(device.read('targetSpeed'), 0)
  })

  it('lays out every type where the model says, in the order that it says', async (t) => {
    const { device, port } = await served(t)
    device.write('small', -7)
    device.write('unsigned', 70_000)
    device.write('swapped', 1.5)
    device.write('scaled', 12.34)
    device.write('name', 'Éa')
    const words = await mbpoll(port, '-r', '100', '-t', '4:hex', '-c', '12', '127.0.0.1')
    assert.deepEqual(words, [
      ...['0xFFF9', '0x0001', '0x1170', '0x0000', '0x3FC0', '0x007B'],
      ...['0x0000', '0x0000', '0xC389', '0x6100', '0x0000', '0x0000'],
    ])
    await mbpoll(port, '-r', '101', '-t', '4', '127.0.0.1', '2', '1', '0', '16448')
    assert.deepEqual([device.read('unsigned'), device.read('swapped')], [131_073, 3])
    await mbpoll(port, '-r', '3', '-t', '0', '127.0.0.1', '1')
    assert.equal(device.read('flag'), true)
    await assert.rejects(mbpoll(port, '-r', '106', '-t', '4', '127.0.0.1', '1'), /Illegal data address/)
    await assert.rejects(mbpoll(port, '-r', '112', '-t', '4', '-c', '1', '127.0.0.1'), /Illegal data address/)
  })
})

describe('the Modbus server of the simulators', () => {
  it('ends a connection that does not speak Modbus', async (t) => {
    const { port } = await served(t)
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.end('GET / HTTP/1.1\r\n\r\n')
    socket.resume()
    await once(socket, 'close')
  })

  it('answers frames that arrive byte by byte and two at once', async (t) => {
    const { port } = await served(t)
    const { send, take } = await peer(t, port)
    const frame = tcp(1, 3, 0, 100, 0, 1)
    for (const byte of frame) send(byte)
    await take(11)
    send(...frame, ...frame)
    assert.equal((await take(22)).length, 22)
  })

  it('masks a register, and writes and reads in one request', async (t) => {
    const { device, port } = await served(t)
    const { send, take } = await peer(t, port)
    device.write('small', 0x12)
    // The example of the standard, 6.16: 0x12 with the masks 0xF2 and 0x25 is 0x17.
    send(...tcp(1, 22, 0, 100, 0, 0xf2, 0, 0x25))
    assert.deepEqual((await take(14)).slice(7), [22, 0, 100, 0, 0xf2, 0, 0x25])
    assert.equal(device.read('small'), 0x17)
    send(...tcp(1, 23, 0, 100, 0, 2, 0, 101, 0, 2, 4, 0, 5, 0, 6))
    assert.deepEqual((await take(13)).slice(7), [23, 4, 0, 0x17, 0, 5])
    assert.equal(device.read('unsigned'), 5 * 65_536 + 6)
  })

  it('answers an exception to functions it does not know, wrong counts and values', async (t) => {
    const { port } = await served(t)
    const { send, take } = await peer(t, port)
    const exception = async (...pdu: readonly number[]) => {
      send(...tcp(1, ...pdu))
      return (await take(9)).slice(7)
    }
    assert.deepEqual(await exception(7), [0x87, 1])
    assert.deepEqual(await exception(3, 0, 100, 0, 126), [0x83, 3])
    assert.deepEqual(await exception(3, 0, 100), [0x83, 3])
    assert.deepEqual(await exception(16, 0, 100, 0, 1, 4, 0, 1), [0x90, 3])
    assert.deepEqual(await exception(5, 0, 3, 1, 2), [0x85, 3])
    assert.deepEqual(await exception(22, 0, 9, 0, 0, 0, 0), [0x96, 2])
    assert.deepEqual(await exception(23, 0, 100, 0, 1, 0, 106, 0, 1, 2, 0, 1), [0x97, 2])
  })

  it('answers for several units, each with its own values', async (t) => {
    const clock = new FakeClock()
    const [first, second] = [unit(1, clock), unit(2, clock)]
    const { port } = await served(t, { device: first, neighbours: [second], clock })
    const { send, take } = await peer(t, port)
    second.write('small', 9)
    send(...tcp(2, 3, 0, 100, 0, 1))
    assert.deepEqual((await take(11)).slice(6), [2, 3, 2, 0, 9])
    send(...tcp(3, 3, 0, 100, 0, 1))
    assert.deepEqual((await take(9)).slice(6), [3, 0x83, 11])
  })

  it('speaks RTU over TCP, and finds its way back after noise', async (t) => {
    const clock = new FakeClock()
    const [first, second] = [unit(1, clock), unit(2, clock)]
    const { port, simulator } = await served(t, {
      device: first,
      neighbours: [second],
      transport: 'rtu',
      clock,
    })
    const { send, take } = await peer(t, port)
    send(...rtu(2, 6, 0, 100, 0, 9))
    assert.deepEqual(await take(8), rtu(2, 6, 0, 100, 0, 9))
    // Nobody answers for unit 3, nor to a broadcast, which all obey.
    send(...rtu(3, 3, 0, 100, 0, 1), ...rtu(0, 6, 0, 100, 0, 4), 7, 7, 7, ...rtu(1, 3, 0, 100, 0, 1))
    assert.deepEqual(await take(7), rtu(1, 3, 2, 0, 4))
    assert.equal(second.read('small'), 4)
    send(...rtu(1, 16, 0, 100, 0, 1, 2, 0, 8), ...rtu(1, 7))
    assert.deepEqual(await take(8), rtu(1, 16, 0, 100, 0, 1))
    assert.deepEqual(await take(5), rtu(1, 0x87, 1))
    assert.equal(simulator.requests, 6)
  })

  it('speaks RTU on a serial port, which comes back after its plug was pulled', {
    skip: process.platform === 'win32' && 'no pseudo-terminals',
  }, async (t) => {
    const folder = temporaryFolder('skerry-line-')
    const path = join(folder, 'lines', 'meter')
    const { simulator, device } = await served(t, { transport: 'serial', path })
    assert.deepEqual(simulator.configData, { mode: 'RTU', serialPort: path })
    assert.equal(simulator.url, `file://${path}`)
    const ask = async () => {
      const port = new SerialPort({ path, baudRate: 19_200, autoOpen: false })
      await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())))
      assert.equal(simulator.connections, 1)
      let got = Buffer.alloc(0)
      const answered = new Promise<void>((resolve) => {
        port.on('data', (part: Buffer) => {
          got = Buffer.concat([got, part])
          if (got.length >= 7) resolve()
        })
      })
      port.write(Buffer.from(rtu(9, 3, 0, 100, 0, 1)))
      await answered
      await new Promise((resolve) => port.close(resolve))
      return [...got]
    }
    device.set('small', 300)
    assert.deepEqual(await ask(), rtu(9, 3, 2, 1, 44))
    await simulator.fault({ kind: 'disconnect' })
    assert.equal(existsSync(path), false)
    await simulator.fault(undefined)
    assert.deepEqual(await ask(), rtu(9, 3, 2, 1, 44))
    assert.equal(simulator.requests, 2)
    await simulator.close()
    assert.equal(existsSync(path), false)
    await writeFile(path, 'mine')
    await assert.rejects(simulator.start(), { code: 'MAPPERS_SERIAL_PATH_TAKEN' })
  })

  it('is silent, slow, garbled and gone, and heals', async (t) => {
    const { clock, port, simulator } = await served(t)
    const link = await peer(t, port)
    const ask = () => link.send(...tcp(1, 3, 0, 100, 0, 1))
    const answer = [0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 0]
    await simulator.fault({ kind: 'silence' })
    ask()
    while (simulator.requests < 1) await new Promise((resolve) => setImmediate(resolve))
    await simulator.fault({ kind: 'slow', milliseconds: 800 })
    ask()
    while (simulator.requests < 2) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(ms(800))
    assert.deepEqual(await link.take(11), answer)
    await simulator.fault({ kind: 'garbage', share: 1 })
    ask()
    assert.notDeepEqual(await link.take(11), answer)
    const ended = once(link.socket, 'close')
    await simulator.fault({ kind: 'disconnect' })
    await ended
    const refused = connect(port, '127.0.0.1')
    await once(refused, 'error')
    await simulator.fault(undefined)
    const again = await peer(t, port)
    again.send(...tcp(1, 3, 0, 100, 0, 1))
    assert.deepEqual(await again.take(11), answer)
    assert.equal(simulator.connections, 1)
  })

  it('can always be read: what does not fit the registers is held as the nearest that does', () => {
    for (const [visitor, value, words] of [
      [{ bit: 4, bitCount: 3 }, 100, [0x0070]],
      [{ bit: 4, bitCount: 3 }, -1, [0]],
      [{ dataType: 'bcd16' }, 123_456, [0x9999]],
      [{ dataType: 'bcd32', scale: 0.5 }, -3, [0, 0]],
      [{ dataType: 'uint16', scale: 0.1 }, 70_000, [0xffff]],
      [{ dataType: 'int16' }, -40_000, [0x8000]],
    ] as const) {
      const model = modelOf([property('value', 'DOUBLE', { register: 'holding', offset: 0, ...visitor })])
      const device = createSimulatedDevice({ model, device: undefined, clock: new FakeClock(), random: CALM })
      device.write('value', value)
      assert.deepEqual(
        deviceMemory(device).readRegisters('holding', 1, 0, words.length),
        words,
        JSON.stringify(visitor),
      )
    }
  })

  it('says which visitor it cannot serve', () => {
    const device = createSimulatedDevice({
      model: modelOf([property('x', 'INT', { register: 'holding', offset: 70_000 })]),
      clock: new FakeClock(),
      random: CALM,
    })
    assert.throws(
      () => createModbusSimulator({ host: '127.0.0.1', port: 0, clock: new FakeClock(), random: CALM, device }),
      {
        message: /^everything cannot be simulated: x: /,
        fields: { device: 'everything', pointer: '/spec/properties/0/visitors/configData/offset' },
      },
    )
  })
})
