import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromBase64, toBase64 } from './base64.ts'
import type { ModelProperty } from './device.ts'
import { formatValue, parseValue, refuseDesired, sameValue } from './value.ts'

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })

const canonical = (type: 'INT' | 'FLOAT' | 'DOUBLE' | 'BYTES', text: string) => {
  const parsed = parseValue(type, text)
  return parsed.ok ? formatValue(parsed.value) : parsed.reason
}

const refusal = (property: Partial<ModelProperty>, text: string) =>
  refuseDesired({ name: 'p', type: 'INT', accessMode: 'ReadWrite', ...property }, text) ?? 'allowed'

describe('values', () => {
  it('a 64-bit integer keeps every digit', () => {
    fc.assert(fc.property(int64, (value) => canonical('INT', String(value)) === String(value)))
    for (const text of ['9223372036854775807', '-9223372036854775808', '9007199254740993', '-9007199254740993'])
      assert.equal(canonical('INT', text), text)
    for (const text of ['9223372036854775808', '-9223372036854775809', '9'.repeat(1000)])
      assert.equal(canonical('INT', text), 'must fit into 64 bits')
  })

  it('no other notation is an integer', () => {
    for (const text of ['', ' 1', '1 ', '1.0', '1e3', '0x10', '--1', '+', '-', '1n', '\u0661', 'NaN'])
      assert.equal(canonical('INT', text), 'must be an integer', text)
    for (const [text, value] of [
      ['+7', '7'],
      ['-0', '0'],
      ['007', '7'],
    ] as const)
      assert.equal(canonical('INT', text), value)
  })

  it('two integers are the same by their digits, not as doubles', () => {
    fc.assert(fc.property(int64, int64, (a, b) => sameValue('INT', String(a), `${b}`) === (a === b)))
    assert.ok(!sameValue('INT', '9007199254740993', '9007199254740992'))
    assert.ok(sameValue('INT', '+9007199254740993', '009007199254740993'))
    assert.ok(sameValue('INT', '-0', '0'))
  })

  it('a decimal reads as the number that it spells, in its width', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
        sameValue('DOUBLE', String(value), canonical('DOUBLE', String(value))),
      ),
    )
    for (const [text, value] of [
      ['1e3', '1000'],
      ['-1.5E-3', '-0.0015'],
      ['.5', '0.5'],
      ['5.', '5'],
      ['-0', '0'],
      ['0.1', '0.1'],
    ] as const)
      assert.equal(canonical('DOUBLE', text), value)
    assert.equal(canonical('FLOAT', '3.5e38'), 'is out of range')
    assert.equal(canonical('DOUBLE', '1e309'), 'is out of range')
    for (const text of ['', '.', 'e5', '1e', 'Infinity', 'NaN', '1,5', '0x1p3', '1.2.3'])
      assert.equal(canonical('DOUBLE', text), 'must be a number', text)
    // 24.1 as a float of 32 bits is not the double 24.1.
    assert.ok(sameValue('FLOAT', '24.1', '24.100000381469727'))
    assert.ok(!sameValue('DOUBLE', '24.1', '24.100000381469727'))
  })

  it('a text that nearly is a number takes no longer than it is', () => {
    const started = performance.now()
    for (const type of ['FLOAT', 'DOUBLE', 'INT', 'BYTES'] as const)
      assert.equal(parseValue(type, `${'1'.repeat(1_000_000)}x`).ok, false)
    // A match that tries each way to split the digits needs hours for this.
    assert.ok(performance.now() - started < 30_000)
  })

  it('bytes are base64 and the same when they decode to the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        assert.equal(toBase64(bytes), Buffer.from(bytes).toString('base64'))
        assert.deepEqual(fromBase64(toBase64(bytes)), new Uint8Array(bytes))
      }),
    )
    for (const text of ['A', 'AQI', 'AQID=', '====', 'A===', 'AQ-_', 'AQ ID', 'AQID\n', '=AAA', 'AA=A'])
      assert.equal(canonical('BYTES', text), 'must be base64', text)
    // The last bits of the first one are not used.
    assert.ok(sameValue('BYTES', 'QR==', 'QQ=='))
    assert.ok(!sameValue('BYTES', 'QQ==', 'Qg=='))
    assert.equal(canonical('BYTES', ''), '')
  })

  it('text and stream are any text, byte for byte', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        for (const type of ['STRING', 'STREAM'] as const) {
          const parsed = parseValue(type, text)
          assert.ok(parsed.ok && formatValue(parsed.value) === text)
        }
      }),
    )
    assert.ok(!sameValue('STRING', '1', '1.0'))
    for (const text of ['True', 'TRUE', '1', '']) assert.ok(!parseValue('BOOLEAN', text).ok)
  })
})

describe('bounds', () => {
  it('hold at the ends of the 64-bit range', () => {
    const property = { minimum: '-9223372036854775807', maximum: '9223372036854775806' }
    assert.equal(refusal(property, '-9223372036854775807'), 'allowed')
    assert.match(refusal(property, '-9223372036854775808'), /greater than or equal/)
    assert.equal(refusal(property, '9223372036854775806'), 'allowed')
    assert.match(refusal(property, '9223372036854775807'), /less than or equal/)
  })

  it('of an integer may have decimals, and count by their digits', () => {
    for (const [bounds, text, expected] of [
      [{ maximum: '9007199254740993.5' }, '9007199254740993', /allowed/],
      [{ maximum: '9007199254740993.5' }, '9007199254740994', /less/],
      [{ minimum: '9007199254740992.5' }, '9007199254740992', /greater/],
      [{ minimum: '9007199254740992.5' }, '9007199254740993', /allowed/],
      [{ minimum: '-1.5' }, '-1', /allowed/],
      [{ minimum: '-1.5' }, '-2', /greater/],
      [{ maximum: '-1.5' }, '-2', /allowed/],
      [{ maximum: '-1.5' }, '-1', /less/],
      [{ maximum: '.5' }, '0', /allowed/],
      [{ maximum: '.5' }, '1', /less/],
      [{ maximum: '1e3' }, '1000', /allowed/],
      [{ maximum: '1e3' }, '1001', /less/],
      [{ maximum: '5.000' }, '5', /allowed/],
    ] as const)
      assert.match(refusal(bounds, text), expected, `${JSON.stringify(bounds)} ${text}`)
  })

  it('agree with exact arithmetic for every integer', () => {
    const decimal = fc.tuple(int64, fc.integer({ min: 0, max: 999 }))
    fc.assert(
      fc.property(int64, decimal, (value, [whole, thousandths]) => {
        const text = `${whole}.${String(thousandths).padStart(3, '0')}`
        const exact = whole * 1000n + (text.startsWith('-') ? -1n : 1n) * BigInt(thousandths)
        assert.equal(refusal({ maximum: text }, String(value)) === 'allowed', value * 1000n <= exact)
        assert.equal(refusal({ minimum: text }, String(value)) === 'allowed', value * 1000n >= exact)
      }),
    )
  })
})
