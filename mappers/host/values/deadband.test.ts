import assert from 'node:assert/strict'
import { it } from 'node:test'
import { isWithin, parseDeadband } from './deadband.ts'

const within = (config: number | string, sent: string, value: string, type: 'INT' | 'DOUBLE' = 'DOUBLE') => {
  const band = parseDeadband(config)
  return band !== undefined && isWithin(band, type, sent, value)
}

it('a change up to the deadband is within, in either direction', () => {
  assert.deepEqual(
    ['20.5', '19.5', '20.51', '19.4'].map((value) => within(0.5, '20', value)),
    [true, true, false, false],
  )
})

it('percent count from the value that was sent last', () => {
  assert.deepEqual(
    ['101', '99', '101.1'].map((value) => within('1%', '100', value)),
    [true, true, false],
  )
  assert.deepEqual(
    ['-101', '-98.9'].map((value) => within('1 %', '-100', value)),
    [true, false],
  )
  assert.equal(within('1%', '0', '0.0001'), false)
})

it('integers beyond the digits of a double differ by what they differ by', () => {
  assert.equal(within(0.5, '9223372036854775806', '9223372036854775807', 'INT'), false)
  assert.equal(within(1, '9223372036854775806', '9223372036854775807', 'INT'), true)
})

it('a deadband of nothing is none', () => {
  assert.equal(parseDeadband(0), undefined)
  assert.equal(parseDeadband('0%'), undefined)
})
