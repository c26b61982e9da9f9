import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { deviceRefusals, type JsonObject, type PropertyType } from '../../../schemas/index.ts'
import { FakeField, fakeMapper } from '../testing/fake-mapper.ts'
import { type FakeProperty, fakeDevice, hostBench } from '../testing/host-bench.ts'

function start(t: TestContext) {
  const field = new FakeField()
  const host = hostBench(fakeMapper(field))
  t.after(host.stop)
  const property = (address: string, type: PropertyType, keys: JsonObject, more: FakeProperty = {}): FakeProperty => ({
    ...more,
    type,
    visitors: { configData: { address, ...keys } },
  })
  const failures = () => host.writes().map(({ failure }) => failure && `${failure.reason}: ${failure.message}`)
  return { ...host, field, property, failures }
}

describe('a converted property', () => {
  it('is read and written in its own terms', async (t) => {
    const host = start(t)
    const { property } = host
    host.field.values.set('40001', 215)
    host.field.values.set('40002', 1)
    const properties = {
      level: property('40001', 'DOUBLE', { convert: { scale: 0.1 } }),
      mode: property('40002', 'STRING', { convert: { values: { '0': 'off', '1': 'on' } } }),
    }
    host.assign(fakeDevice('d', properties))
    await host.advance(0)
    assert.deepEqual([host.values('d', 'level'), host.values('d', 'mode')], [['21.5'], ['on']])
    host.order('d', { level: ['24.3', 'o-1'], mode: ['off', 'o-2'] })
    await host.advance(0)
    assert.deepEqual(host.field.written, [
      ['40001', 243],
      ['40002', 0],
    ])
    assert.deepEqual(host.failures(), [undefined, undefined])
    assert.deepEqual(host.values('d', 'level'), ['21.5', '24.3'])
  })

  it('is held to its bounds before anything is written, and to what the device can hold', async (t) => {
    const host = start(t)
    const { property } = host
    const bits = { convert: { bits: { first: 0, count: 4 } } }
    const properties = {
      level: property('a', 'DOUBLE', { convert: { scale: 0.1 } }, { maximum: '30' }),
      mode: property('b', 'STRING', { convert: { values: { '0': 'off', '1': 'on' } } }),
      nibble: property('c', 'INT', bits),
    }
    host.assign(fakeDevice('d', properties))
    host.order('d', { level: ['30.1', 'o-1'], mode: ['open', 'o-2'], nibble: ['16', 'o-3'] })
    await host.advance(100_000)
    assert.deepEqual(host.field.written, [])
    assert.deepEqual(host.failures(), [
      'Refused: 30.1 must be less than or equal to 30',
      'Refused: open must be one of off, on',
      'Refused: 16 does not fit into 4 bits, which hold 0 to 15',
    ])
  })

  it('of some bits keeps the others, also where two fields of one register are written at once', async (t) => {
    const host = start(t)
    const { property } = host
    host.field.values.set('r', 0b1010_0000_0001)
    const properties = {
      low: property('r', 'INT', { convert: { bits: { first: 0, count: 4 } } }),
      pump: property('r', 'BOOLEAN', { convert: { bits: { first: 4 } } }),
    }
    host.assign(fakeDevice('d', properties))
    await host.advance(0)
    host.order('d', { low: ['9', 'o-1'], pump: ['true', 'o-2'] })
    await host.advance(0)
    assert.equal(host.field.values.get('r'), 0b1010_0001_1001)
    assert.deepEqual(host.failures(), [undefined, undefined])
    assert.deepEqual(host.values('d', 'pump'), ['false', 'true'])
  })

  it('whose other bits cannot be read is not written', async (t) => {
    const host = start(t)
    host.field.broken.set('r', 'illegal data address')
    host.assign(fakeDevice('d', { low: host.property('r', 'INT', { convert: { bits: { first: 0, count: 4 } } }) }))
    host.order('d', { low: ['9', 'o-1'] })
    await host.advance(0)
    assert.deepEqual(host.field.written, [])
    assert.deepEqual(host.failures(), ['WriteFailed: the bits beside it cannot be read: illegal data address'])
  })

  it('shows what was wished while the device holds it as exactly as it can', async (t) => {
    const host = start(t)
    const single = (value: unknown) => (typeof value === 'number' ? Math.fround(value) : 0)
    host.assign(fakeDevice('d', { level: host.property('f', 'DOUBLE', { convert: { scale: 0.1 } }) }))
    await host.advance(0)
    host.order('d', { level: ['24.5700001', 'o-1'] })
    const set = host.field.values.set.bind(host.field.values)
    host.field.values.set = (place, value) => set(place, single(value))
    await host.advance(5000)
    assert.deepEqual(host.failures(), [undefined])
    assert.deepEqual(host.values('d', 'level'), ['0', '24.5700001'])
    host.field.values.set('f', 200)
    await host.advance(1000)
    assert.equal(host.values('d', 'level').at(-1), '20')
  })

  it('that was not taken by the device is not mistaken for written, however it is rounded', async (t) => {
    const host = start(t)
    host.field.values.set('a', 245)
    host.field.stubborn.add('a')
    host.assign(fakeDevice('d', { level: host.property('a', 'INT', { convert: { scale: 0.1 } }) }))
    await host.advance(0)
    assert.deepEqual(host.values('d', 'level'), ['25'])
    host.order('d', { level: ['25', 'o-1'] })
    await host.advance(0)
    assert.deepEqual(host.failures(), ['ReadBackMismatch: 25 was written, but the device answers 25 (raw 245)'])
  })

  it('with a value that has no meaning is bad, and says why', async (t) => {
    const host = start(t)
    host.field.values.set('m', 9)
    host.assign(fakeDevice('d', { mode: host.property('m', 'STRING', { convert: { values: { '0': 'off' } } }) }))
    await host.advance(0)
    const [reading] = host.reports[0]?.readings ?? []
    assert.deepEqual([reading?.quality, reading?.value], ['bad', undefined])
    assert.match(reading?.cause ?? '', /^9 has no meaning/)
  })

  it('that can never be converted is refused with pointers', async (t) => {
    const host = start(t)
    const properties = {
      a: host.property('a', 'DOUBLE', { convert: { unit: { from: 'bar', to: 'kWh' } } }),
      b: host.property('b', 'STRING', { deadband: 1, convert: { scal: 1 } }),
    }
    host.assign(fakeDevice('d', properties))
    await host.advance(0)
    assert.deepEqual(
      host.bus.get(deviceRefusals, 'default/d')?.map(({ pointer }) => pointer),
      ['/spec/properties/0/visitors/configData/convert/unit/to', '/spec/properties/1/visitors/configData/convert/scal'],
    )
    assert.equal(host.field.connects, 0)
  })
})

describe('a property with a deadband', () => {
  const noisy = (deadband: number | string, more: FakeProperty = {}): FakeProperty => ({
    ...more,
    type: 'DOUBLE',
    visitors: { configData: { address: 'a', deadband } },
  })

  it('tells no change that is not greater, counted from what it told last', async (t) => {
    const host = start(t)
    host.assign(fakeDevice('d', { a: noisy(0.5) }))
    await host.advance(0)
    for (const value of [0.3, 0.5, 0.4, 0.6, 1, 1.2]) {
      host.field.values.set('a', value)
      await host.advance(1000)
    }
    assert.deepEqual(host.values('d', 'a'), ['0', '0.6', '1.2'])
  })

  it('in percent counts from the value that was told last', async (t) => {
    const host = start(t)
    host.field.values.set('a', 200)
    host.assign(fakeDevice('d', { a: noisy('1%') }))
    await host.advance(0)
    for (const value of [201.9, 198.1, 202.1, 203]) {
      host.field.values.set('a', value)
      await host.advance(1000)
    }
    assert.deepEqual(host.values('d', 'a'), ['200', '202.1'])
  })

  it('tells every change of quality, and confirms in its report cycle', async (t) => {
    const host = start(t)
    host.assign(fakeDevice('d', { a: noisy(5, { reportCycle: 10_000 }) }))
    await host.advance(0)
    host.field.broken.set('a', 'cut')
    await host.advance(1000)
    host.field.broken.clear()
    host.field.values.set('a', 1)
    await host.advance(1000)
    assert.deepEqual(host.values('d', 'a'), ['0', undefined, '1'])
    host.field.values.set('a', 2)
    await host.advance(10_000)
    assert.deepEqual(host.values('d', 'a'), ['0', undefined, '1', '2'])
  })

  it('of a text is refused', async (t) => {
    const host = start(t)
    host.assign(fakeDevice('d', { a: { ...noisy(5), type: 'STRING' } }))
    await host.advance(0)
    const [refusal] = host.bus.get(deviceRefusals, 'default/d') ?? []
    assert.equal(refusal?.pointer, '/spec/properties/0/visitors/configData/deadband')
    assert.match(refusal?.message ?? '', /this one is STRING/)
  })
})
