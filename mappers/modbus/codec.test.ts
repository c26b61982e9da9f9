import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Property, PropertyType } from '../contract/index.ts'
import { decode, encode, type Layout, layoutOf } from './codec.ts'
import { type DataType, type VisitorConfig, visitorConfig } from './config.ts'

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
  float32: fc.float({ noNaN: true }),
  float64: fc.double({ noNaN: true }),
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
      ['INT', { dataType: 'int32', offset: 65535 }, /leaves no room/],
      ['INT', { scale: 0 }, /scale/],
      ['STREAM', {}, /STREAM/],
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
