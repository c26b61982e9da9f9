import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type ByteOrder, NUMBER_TYPES, type NumberType } from '../../payload/index.ts'
import { parseBytes } from '../framing/bytes.ts'
import { compose } from './compose.ts'
import { extract, type Place, type Spelling } from './extract.ts'
import { parseTemplate, render, type Template, unrender } from './template.ts'

const SPELLING: Spelling = { base: 10, decimal: '.', trueText: 'ON', falseText: 'OFF' }
const FILLING = { trueText: 'ON', falseText: 'OFF' }

function template(text: string): Template {
  const parsed = parseTemplate(text, ['address', 'value'])
  assert.ok(parsed.ok, JSON.stringify(parsed))
  return parsed.value
}

function anyNumber(type: NumberType): fc.Arbitrary<number | bigint> {
  if (type === 'float32') return fc.float({ noNaN: true }).map(Math.fround)
  if (type === 'float64') return fc.double({ noNaN: true })
  const bits = BigInt(type.replace(/\D+/, ''))
  const range = type.startsWith('int')
    ? { min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n }
    : { min: 0n, max: 2n ** bits - 1n }
  return fc.bigInt(range).map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value))
}

const order = fc.constantFrom<ByteOrder>('big', 'little')

describe('a value in a payload', () => {
  it('comes out as it went in: every number, anywhere, in either order', () => {
    const number = fc
      .constantFrom(...NUMBER_TYPES)
      .chain((type) => fc.record({ type: fc.constant(type), order, at: fc.nat(20), value: anyNumber(type) }))
    fc.assert(
      fc.property(number, ({ type, order, at, value }) => {
        const place: Place = { kind: 'number', at, type, order }
        const payload = compose([{ place, type: 'DOUBLE', spelling: SPELLING, value }])
        assert.equal(extract(payload, place, 'DOUBLE', SPELLING), value)
      }),
    )
  })

  it('comes out as it went in: decimal digits, texts and bytes at a position', () => {
    fc.assert(
      fc.property(
        order,
        fc.nat(9),
        fc.nat(99_999_999),
        fc.uint8Array({ minLength: 1, maxLength: 9 }),
        (order, at, number, bytes) => {
          const bcd: Place = { kind: 'bcd', at, length: 4, order }
          const raw: Place = { kind: 'bytes', at: at + 4, length: bytes.length }
          const payload = compose([
            { place: bcd, type: 'INT', spelling: SPELLING, value: number },
            { place: raw, type: 'BYTES', spelling: SPELLING, value: bytes },
          ])
          assert.equal(extract(payload, bcd, 'INT', SPELLING), number)
          assert.deepEqual(extract(payload, raw, 'BYTES', SPELLING), Buffer.from(bytes))
        },
      ),
    )
  })

  it('comes out as it went in: single bits beside each other', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 16, maxLength: 16 }), order, (bits, order) => {
        const places = bits.map((_, bit): Place => ({ kind: 'bit', at: 1, type: 'uint16', order, bit }))
        const payload = compose(
          places.map((place, bit) => ({ place, type: 'BOOLEAN', spelling: SPELLING, value: bits[bit] ?? false })),
        )
        assert.deepEqual(
          places.map((place) => extract(payload, place, 'BOOLEAN', SPELLING)),
          bits,
        )
      }),
    )
  })

  it('comes out as it went in: fields, keys and JSON', () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 6 })
    const spelling = fc.constantFrom<Spelling>(SPELLING, { ...SPELLING, decimal: ',' })
    fc.assert(
      fc.property(values, spelling, (numbers, spelling) => {
        const ways: readonly ((index: number) => Place)[] = [
          (index) => ({ kind: 'field', index, separator: ';' }),
          (index) => ({ kind: 'field', index, separator: ' ' }),
          (index) => ({ kind: 'key', key: `k${index}`, separator: ';', assign: '=' }),
          (index) => ({ kind: 'pointer', pointer: `/a/k${index}~1` }),
          (index) => ({ kind: 'column', at: index * 30, length: 30 }),
        ]
        for (const way of ways) {
          const placed = numbers.map((value, index) => ({
            place: way(index),
            type: 'DOUBLE' as const,
            spelling,
            value,
          }))
          const payload = compose(placed)
          // Whole numbers of JSON that are too large for a double to be sure of come as bigints.
          for (const { place, value } of placed)
            assert.equal(Number(extract(payload, place, 'DOUBLE', spelling)), value + 0 || 0)
        }
      }),
    )
  })

  it('is what people write: a sign apart, a unit behind, hexadecimal, words', () => {
    const read = (text: string, type: 'INT' | 'DOUBLE' | 'BOOLEAN' | 'STRING', spelling: Partial<Spelling> = {}) => {
      try {
        return extract(Buffer.from(text), { kind: 'whole' }, type, { ...SPELLING, ...spelling })
      } catch (error) {
        return error instanceof Error ? error.message : error
      }
    }
    assert.deepEqual(
      [read('+ 12.50 g', 'DOUBLE'), read('-7C', 'INT'), read('1,5', 'DOUBLE', { decimal: ',' }), read('1e3', 'DOUBLE')],
      [12.5, -7, 1.5, 1000],
    )
    assert.deepEqual([read('1F', 'INT', { base: 16 }), read('9007199254740993', 'INT')], [31, 9007199254740993n])
    assert.deepEqual([read(' ON ', 'BOOLEAN'), read(' a b ', 'STRING')], [true, 'a b'])
    // What is no number is never one.
    for (const text of ['', 'ERR 5', '1.2.3', '--1', '12 34', '1:30', 'NaN', '.'])
      assert.match(String(read(text, 'DOUBLE')), /is no number/, text)
    assert.match(String(read('MAYBE', 'BOOLEAN')), /neither "ON" nor "OFF"/)
  })

  it('that is not there is told with what is there instead', () => {
    const fails = (text: string, place: Place) => {
      assert.throws(
        () => extract(Buffer.from(text), place, 'INT', SPELLING),
        new RegExp(text.slice(0, 3).replace('{', '\\{')),
      )
    }
    fails('1,2', { kind: 'field', index: 2, separator: ',' })
    fails('a=1', { kind: 'key', key: 'b', separator: ',', assign: '=' })
    fails('{"a":1}', { kind: 'pointer', pointer: '/b' })
    fails('{"a":1}', { kind: 'pointer', pointer: '/toString' })
    fails('abc', { kind: 'number', at: 0, type: 'int32', order: 'big' })
    fails('abc', { kind: 'column', at: 2, length: 2 })
  })
})

describe('a template', () => {
  it('renders values in their formats', () => {
    const shown = (text: string, value: number | string | boolean | bigint, address?: string) =>
      render(template(text), { ...FILLING, value, address }).toString('latin1')
    assert.equal(shown('M{address:02d}?', 0, '7'), 'M07?')
    assert.equal(shown('SET {value:.2f}\\r', 1.005), 'SET 1.00\r')
    assert.equal(shown('{value:05d}|{value:4X}', 255), '00255|  FF')
    assert.equal(shown('{{{value}}}', true), '{ON}')
    assert.equal(shown('{value:04d}', -7), '-007')
    assert.equal(shown('hex: 02 {address:u8} {value:u16be}', 258, '3'), '\x02\x03\x01\x02')
    assert.equal(shown('{value:6s}|{value:bcd2}', '1234'), '1234  |\x124')
    assert.throws(() => shown('{value:03d}', 1000), /longer than 3/)
    assert.throws(() => shown('{value:d}', 1.5), /is no integer/)
    assert.throws(() => shown('{value:u8}', 256), /does not fit into uint8/)
  })

  it('is taken apart again by the other end', () => {
    fc.assert(
      fc.property(fc.constantFrom('{value:u16be}', '{value:d}', '{value:06d}'), fc.nat(65_535), (place, value) => {
        const made = template(`\\x02W{address} ${place}\\x03`)
        const filling = { ...FILLING, address: '12' }
        const found = unrender(made, render(made, { ...filling, value }), filling)
        assert.ok(found)
        assert.equal(found.length === 2 && place.includes('u16') ? found.readUInt16BE() : Number(found), value)
        assert.equal(unrender(made, render(made, { ...filling, address: '13', value }), filling), undefined)
      }),
    )
  })

  it('refuses what nobody can mean', () => {
    for (const [text, reason] of [
      ['{adress}', /has the place \{adress\}; there is \{address\} and \{value\}/],
      ['{value:q}', /unknown format/],
      ['{value:u16}', /unknown format/],
      ['a{', /brace without its partner/],
      ['a}', /brace without its partner/],
      ['\\q', /unknown escape \\q/],
      ['hex: 0', /odd number/],
    ] as const) {
      const parsed = parseTemplate(text, ['address', 'value'])
      assert.match(parsed.ok ? 'allowed' : parsed.reason, reason, text)
    }
    assert.deepEqual(parseBytes('a\\r\\n\\t\\0\\\\\\x7fé'), { ok: true, value: Buffer.from('a\r\n\t\0\\\x7fé') })
  })
})
