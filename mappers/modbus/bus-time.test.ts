import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import mapper from './index.ts'
import { deviceOf, visitOf } from './testing/configs.ts'

const line = (baudRate: number, more: object = {}) => deviceOf({ serialPort: '/dev/ttyS0', baudRate, ...more })
const registers = (device: ReturnType<typeof line>, count: number, step = 1) =>
  Array.from({ length: count }, (_, index) => visitOf(device, { offset: index * step, dataType: 'uint16' }))
const busTime = (device: ReturnType<typeof line>, count: number, step = 1) =>
  mapper.busTime?.(registers(device, count, step)) ?? Number.NaN
const near = (actual: number, wanted: number) =>
  assert.ok(Math.abs(actual - wanted) < 0.01, `${actual} is not ${wanted}`)

describe('the time on the bus', () => {
  it('is that of the characters and the silences of the standard', () => {
    // 15 characters of 11 bits, and twice 3.5 of silence.
    near(busTime(line(9600), 1), (22 * 11_000) / 9600)
    near(busTime(line(9600), 125), ((263 + 7) * 11_000) / 9600)
    near(busTime(line(19_200), 1), (22 * 11_000) / 19_200)
    // Above 19,200 baud the silences are 1.75 ms.
    near(busTime(line(115_200), 125), (263 * 11_000) / 115_200 + 3.5)
    near(busTime(line(38_400, { parity: 'none', stopBits: 1 }), 1), (15 * 10_000) / 38_400 + 3.5)
  })

  it('counts every request of the plan, with what the device takes and the pause it wants', () => {
    const one = busTime(line(9600), 1)
    near(busTime(line(9600), 5, 2), 5 * one)
    near(busTime(line(9600, { maxRegisters: 1 }), 5), 5 * one)
    near(busTime(line(9600, { maxGap: 1 }), 5, 2), busTime(line(9600), 9))
    near(busTime(line(9600, { turnaround: 20 }), 5, 2), 5 * (one + 20))
    // A pause replaces the shorter silence before the next request.
    near(busTime(line(9600, { pause: 50 }), 1), one + 50 - (3.5 * 11_000) / 9600)
    const coils = Array.from({ length: 17 }, (_, offset) =>
      visitOf(line(9600), { register: 'CoilRegister', offset }, 'BOOLEAN'),
    )
    near(mapper.busTime?.(coils) ?? Number.NaN, ((8 + 8 + 7) * 11_000) / 9600)
  })

  it('is unknown over TCP unless the line behind it or the round trip is named', () => {
    const tcp = (more: object) => deviceOf({ host: 'gateway', ...more })
    assert.equal(mapper.busTime?.(registers(tcp({}), 1)), undefined)
    near(mapper.busTime?.(registers(tcp({ turnaround: 3 }), 5, 2)) ?? Number.NaN, 15)
    near(mapper.busTime?.(registers(tcp({ baudRate: 9600 }), 1)) ?? Number.NaN, busTime(line(9600), 1))
  })

  it('gives a call the time that its whole plan may take', () => {
    const deadline = (device: ReturnType<typeof line>, count: number, step: number) =>
      mapper.deadline?.(device, registers(device, count, step)) ?? 0
    const device = line(9600, { timeout: 100 })
    assert.ok(deadline(device, 10, 2) >= 10 * (100 + busTime(device, 1)))
    assert.ok(deadline(device, 1, 1) < 500)
    assert.ok(deadline(line(9600, { timeout: 100, pause: 1000 }), 10, 2) >= 10_000)
  })
})
