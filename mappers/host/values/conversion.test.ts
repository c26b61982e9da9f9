import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ModelProperty, PropertyType, PropertyValue } from '../../../schemas/index.ts'
import { formatValue, parseValue } from '../../../schemas/index.ts'
import { writeBits } from './bit-field.ts'
import { coerce } from './coerce.ts'
import { type ConvertConfig, takeHostKeys } from './host-keys.ts'
import { planConversion } from './plan-conversion.ts'
import { knownUnits } from './units.ts'

const model = (type: PropertyType, more: Partial<ModelProperty> = {}): ModelProperty => ({
  name: 'p',
  type,
  accessMode: 'ReadWrite',
  ...more,
})

function conversion(type: PropertyType, config: ConvertConfig, more: Partial<ModelProperty> = {}) {
  const planned = planConversion(model(type, more), config)
  assert.deepEqual(planned.issues, [])
  return planned.conversion ?? assert.fail('nothing is converted')
}

/** What the twin gets to see of a raw value, or why nothing. */
function read(
  type: PropertyType,
  config: ConvertConfig,
  raw: PropertyValue,
  more: Partial<ModelProperty> = {},
): string {
  const value = conversion(type, config, more).read(raw)
  const text = value.ok ? coerce(type, value.value) : value
  return text.ok ? text.value : text.reason
}

function write(type: PropertyType, config: ConvertConfig, wish: string, more: Partial<ModelProperty> = {}) {
  const raw = conversion(type, config, more).write(wish)
  return raw.ok ? raw.value : raw.reason
}

const refusals = (type: PropertyType, config: ConvertConfig, more: Partial<ModelProperty> = {}) =>
  planConversion(model(type, more), config).issues.map(({ pointer, message }) => `${pointer} ${message}`)

describe('a converted value', () => {
  it('is scaled and moved in decimals, as a person would', () => {
    assert.equal(read('DOUBLE', { scale: 0.1 }, 3), '0.3')
    assert.equal(read('DOUBLE', { scale: 0.1, offset: -40 }, 643), '24.3')
    assert.equal(read('FLOAT', { scale: 0.01 }, 4711), '47.11')
    assert.equal(read('INT', { scale: 10 }, '12'), '120')
    assert.equal(read('DOUBLE', { scale: 0.1 }, Math.fround(24.57)), '2.457')
    assert.equal(read('DOUBLE', { scale: 0.1 }, 'nothing'), '"nothing" is no number: it cannot be converted')
    assert.equal(read('DOUBLE', { scale: 0.1 }, Number.NaN), '"NaN" is no number: it cannot be converted')
  })

  it('is a field of bits', () => {
    assert.equal(read('INT', { bits: { first: 4, count: 3 } }, 0b101_0000), '5')
    assert.equal(read('BOOLEAN', { bits: { first: 15, count: 1 } }, 0x8000), 'true')
    assert.equal(read('BOOLEAN', { bits: { first: 15, count: 1 } }, -1), 'true')
    assert.equal(read('INT', { bits: { first: 0, count: 64 } }, 2n ** 63n - 1n), '9223372036854775807')
    assert.equal(read('INT', { bits: { first: 31, count: 33 } }, 2n ** 40n), '512')
    assert.match(read('INT', { bits: { first: 0, count: 1 } }, 1.5), /1.5 is no integer/)
  })

  it('changes its unit', () => {
    assert.equal(read('DOUBLE', { unit: { from: '°F', to: '°C' } }, 212), '100')
    assert.equal(read('DOUBLE', { unit: { from: 'degC', to: 'K' } }, 21.5), '294.65')
    assert.equal(read('DOUBLE', { scale: 0.1, unit: { from: 'psi', to: 'bar' } }, 1450), '9.99739807509412')
    assert.equal(read('DOUBLE', { unit: { from: 'L/min', to: 'm³/h' } }, 100), '6')
    assert.equal(read('DOUBLE', { unit: { from: 'Wh' } }, 2500, { unit: 'kWh' }), '2.5')
    assert.equal(read('DOUBLE', { unit: { from: 'rpm', to: 'Hz' } }, 3000), '50')
  })

  it('has texts for its numbers', () => {
    const values = { '0': 'off', '1': 'on', '2': 'auto' }
    assert.equal(read('STRING', { values }, 2), 'auto')
    assert.equal(read('STRING', { values }, 1n), 'on')
    assert.equal(read('STRING', { values }, true), 'on')
    assert.equal(read('STRING', { values }, ' 0 '), 'off')
    assert.equal(read('STRING', { values }, 7), '7 has no meaning in convert.values, which know 0, 1, 2')
    assert.equal(read('STRING', { bits: { first: 8, count: 2 }, values }, 0x200), 'auto')
    assert.equal(read('BOOLEAN', { values: { '0': 'true', '1': 'false' } }, 0), 'true')
    assert.equal(read('STRING', { values: { RUN: 'running', STOP: 'stopped' } }, 'RUN'), 'running')
    assert.equal(read('INT', { scale: 0.5, values: { '1.5': '15', '2': '20' } }, 3), '15')
  })

  it('is seen by its driver as what the device holds', () => {
    const values = { '0': 'off', '1': 'on' }
    assert.equal(conversion('STRING', { values }).rawType, 'INT')
    assert.equal(conversion('STRING', { values: { true: 'on', false: 'off' } }).rawType, 'BOOLEAN')
    assert.equal(conversion('BOOLEAN', { bits: { first: 3, count: 1 } }).rawType, 'INT')
    assert.equal(conversion('FLOAT', { scale: 0.1 }).rawType, 'FLOAT')
  })
})

describe('a wish', () => {
  it('is written as the raw value that reads as it', () => {
    assert.equal(write('DOUBLE', { scale: 0.1 }, '24.3'), 243)
    assert.equal(write('DOUBLE', { scale: 0.1, offset: -40 }, '24.3'), 643)
    assert.equal(write('DOUBLE', { scale: 0.1, unit: { from: '°F', to: '°C' } }, '100'), 2120)
    assert.equal(write('STRING', { values: { '0': 'off', '1': 'on' } }, 'on'), 1)
    assert.equal(write('BOOLEAN', { values: { '0': 'true', '1': 'false' } }, 'true'), 0)
    assert.equal(write('BOOLEAN', { values: { true: 'false', false: 'true' } }, 'true'), false)
    assert.equal(write('BOOLEAN', { bits: { first: 3, count: 1 } }, 'true'), 1)
    assert.equal(write('INT', { scale: 0.5, values: { '1.5': '15' } }, '15'), 3)
    // The digits of a 64-bit integer are kept.
    assert.equal(write('INT', { offset: 1 }, '9223372036854775807'), 9223372036854775806n)
  })

  it('that cannot be represented is refused with what could be', () => {
    assert.equal(
      write('DOUBLE', { bits: { first: 0, count: 8 }, scale: 0.1 }, '2.45'),
      'lies between two steps; 2.4 and 2.5 can be written',
    )
    assert.equal(
      write('DOUBLE', { bits: { first: 0, count: 8 }, scale: 0.1 }, '25.6'),
      'does not fit into 8 bits, which hold 0 to 25.5',
    )
    assert.equal(write('INT', { bits: { first: 0, count: 3 } }, '-1'), 'does not fit into 3 bits, which hold 0 to 7')
    assert.equal(write('STRING', { values: { '0': 'off', '1': 'on' } }, 'open'), 'must be one of off, on')
    assert.match(String(write('INT', { scale: 0.001 }, '9223372036854775807')), /beyond 64 bits/)
  })

  it('that a float of the device can hold keeps its fraction, for the driver to judge', () => {
    assert.equal(write('DOUBLE', { scale: 0.1 }, '24.57'), 245.7)
  })

  it('reads back as itself, for every integer that a device can hold', () => {
    const scale = fc.oneof(
      fc.constantFrom(0.1, 0.01, 0.001, 0.5, 2, 10, 0.25, 0.3, -1, 1e-7, 60),
      fc.double({ min: 1e-6, max: 1e6, noNaN: true }).map((value) => Number(value.toPrecision(6))),
    )
    const offset = fc.constantFrom(0, -40, 273.15, 0.5, 1000)
    const units = fc.constantFrom(
      ...knownUnits().flatMap(({ symbols }) => symbols.map((from) => ({ from, to: symbols[0] ?? from }))),
      ...knownUnits().flatMap(({ symbols }) => symbols.map((to) => ({ from: symbols[0] ?? to, to }))),
    )
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 31), max: 2 ** 32 }),
        scale,
        offset,
        fc.option(units, { nil: undefined }),
        (raw, factor, shift, unit) => {
          const config: ConvertConfig = { scale: factor, offset: shift, ...(unit ? { unit } : {}) }
          // Some scales undo their unit.
          fc.pre(planConversion(model('DOUBLE'), config).conversion !== undefined)
          const text = read('DOUBLE', config, raw)
          assert.equal(write('DOUBLE', config, text), raw, `${JSON.stringify(config)} ${raw} reads ${text}`)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('reads back as itself, for every wish with as many digits as the scale', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.integer({ min: 0, max: 5 }), (steps, digits) => {
        const config = { scale: Number(`1e-${digits}`), offset: -40 }
        const wish = formatValue(Number((steps / 10 ** digits).toFixed(digits)))
        const raw = conversion('DOUBLE', config).write(wish)
        assert.ok(raw.ok && Number.isInteger(Number(raw.value)))
        assert.equal(read('DOUBLE', config, raw.ok ? raw.value : 0), wish)
      }),
    )
  })

  it('keeps each of 64 bits, and those beside a field', () => {
    const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
    fc.assert(
      fc.property(
        uint64,
        uint64,
        fc.integer({ min: 0, max: 63 }),
        fc.integer({ min: 1, max: 64 }),
        (old, wish, first, n) => {
          const count = Math.min(n, 64 - first)
          const field = wish & ((1n << BigInt(count)) - 1n)
          const bits = { first, count }
          const both = writeBits(bits, old, field)
          assert.ok(both.ok)
          const raw = both.ok ? both.value : 0
          const own = ((1n << BigInt(count)) - 1n) << BigInt(first)
          assert.equal(BigInt(raw) & ~own, old & ~own)
          if (field <= 2n ** 63n - 1n) {
            assert.equal(read('INT', { bits }, raw), String(field))
            assert.equal(BigInt(String(write('INT', { bits }, String(field)))), field)
          }
        },
      ),
    )
  })

  it('that was written is told from one that was lost, however alike they read', () => {
    const scaled = conversion('INT', { scale: 0.1 })
    // 245 and 250 both read as 25.
    assert.equal(scaled.confirms(250, 245, '25'), false)
    assert.equal(scaled.confirms(250, 250n, '25'), true)
    const precise = conversion('DOUBLE', { scale: 0.1 })
    assert.equal(precise.confirms(245.7, Math.fround(245.7), '24.57'), true)
    assert.equal(precise.confirms(245.7, 245.8, '24.57'), false)
    const field = conversion('INT', { bits: { first: 4, count: 4 } })
    assert.equal(field.confirms(3, 0x3f, '3'), true)
    assert.equal(field.confirms(3, 0x4f, '3'), false)
    const state = conversion('STRING', { values: { '1': 'on', '2': 'on', '0': 'off' } })
    assert.equal(state.confirms(1, 2, 'on'), true)
    assert.equal(state.confirms(1, 0, 'on'), false)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65535 }), fc.integer({ min: 0, max: 65535 }), (written, held) => {
        assert.equal(scaled.confirms(written, held, '0'), written === held)
      }),
    )
  })
})

describe('a conversion that can never work', () => {
  it('is refused where it stands', () => {
    assert.deepEqual(refusals('DOUBLE', { scale: 0 }), ['/scale must not be 0: every value would be the same'])
    assert.match(refusals('INT', { bits: { first: 60, count: 8 } })[0] ?? '', /^\/bits bits 60 to 67 lie beyond/)
    assert.match(
      refusals('STRING', { scale: 0.1 })[0] ?? '',
      /^ bits, scale, offset and unit need .* this one is STRING/,
    )
    assert.match(refusals('BOOLEAN', { bits: { first: 0, count: 2 } })[0] ?? '', /a BOOLEAN is one bit/)
    assert.match(refusals('INT', { values: { '0': 'off' } })[0] ?? '', /^\/values\/0 off must be an integer/)
    assert.match(refusals('STRING', { scale: 2, values: { run: 'on' } })[0] ?? '', /^\/values\/run must be a number/)
  })

  it('of a unit says which would do', () => {
    assert.match(
      refusals('DOUBLE', { unit: { from: 'bar', to: '°C' } })[0] ?? '',
      /^\/unit\/to bar is a unit of pressure and °C one of temperature/,
    )
    assert.match(refusals('DOUBLE', { unit: { from: 'kpa', to: 'bar' } })[0] ?? '', /^\/unit\/from "kpa" .* mean kPa\?/)
    assert.match(
      refusals('DOUBLE', { unit: { from: '°F', to: 'grad' } })[0] ?? '',
      /^\/unit\/to "grad" is no unit .* a unit of temperature: K, °C, °F, °R/,
    )
    assert.match(refusals('DOUBLE', { unit: { from: '°F' } })[0] ?? '', /^\/unit\/to is required/)
  })

  it('warns of what is probably not meant', () => {
    const warnings = (config: ConvertConfig, more: Partial<ModelProperty>, type: PropertyType = 'DOUBLE') =>
      planConversion(model(type, more), config).warnings.map(({ pointer, message }) => `${pointer} ${message}`)
    const pressure = { unit: { from: 'psi', to: 'bar' } }
    assert.match(warnings(pressure, { unit: 'Pa' })[0] ?? '', /in bar, but the DeviceModel says that it is in Pa/)
    assert.deepEqual(warnings(pressure, { unit: 'bar' }), [])
    const twice = { values: { '1': 'on', '2': 'on' } }
    assert.deepEqual(warnings(twice, {}, 'STRING'), ['/values/2 on is written as 1; 2 is only read'])
    assert.deepEqual(warnings(twice, { accessMode: 'ReadOnly' }, 'STRING'), [])
  })
})

describe('the keys of the host', () => {
  it('are taken out, whatever their case, and the protocol sees the rest', () => {
    const taken = takeHostKeys({ offset: 4, Convert: { scale: '0.1' }, DEADBAND: '1 %' })
    assert.deepEqual(taken, { rest: { offset: 4 }, keys: { convert: { scale: 0.1 }, deadband: '1 %' }, issues: [] })
  })

  it('are refused when they are misspelt or of the wrong kind, with a pointer', () => {
    const issues = (configData: Parameters<typeof takeHostKeys>[0]) =>
      takeHostKeys(configData).issues.map(({ pointer, message }) => `${pointer}: ${message}`)
    assert.deepEqual(issues({ convert: { scal: 0.1 } }), [
      '/convert/scal: is not known; known here: bits, scale, offset, unit, values',
    ])
    assert.match(issues({ convert: { bits: { first: 70 } } })[0] ?? '', /^\/convert\/bits\/first: must be <= 63/)
    assert.match(
      issues({ convert: { bits: { first: 1, cuont: 2 } } })[0] ?? '',
      /^\/convert\/bits\/cuont: is not known/,
    )
    assert.match(issues({ convert: 0.1 })[0] ?? '', /^\/convert: must be object/)
    assert.match(issues({ deadband: -1 })[0] ?? '', /^\/deadband: /)
    assert.match(issues({ deadband: 'some' })[0] ?? '', /^\/deadband: /)
    assert.deepEqual(issues({ deadband: '0.5' }), [])
  })

  it('take what YAML makes of quoted and unquoted texts', () => {
    const { keys } = takeHostKeys({ convert: { bits: { first: '3' }, values: { 0: false, 1: 'on' } } })
    assert.deepEqual(keys.convert, { bits: { first: 3, count: 1 }, values: { 0: 'false', 1: 'on' } })
    assert.ok(parseValue('INT', '3').ok)
  })
})
