import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DeviceReport, type DeviceStateReport, parseTwin, type Twin } from '../../schemas/index.ts'
import { lamp, lampModel } from '../testing/edge.ts'
import { adopt } from './adopt.ts'
import { orderId } from './orders.ts'
import { applyReport } from './report.ts'
import { soundReport, soundState } from './sound-report.ts'
import { applyState } from './state.ts'
import { TWIN_LIMITS } from './update.ts'

const NOW = 1000
const LAMP = adopt(undefined, { device: lamp({ brightness: '40' }), model: lampModel() }, NOW)
const desired = LAMP.properties['brightness']?.desired
const ORDER = desired ? orderId(LAMP, desired) : ''

const odd = fc.constantFrom<unknown>(
  '1',
  'good',
  'online',
  '\ud800',
  '',
  null,
  5,
  Number.NaN,
  {},
  [],
  true,
  undefined,
  ORDER,
)
const name = fc.constantFrom('brightness', 'power', 'nothing', '__proto__')
const quality = fc.constantFrom<unknown>('good', 'bad', 'uncertain', 'odd', null, 7)
const reading = fc.record({ property: name, value: odd, sourceTime: odd, quality, cause: odd })
const write = fc.record({
  property: name,
  orderId: fc.constantFrom(ORDER, 'other'),
  value: odd,
  failure: fc.oneof(fc.record({ reason: odd, message: odd }), odd),
})
const report = fc.record({
  id: fc.constant(LAMP.id),
  readings: fc.oneof({ weight: 5, arbitrary: fc.array(reading, { maxLength: 3 }) }, odd),
  writes: fc.oneof({ weight: 5, arbitrary: fc.array(write, { maxLength: 3 }) }, odd),
})

test('what a mapper says outside its contract makes no twin that cannot be read back', () => {
  fc.assert(
    fc.property(report, fc.record({ id: fc.constant(LAMP.id), state: odd, reason: odd }), (given, state) => {
      keepsItsForm(applyReport(LAMP, soundReport(asReport(given), NOW), TWIN_LIMITS, NOW))
      const sound = soundState(asState(state))
      if (sound) keepsItsForm(applyState(LAMP, sound, NOW))
    }),
    { numRuns: 3000 },
  )
})

test('what keeps the contract is taken as it is', () => {
  const given: DeviceReport = {
    id: LAMP.id,
    readings: [{ property: 'power', value: '1', sourceTime: 5, quality: 'good' }],
    writes: [{ property: 'brightness', orderId: ORDER, value: '40' }],
  }
  assert.equal(soundReport(given, NOW), given)
  const odd = asReport({
    ...given,
    readings: [{ property: 'power', value: '1', sourceTime: Number.NaN, quality: 'odd' }],
  })
  assert.deepEqual(soundReport(odd, NOW).readings, [
    { property: 'power', value: '1', sourceTime: NOW, quality: 'uncertain' },
  ])
})

function keepsItsForm(after: Twin): void {
  assert.notEqual(parseTwin(JSON.stringify(after)), undefined, JSON.stringify(after))
}

/** Over the port of a worker anything may come. */
function asReport(value: unknown): DeviceReport
function asReport(value: unknown): unknown {
  return value
}
function asState(value: unknown): DeviceStateReport
function asState(value: unknown): unknown {
  return value
}
