import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Property, PropertyType } from '../contract/index.ts'
import { decode, encode, encodeBits } from './codec.ts'
import { type Layout, layoutOf } from './layout.ts'
import { type DataType, ORDERS, type VisitorConfig, visitorConfig } from './visitor-config.ts'

function visitor(config: object): VisitorConfig {
  const parsed = visitorConfig.parse({ register: 'HoldingRegister', offset: 0, ...config })
  assert.ok(parsed.ok)
  return parsed.value
}
const property = (type: PropertyType): Property => ({ name: 'p', type, accessMode: 'ReadWrite' })
function layout(type: PropertyType, config: object): Layout {
  const found = layoutOf(property(type), visitor(config))
  assert.ok(found.ok, JSON.stringify(found))
  return found.layout
}

const bits = (count: number) => fc.bigInt({ min: -(2n ** BigInt(count - 1)), max: 2n ** BigInt(count - 1) - 1n })
const positive = (count: number) => fc.bigInt({ min: 0n, max: 2n ** BigInt(count) - 1n })
const VALUES: Readonly<Record<Exclude<DataType, 'string'>, fc.Arbitrary<number | bigint | boolean>>> = {
  bool: fc.boolean(),
  int16: bits(16),
  uint16: positive(16),
  int32: bits(32),
  uint32: positive(32),
  int64: bits(64),
  uint64: positive(64),
  float32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  float64: fc.double({ noNaN: true, noDefaultInfinity: true }),
  bcd16: fc.integer({ min: 0, max: 9999 }),
  bcd32: fc.integer({ min: 0, max: 99_999_999 }),
}

describe('the Modbus codec', () => {
  for (const [dataType, values] of Object.entries(VALUES)) {
    it(`reads what it wrote: ${dataType}`, () => {
      fc.assert(
        fc.property(values, fc.boolean(), fc.boolean(), (value, isSwap, isRegisterSwap) => {
          const config = { dataType, isSwap, isRegisterSwap }
          const found = layout('INT', config)
          const words = encode(value, found, visitor(config))
          assert.equal(words.length, found.length)
          assert.ok(words.every((word) => Number.isInteger(word) && word >= 0 && word <= 0xffff))
          const back = decode(words, found, visitor(config))
          if (typeof value === 'bigint')
            assert.equal(BigInt(Number.isSafeInteger(back) ? Number(back) : String(back)), value)
          else assert.equal(back, value)
        }),
      )
    })
  }

  it('knows the four orders of a 32-bit float', () => {
    // 24.5 is 0x41C40000.
    for (const [isSwap, isRegisterSwap, words] of [
      [false, false, [0x41c4, 0x0000]],
      [false, true, [0x0000, 0x41c4]],
      [true, false, [0xc441, 0x0000]],
      [true, true, [0x0000, 0xc441]],
    ] as const) {
      const config = { dataType: 'float32', isSwap, isRegisterSwap }
      assert.equal(decode(words, layout('FLOAT', config), visitor(config)), 24.5)
    }
  })

  it('knows the four orders by their names, for 64 bits too', () => {
    const value = 0x0102030405060708n
    const words = {
      ABCD: [0x0102, 0x0304, 0x0506, 0x0708],
      BADC: [0x0201, 0x0403, 0x0605, 0x0807],
      CDAB: [0x0708, 0x0506, 0x0304, 0x0102],
      DCBA: [0x0807, 0x0605, 0x0403, 0x0201],
    }
    for (const order of ORDERS) {
      const config = { dataType: 'int64', order }
      assert.deepEqual(encode(value, layout('INT', config), visitor(config)), words[order])
      assert.equal(decode(words[order], layout('INT', config), visitor(config)), value)
    }
  })

  it('reads and writes what other Modbus software calls these numbers', () => {
    for (const [config, value, words] of [
      [{ dataType: 'bcd16' }, 1234, [0x1234]],
      [{ dataType: 'bcd32', order: 'CDAB' }, 12_345_678, [0x5678, 0x1234]],
      [{ dataType: 'uint64' }, 2n ** 64n - 1n, [0xffff, 0xffff, 0xffff, 0xffff]],
      [{ dataType: 'int64' }, -(2n ** 63n), [0x8000, 0, 0, 0]],
      [{ dataType: 'float64' }, -2.5, [0xc004, 0, 0, 0]],
      [{ dataType: 'uint32', scale: 10 }, 40, [0, 4]],
    ] as const) {
      assert.deepEqual(encode(value, layout('INT', config), visitor(config)), words)
      assert.equal(decode(words, layout('INT', config), visitor(config)), value)
    }
    assert.throws(() => decode([0x12a4], layout('INT', { dataType: 'bcd16' }), visitor({ dataType: 'bcd16' })), /BCD/)
  })

  it('keeps every digit of 64 bits under a whole scale', () => {
    const config = { dataType: 'int64', scale: 10 }
    const value = 90_071_992_547_409_910n
    assert.equal(
      decode(encode(value, layout('INT', config), visitor(config)), layout('INT', config), visitor(config)),
      value,
    )
    assert.throws(() => encode(value + 1n, layout('INT', config), visitor(config)), /not a multiple of the scale/)
  })

  it('refuses before a write what does not fit', () => {
    for (const [config, value, reason] of [
      [{ dataType: 'uint16' }, -1, /does not fit into uint16/],
      [{ dataType: 'bcd16' }, 10_000, /does not fit into bcd16/],
      [{ dataType: 'uint64' }, 2n ** 64n, /does not fit into uint64/],
      [{ dataType: 'float32' }, 1e39, /does not fit into float32/],
      [{ dataType: 'float32' }, Number.POSITIVE_INFINITY, /does not fit into float32/],
      [{ dataType: 'float64' }, Number.NEGATIVE_INFINITY, /does not fit into float64/],
      [{ dataType: 'float64', scale: 1e-10 }, 1e300, /does not fit into float64/],
      [{ dataType: 'float64' }, Number.NaN, /not a number/],
      [{ dataType: 'float32' }, 'NaN', /not a number/],
      [{ dataType: 'int32' }, Number.POSITIVE_INFINITY, /not a multiple/],
      [{ dataType: 'int32', scale: 0.1 }, 50_000.04, /not a multiple/],
      [{ dataType: 'int16' }, 1.5, /not a multiple/],
      [{ dataType: 'bool' }, 7, /neither true nor false/],
      [{ dataType: 'string', encoding: 'latin1', limit: 4 }, '\u20ac', /cannot be written in latin1/],
    ] as const) {
      assert.throws(() => encode(value, layout('DOUBLE', config), visitor(config)), reason)
    }
    assert.throws(() => encodeBits(4, visitor({ bit: 3, bitCount: 2 })), /does not fit into 2 bits/)
    assert.throws(() => encodeBits(2, visitor({ bit: 3 })), /does not fit into one bit/)
  })

  it('takes no float for a value that is none, as sensors without one send it', () => {
    for (const [dataType, words] of [
      ['float32', [0x7fc0, 0]],
      ['float32', [0x7f80, 0]],
      ['float32', [0xff80, 0]],
      ['float64', [0x7ff8, 0, 0, 0]],
      ['float64', [0xfff0, 0, 0, 0]],
    ] as const) {
      for (const type of ['FLOAT', 'INT', 'STRING', 'BOOLEAN'] as const) {
        const config = { dataType }
        assert.throws(() => decode(words, layout(type, config), visitor(config)), /hold (NaN|-?Infinity)/)
      }
    }
    const large = { dataType: 'float64', scale: 10 }
    assert.throws(() => decode([0x7fe0, 0, 0, 0], layout('DOUBLE', large), visitor(large)), /too large/)
  })

  it('writes back what it read under any usual scale', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('int16', 'uint16', 'int32', 'uint32'),
        fc.constantFrom(0.1, 0.01, 0.001, 1e-6, 0.25, 1 / 3, 0.3048, 3, 1000),
        fc.nat(0xffff_ffff),
        (dataType, scale, number) => {
          const config = { dataType, scale }
          const found = layout('DOUBLE', config)
          const words = found.length === 1 ? [number & 0xffff] : [number >>> 16, number & 0xffff]
          assert.deepEqual(encode(decode(words, found, visitor(config)), found, visitor(config)), words)
        },
      ),
    )
  })

  it('knows the four orders of 32 bits, of text and of a flag', () => {
    const orders = {
      ABCD: [[0x89ab, 0xcdef], [0x6162, 0x6364, 0x6566], [0x0001]],
      BADC: [[0xab89, 0xefcd], [0x6261, 0x6463, 0x6665], [0x0100]],
      CDAB: [[0xcdef, 0x89ab], [0x6566, 0x6364, 0x6162], [0x0001]],
      DCBA: [[0xefcd, 0xab89], [0x6665, 0x6463, 0x6261], [0x0100]],
    }
    for (const order of ORDERS) {
      const [long = [], text = [], flag = []] = orders[order]
      for (const [type, config, value, words] of [
        ['INT', { dataType: 'uint32' }, 0x89ab_cdef, long],
        ['INT', { dataType: 'int32' }, 0x89ab_cdef - 2 ** 32, long],
        ['STRING', { limit: 3 }, 'abcdef', text],
        ['BYTES', { limit: 3 }, new TextEncoder().encode('abcdef'), text],
        ['BOOLEAN', {}, true, flag],
      ] as const) {
        const ordered = { ...config, order }
        assert.deepEqual(encode(value, layout(type, ordered), visitor(ordered)), words, `${order} ${type}`)
        assert.deepEqual(decode(words, layout(type, ordered), visitor(ordered)), value, `${order} ${type}`)
      }
    }
  })

  it('tells the highest and lowest values of signed and unsigned registers apart', () => {
    for (const [dataType, words, value] of [
      ['int16', [0x7fff], 32_767],
      ['int16', [0x8000], -32_768],
      ['uint16', [0x8000], 32_768],
      ['uint16', [0xffff], 65_535],
      ['int32', [0x8000, 0], -(2 ** 31)],
      ['uint32', [0x8000, 0], 2 ** 31],
      ['int32', [0xffff, 0xffff], -1],
      ['uint32', [0xffff, 0xffff], 2 ** 32 - 1],
      ['int64', [0xffff, 0xffff, 0xffff, 0xffff], -1],
      ['int64', [0x7fff, 0xffff, 0xffff, 0xffff], 2n ** 63n - 1n],
      ['uint64', [0x8000, 0, 0, 0], 2n ** 63n],
    ] as const) {
      const found = layout('INT', { dataType })
      assert.equal(decode(words, found, visitor({ dataType })), value)
      assert.deepEqual(encode(value, found, visitor({ dataType })), words)
    }
  })

  it('takes bits out of a register, and changes no others', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 15 }),
        fc.integer({ min: 1, max: 16 }),
        fc.integer({ min: 0, max: 0xffff }),
        fc.integer({ min: 0, max: 0xffff }),
        fc.boolean(),
        (first, wanted, before, number, isSwap) => {
          const count = Math.min(wanted, 16 - first)
          const config = { bit: first, bitCount: count, isSwap }
          const value = number & (2 ** count - 1)
          const { mask, bits: changed } = encodeBits(value, visitor(config))
          const after = (before & ~mask) | changed
          assert.equal(Number(decode([after], layout('INT', config), visitor(config))), value)
          assert.equal((after ^ before) & ~mask, 0)
        },
      ),
    )
    assert.equal(decode([0b1000], layout('BOOLEAN', { bit: 3 }), visitor({ bit: 3 })), true)
  })

  it('pads text with spaces where the device does', () => {
    const config = { dataType: 'string', limit: 3, padding: 'space', order: 'BADC' }
    const found = layout('STRING', config)
    assert.deepEqual(encode('pump', found, visitor(config)), [0x7570, 0x706d, 0x2020])
    assert.equal(decode([0x7570, 0x706d, 0x2020], found, visitor(config)), 'pump')
    const latin = { dataType: 'string', limit: 1, encoding: 'latin1' }
    assert.equal(decode([0xb043], layout('STRING', latin), visitor(latin)), '\u00b0C')
  })

  it('scales without binary dust, and refuses what falls between two steps', () => {
    const config = { dataType: 'int16', scale: 0.1 }
    assert.equal(decode([3], layout('FLOAT', config), visitor(config)), 0.3)
    assert.deepEqual(encode(12.3, layout('FLOAT', config), visitor(config)), [123])
    assert.throws(() => encode(12.34, layout('FLOAT', config), visitor(config)), /not a multiple of the scale/)
    assert.throws(
      () => encode(40_000, layout('INT', { dataType: 'int16' }), visitor({ dataType: 'int16' })),
      /does not fit/,
    )
  })

  it('reads text up to its first zero', () => {
    const config = { dataType: 'string', limit: 3 }
    const found = layout('STRING', config)
    assert.deepEqual(encode('pump', found, visitor(config)), [0x7075, 0x6d70, 0])
    assert.equal(decode([0x7075, 0x6d70, 0], found, visitor(config)), 'pump')
    assert.throws(() => encode('too long', found, visitor(config)), /there is room for 6/)
  })

  it('derives the data type from property and limit, as manifests without one mean it', () => {
    for (const [type, config, dataType, length] of [
      ['INT', {}, 'int16', 1],
      ['INT', { limit: '2' }, 'int32', 2],
      ['INT', { dataType: 'int', limit: 4 }, 'int64', 4],
      ['FLOAT', {}, 'float32', 2],
      ['FLOAT', { limit: 1, scale: '0.1' }, 'int16', 1],
      ['DOUBLE', {}, 'float64', 4],
      ['BOOLEAN', { register: 'coil' }, 'bool', 1],
      ['STRING', { limit: 8 }, 'string', 8],
    ] as const) {
      assert.deepEqual(layout(type, config), { dataType, length })
    }
  })

  it('rejects what can never be read', () => {
    for (const [type, config, reason] of [
      ['INT', { dataType: 'int32', limit: 1 }, /int32 takes 2 registers/],
      ['INT', { register: 'CoilRegister' }, /holds bits/],
      ['BOOLEAN', { register: 'CoilRegister', limit: 8 }, /limit is 8, but bool takes 1 bit$/],
      ['BOOLEAN', { limit: 2 }, /limit is 2, but bool takes 1 register$/],
      ['INT', { dataType: 'int32', offset: 65535 }, /leaves no room/],
      ['INT', { scale: 0 }, /scale/],
      ['STREAM', {}, /STREAM/],
      ['INT', { bit: 3, dataType: 'int32' }, /one register/],
      ['INT', { bit: 3, register: 'CoilRegister' }, /holds single bits/],
      ['BOOLEAN', { bit: 3, bitCount: 2 }, /leave bitCount out/],
    ] as const) {
      const found = layoutOf(property(type), visitor(config))
      assert.match(found.ok ? '' : found.reason, reason)
    }
  })

  it('reads and writes bytes as they are, zeros and all', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 6, maxLength: 6 }),
        fc.boolean(),
        fc.boolean(),
        (bytes, isSwap, isRegisterSwap) => {
          for (const dataType of [{}, { dataType: 'string' }]) {
            const config = { ...dataType, limit: 3, isSwap, isRegisterSwap }
            const found = layout('BYTES', config)
            const value = new Uint8Array(bytes)
            assert.deepEqual(decode(encode(value, found, visitor(config)), found, visitor(config)), value)
          }
        },
      ),
    )
    const found = layout('BYTES', { limit: 3 })
    for (const value of [new Uint8Array(5), new Uint8Array(7), 'AQIDBAUG'])
      assert.throws(() => encode(value, found, visitor({ limit: 3 })))
  })
})
