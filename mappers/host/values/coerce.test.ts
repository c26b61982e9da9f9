import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { sameValue } from '../../../schemas/index.ts'
import { coerce } from './coerce.ts'

describe('coercion to the property type', () => {
  for (const [type, value, text] of [
    ['INT', 41.6, '42'],
    ['INT', 2n ** 63n - 1n, '9223372036854775807'],
    ['INT', ' 12 ', '12'],
    ['INT', true, '1'],
    ['FLOAT', Math.fround(24.1), '24.1'],
    ['FLOAT', -0, '0'],
    ['DOUBLE', 0.1 + 0.2, '0.30000000000000004'],
    ['DOUBLE', '1.50', '1.5'],
    ['BOOLEAN', 0, 'false'],
    ['BOOLEAN', 'ON', 'true'],
    ['STRING', 7, '7'],
    ['BYTES', new Uint8Array([1, 2, 3]), 'AQID'],
    ['BYTES', 'AQID', 'AQID'],
    ['INT', -(2n ** 63n), '-9223372036854775808'],
    ['INT', '9007199254740993', '9007199254740993'],
    ['STRING', '{"t": "温度 🌡"}', '{"t": "温度 🌡"}'],
    ['STREAM', 'rtsp://camera/1?a=b', 'rtsp://camera/1?a=b'],
  ] as const) {
    it(`takes ${typeof value} ${String(value)} as ${type} ${text}`, () => {
      assert.deepEqual(coerce(type, value), { ok: true, value: text })
    })
  }

  for (const [type, value] of [
    ['INT', Number.NaN],
    ['INT', Number.POSITIVE_INFINITY],
    ['INT', 2n ** 63n],
    ['INT', 'seven'],
    ['FLOAT', 1e39],
    ['DOUBLE', Number.NaN],
    ['BOOLEAN', 'maybe'],
    ['BYTES', 'no base64'],
    ['BYTES', 7],
  ] as const) {
    it(`gives no ${type} for ${String(value)}`, () => {
      const found = coerce(type, value)
      assert.ok(!found.ok && found.reason !== '')
    })
  }

  it('quotes no more of a long text than a person reads', () => {
    const found = coerce('INT', 'x'.repeat(100_000))
    assert.ok(!found.ok && found.reason.length < 200 && found.reason.endsWith('must be an integer (type INT)'))
  })

  it('writes a float as the shortest text that means the same float', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const found = coerce('FLOAT', value)
        assert.ok(found.ok && Math.fround(Number(found.value)) === value + 0)
        assert.ok(found.value.length <= String(value).length)
        assert.ok(sameValue('FLOAT', found.value, String(value)))
      }),
    )
  })
})
