import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { visitorOf } from './testing/configs.ts'
import { visitorConfig } from './visitor-config.ts'

const issuesOf = (input: object) => {
  const parsed = visitorConfig.parse(input)
  return parsed.ok ? [] : parsed.issues.map(({ pointer, message }) => `${pointer} ${message}`)
}

describe('the configuration of a Modbus visitor', () => {
  for (const [who, input] of [
    ['lower case', { register: 'HoldingRegister', offset: 2, limit: 1, scale: 1, isSwap: true, isRegisterSwap: true }],
    [
      'capitals, all quoted',
      { Register: 'HoldingRegister', Offset: '2', Limit: '1', Scale: '1.0', IsSwap: 'true', IsRegisterSwap: 'true' },
    ],
    ['an order by name', { register: 'HoldingRegister', offset: 2, limit: 1, byteOrder: 'dcba' }],
    ['an address of a manual', { address: '40003', limit: 1, order: 'DCBA' }],
  ] as const) {
    it(`understands ${who}`, () => {
      assert.deepEqual(visitorConfig.parse(input), {
        ok: true,
        value: {
          register: 'HoldingRegister',
          offset: 2,
          limit: 1,
          scale: 1,
          isSwap: true,
          isRegisterSwap: true,
          padding: 'zero',
          encoding: 'utf8',
        },
      })
    })
  }

  it('counts the numbers of manuals from 1, with five or six digits', () => {
    for (const [address, register, offset] of [
      ['00001', 'CoilRegister', 0],
      ['10010', 'DiscreteInputRegister', 9],
      ['39999', 'InputRegister', 9998],
      ['465536', 'HoldingRegister', 65_535],
      [40_001, 'HoldingRegister', 0],
    ] as const) {
      const { register: found, offset: at } = visitorOf({ address })
      assert.deepEqual([found, at], [register, offset])
    }
    for (const address of ['40000', '20001', '4001', '465537', '4x001']) {
      assert.match(issuesOf({ address }).join(), /^\/address must have five or six digits/)
    }
  })

  it('refuses what says the same thing twice', () => {
    assert.match(issuesOf({ Address: '40001', offset: 0 }).join(), /^\/Address says what register and offset say/)
    assert.match(issuesOf({ address: '40001', order: 'ABCD', isSwap: false }).join(), /^\/order says what isSwap/)
    assert.match(issuesOf({ address: '40001', bit: 9, bitCount: 8 }).join(), /^\/bitCount must be at most 7/)
    assert.match(issuesOf({ address: '40001', bitCount: 8 }).join(), /^\/bitCount needs bit/)
    assert.deepEqual(issuesOf({}), ['/register is required', '/offset is required'])
  })
})
