import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deviceConfig, visitorConfig } from './config.ts'

describe('the Modbus configuration', () => {
  for (const [who, input, wanted] of [
    ['own spelling', { host: 'plc', port: 5020, unitId: 3 }, { host: 'plc', port: 5020, unitId: 3 }],
    ['the v1beta1 proposal', { ip: '10.0.0.1', port: 502 }, { host: '10.0.0.1', port: 502, unitId: 1 }],
    [
      'the case study, quoted',
      { communicateMode: 'TCP', ip: '10.0.0.1', port: '1502', slaveID: '7', collectTimeout: '500' },
      { host: '10.0.0.1', port: 1502, unitId: 7, timeout: 500 },
    ],
  ] as const) {
    it(`understands a device in ${who}`, () => {
      assert.deepEqual(deviceConfig.parse(input), { ok: true, value: { timeout: 2000, ...wanted, mode: 'TCP' } })
    })
  }

  for (const [who, input] of [
    ['lower case', { register: 'HoldingRegister', offset: 2, limit: 1, scale: 1, isSwap: true, isRegisterSwap: true }],
    [
      'capitals, all quoted',
      { Register: 'HoldingRegister', Offset: '2', Limit: '1', Scale: '1.0', IsSwap: 'true', IsRegisterSwap: 'true' },
    ],
  ] as const) {
    it(`understands a visitor in ${who}`, () => {
      assert.deepEqual(visitorConfig.parse(input), {
        ok: true,
        value: { register: 'HoldingRegister', offset: 2, limit: 1, scale: 1, isSwap: true, isRegisterSwap: true },
      })
    })
  }

  it('refuses a serial line, saying what it can do', () => {
    const parsed = deviceConfig.parse({ communicateMode: 'RTU', serialPort: '/dev/ttyS0' })
    assert.ok(!parsed.ok)
    assert.deepEqual(parsed.issues.map(({ pointer, message }) => [pointer, message]).sort(), [
      ['/communicateMode', 'must be TCP'],
      ['/host', 'is required'],
    ])
  })
})
