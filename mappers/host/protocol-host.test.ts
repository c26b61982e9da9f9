import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { assignedDevices, deviceRefusals } from '../../schemas/index.ts'
import { FakeField, fakeMapper } from './testing/fake-mapper.ts'
import { type FakeProperty, fakeDevice, hostBench } from './testing/host-bench.ts'

function start(t: TestContext) {
  const field = new FakeField()
  const bench = hostBench(fakeMapper(field))
  t.after(bench.stop)
  const assign = (name: string, properties: Record<string, FakeProperty>, config = { line: 'a' }, generation = 1) =>
    bench.assign(fakeDevice(name, properties, config, generation))
  return { ...bench, field, assignFake: assign }
}

describe('the mapper host reads', () => {
  it('reports the first values at once, changed ones after a cycle, unchanged ones never', async (t) => {
    const host = start(t)
    host.field.values.set('a', 7)
    host.assignFake('d', { a: {} })
    await host.advance(0)
    assert.deepEqual(host.values('d', 'a'), ['7'])
    assert.deepEqual(host.states, [{ id: 'default/d', state: 'online' }])
    await host.advance(5000)
    assert.equal(host.reports.length, 1)
    host.field.values.set('a', 8)
    await host.advance(1000)
    assert.deepEqual(host.values('d', 'a'), ['7', '8'])
  })

  it('repeats an unchanged value when its report cycle is over', async (t) => {
    const host = start(t)
    host.assignFake('d', { a: { reportCycle: 3000 } })
    await host.advance(7000)
    assert.deepEqual(host.values('d', 'a'), ['0', '0', '0'])
  })

  it('reads what is due together in one call, across devices of one connection', async (t) => {
    const host = start(t)
    host.assignFake('d', { a: { collectCycle: 500 }, b: { collectCycle: 1000 } })
    host.assignFake('e', { c: { collectCycle: 1000 } })
    await host.advance(0)
    host.field.batches.length = 0
    await host.advance(2000)
    const sorted = host.field.batches.map((batch) => [...batch].sort().join())
    assert.deepEqual(sorted, ['a', 'a,b,c', 'a', 'a,b,c'])
    assert.equal(host.field.connects, 1)
    assert.equal(host.field.overlaps, 0)
  })

  it('takes a cycle of a thousand million as nanoseconds and says so', async (t) => {
    const host = start(t)
    host.assignFake('d', { a: { collectCycle: 2_000_000_000 } })
    await host.advance(0)
    host.field.batches.length = 0
    await host.advance(6000)
    assert.equal(host.field.batches.length, 3)
    const [warning] = host.bus.get(deviceRefusals, 'default/d') ?? []
    assert.equal(warning?.pointer, '/spec/properties/0/collectCycle')
    assert.equal(warning?.warning, true)
    assert.match(warning?.message ?? '', /nanoseconds/)
  })

  it('gives a failed property bad quality and keeps the others', async (t) => {
    const host = start(t)
    host.field.broken.set('b', 'illegal data address')
    host.assignFake('d', { a: {}, b: {}, c: {} })
    host.field.forgets = 'c'
    await host.advance(0)
    const readings = new Map(host.reports[0]?.readings.map((reading) => [reading.property, reading]))
    assert.equal(readings.get('a')?.quality, 'good')
    assert.deepEqual([readings.get('b')?.quality, readings.get('b')?.cause], ['bad', 'illegal data address'])
    assert.match(readings.get('c')?.cause ?? '', /mapper fake gave no answer/)
    assert.equal(host.states.at(-1)?.state, 'online')
  })

  it('calls a device unhealthy when none of its properties can be read', async (t) => {
    const host = start(t)
    host.field.broken.set('a', 'gateway target failed')
    host.assignFake('d', { a: {} })
    host.assignFake('e', { b: {} })
    await host.advance(0)
    assert.deepEqual(
      host.states.map(({ id, state }) => [id, state]),
      [
        ['default/d', 'unhealthy'],
        ['default/e', 'online'],
      ],
    )
    assert.match(host.states[0]?.reason ?? '', /gateway target failed/)
    host.field.broken.clear()
    await host.advance(1000)
    assert.equal(host.states.at(-1)?.state, 'online')
  })

  it('refreshes the twin also when the cloud is not to hear of it', async (t) => {
    const host = start(t)
    host.assignFake('d', { a: { reportToCloud: false } })
    await host.advance(0)
    assert.deepEqual(host.values('d', 'a'), ['0'])
  })

  it('sends again what the twin did not know yet', async (t) => {
    const host = start(t)
    host.unknown.add('default/d')
    host.assignFake('d', { a: {} })
    await host.advance(1000)
    assert.deepEqual([host.reports.length, host.states.length], [0, 0])
    host.unknown.clear()
    await host.advance(5000)
    assert.deepEqual(host.values('d', 'a'), ['0'])
    assert.equal(host.states.at(-1)?.state, 'online')
  })
})

describe('the mapper host refuses', () => {
  it('a device with pointers to what is wrong, and never connects', async (t) => {
    const host = start(t)
    const good = fakeDevice('d', { a: {}, b: { address: 'never' }, c: { visitors: { configData: { address: '' } } } })
    host.assign({
      ...good,
      device: {
        ...good.device,
        spec: { ...good.device.spec, protocol: { protocolName: 'fake', configData: { unit: 'x' } } },
      },
    })
    await host.advance(5000)
    const refusals = host.bus.get(deviceRefusals, 'default/d') ?? []
    assert.deepEqual(
      refusals.map(({ pointer, generation }) => [pointer, generation]),
      [
        ['/spec/protocol/configData/line', 1],
        ['/spec/protocol/configData/unit', 1],
        ['/spec/properties/1/visitors/configData', 1],
        ['/spec/properties/2/visitors/configData/address', 1],
      ],
    )
    assert.equal(host.field.connects, 0)
    assert.deepEqual(
      [host.states.at(-1)?.state, host.states.at(-1)?.reason?.startsWith('refused: ')],
      ['unknown', true],
    )
    host.assign(fakeDevice('d', { a: {} }, { line: 'a' }, 2))
    await host.advance(0)
    assert.equal(host.bus.get(deviceRefusals, 'default/d'), undefined)
    assert.equal(host.states.at(-1)?.state, 'online')
  })

  it('nothing when the model is still missing, but waits for it', async (t) => {
    const host = start(t)
    const { device } = fakeDevice('d', { a: {} })
    host.bus.set(assignedDevices, 'default/d', { device })
    await host.advance(3000)
    assert.equal(host.field.connects, 0)
  })
})

describe('the mapper host writes', () => {
  it('an order once, reads it back, and reports both together', async (t) => {
    const host = start(t)
    host.assignFake('d', { a: {} })
    await host.advance(0)
    host.order('d', { a: ['42', 'o-1'] })
    await host.advance(0)
    const report = host.reports.at(-1)
    assert.deepEqual(report?.writes, [{ property: 'a', orderId: 'o-1', value: '42' }])
    assert.equal(report?.readings[0]?.value, '42')
    await host.advance(10_000)
    assert.deepEqual(host.field.written, [['a', 42]])
    host.order('d', { a: ['42', 'o-2'] })
    await host.advance(0)
    assert.equal(host.field.written.length, 2)
  })

  it('never out of bounds, never to ReadOnly, and says so once', async (t) => {
    const host = start(t)
    host.assignFake('d', { a: { minimum: '0', maximum: '10' }, r: { accessMode: 'ReadOnly' } })
    host.order('d', { a: ['11', 'o-1'], r: ['1', 'o-2'], x: ['1', 'o-3'] })
    await host.advance(100_000)
    assert.deepEqual(host.field.written, [])
    assert.deepEqual(
      host.writes().map(({ orderId, failure }) => [orderId, failure?.reason]),
      [
        ['o-3', 'NoVisitor'],
        ['o-1', 'Refused'],
        ['o-2', 'Refused'],
      ],
    )
  })

  it('again after a wait when the device keeps its value', async (t) => {
    const host = start(t)
    host.field.stubborn.add('a')
    host.assignFake('d', { a: {} })
    host.order('d', { a: ['5', 'o-1'] })
    await host.advance(400)
    assert.deepEqual(host.writes()[0]?.failure?.reason, 'ReadBackMismatch')
    assert.equal(host.field.written.length, 1)
    host.field.stubborn.clear()
    await host.advance(1000)
    assert.equal(host.writes().length, 2)
    assert.equal(host.writes()[1]?.failure, undefined)
    await host.advance(60_000)
    assert.equal(host.field.written.length, 2)
  })

  it('again after a reconnect, and tells why an order waits meanwhile', async (t) => {
    const host = start(t)
    host.assignFake('d', { a: {}, b: {} })
    host.order('d', { a: ['5', 'o-1'] })
    await host.advance(0)
    host.field.breaks = 'cable pulled'
    host.field.refuses = 'nobody there'
    await host.advance(1500)
    host.order('d', { a: ['5', 'o-1'], b: ['6', 'o-2'] })
    await host.advance(0)
    assert.deepEqual(
      host.writes().map(({ orderId, failure }) => [orderId, failure?.reason]),
      [
        ['o-1', undefined],
        ['o-2', 'DeviceOffline'],
      ],
    )
    host.field.breaks = undefined
    host.field.refuses = undefined
    await host.advance(15_000)
    assert.deepEqual(host.field.written, [
      ['a', 5],
      ['a', 5],
      ['b', 6],
    ])
  })
})

describe('the mapper host loses', () => {
  it('a silent connection within the call deadline, disposes it once and comes back', async (t) => {
    const host = start(t)
    host.assignFake('d', { a: {} })
    await host.advance(0)
    const { promise, resolve } = Promise.withResolvers<void>()
    host.field.stalled = promise
    await host.advance(1000 + 2010)
    assert.equal(host.states.at(-1)?.state, 'offline')
    assert.match(host.states.at(-1)?.reason ?? '', /no answer within 2010 ms/)
    assert.deepEqual([host.field.connects, host.field.disposals], [1, 1])
    await host.advance(2000)
    assert.equal(host.field.disposals, 1)
    host.field.stalled = undefined
    resolve()
    await host.advance(12_000)
    assert.equal(host.states.at(-1)?.state, 'online')
    assert.equal(host.field.connects, host.field.disposals + 1)
  })

  it('a device that is silent for longer than its own deadline', async (t) => {
    const host = start(t)
    host.assign(fakeDevice('d', { a: {} }, { line: 'a', patience: 300 }))
    await host.advance(0)
    host.field.stalled = new Promise(() => undefined)
    await host.advance(1000 + 309)
    assert.equal(host.states.at(-1)?.state, 'online')
    await host.advance(1)
    assert.equal(host.states.at(-1)?.state, 'offline')
    assert.match(host.states.at(-1)?.reason ?? '', /no answer within 310 ms/)
  })

  it('a connection that was refused, with growing waits', async (t) => {
    const host = start(t)
    host.field.refuses = 'connection refused'
    host.assignFake('d', { a: {} })
    await host.advance(60_000)
    assert.deepEqual(host.states, [{ id: 'default/d', state: 'offline', reason: 'connection refused' }])
    assert.ok(host.field.connects > 5 && host.field.connects < 20, `${host.field.connects} tries`)
  })

  it('the connection of a mapper that answers what it was not asked', async (t) => {
    const host = start(t)
    host.assignFake('d', { a: {} })
    await host.advance(0)
    const asked = host.field.asked[0]
    host.field.invents = asked
    host.assignFake('d', { a: {}, b: {} }, { line: 'a' }, 2)
    await host.advance(0)
    assert.match(host.states.at(-1)?.reason ?? '', /not asked for/)
    assert.equal(host.field.disposals, 1)
  })

  it('nothing to a connection that comes after its deadline: it is closed', async (t) => {
    const host = start(t)
    const { promise, resolve } = Promise.withResolvers<void>()
    host.field.stalled = promise
    host.field.ignoresSignal = true
    host.assignFake('d', { a: {} })
    await host.advance(3000)
    assert.match(host.states.at(-1)?.reason ?? '', /no connection within 3000 ms/)
    host.field.stalled = undefined
    resolve()
    await host.advance(5000)
    assert.equal(host.field.connects - host.field.disposals, 1)
    assert.equal(host.states.at(-1)?.state, 'online')
  })

  it('not the connection of a device that may take longer for one answer', async (t) => {
    const host = start(t)
    const { promise, resolve } = Promise.withResolvers<void>()
    host.field.stalled = promise
    host.assign(fakeDevice('d', { a: {} }, { line: 'a', patience: 5000 }))
    await host.advance(4900)
    resolve()
    await host.advance(100)
    assert.deepEqual(host.states, [{ id: 'default/d', state: 'online' }])
    assert.equal(host.field.connects, 1)
  })
})

describe('the mapper host changes one device', () => {
  it('without disturbing its neighbours on the same connection', async (t) => {
    const host = start(t)
    host.assignFake('d', { a: {} })
    host.assignFake('e', { b: {} })
    await host.advance(0)
    host.assignFake('e', { b: { collectCycle: 200 } }, { line: 'a' }, 2)
    host.assignFake('f', { c: {} })
    await host.advance(300)
    host.unassign('f')
    await host.advance(3000)
    assert.deepEqual([host.field.connects, host.field.disposals], [1, 0])
    assert.deepEqual(host.values('d', 'a'), ['0'])
    assert.equal(host.field.batches.filter((batch) => batch.includes('c')).length, 1)
  })

  it('moves it to another connection when its key changed, and closes a line nobody uses', async (t) => {
    const host = start(t)
    host.assignFake('d', { a: {} })
    await host.advance(0)
    host.assignFake('d', { a: {} }, { line: 'b' }, 2)
    await host.advance(1000)
    assert.deepEqual([host.field.connects, host.field.disposals], [2, 1])
    host.unassign('d')
    await host.advance(1000)
    assert.deepEqual([host.field.connects, host.field.disposals], [2, 2])
    const reads = host.field.batches.length
    await host.advance(5000)
    assert.equal(host.field.batches.length, reads)
  })

  it('does not write again when only the desired value in its manifest changed', async (t) => {
    const host = start(t)
    host.assignFake('d', { a: {} })
    host.order('d', { a: ['5', 'o-1'] })
    await host.advance(0)
    host.assignFake('d', { a: { desired: { value: '5' } } }, { line: 'a' }, 2)
    host.assignFake('d', { a: { desired: { value: '5' }, collectCycle: 700 } }, { line: 'a' }, 3)
    await host.advance(2000)
    assert.equal(host.field.written.length, 1)
  })

  it('does not begin anew when only the generation of a device that it warns of has changed', async (t) => {
    const host = start(t)
    const properties = { a: { collectCycle: 2_000_000_000 } }
    host.assignFake('d', properties)
    await host.advance(100)
    const reads = host.field.batches.length
    host.assignFake('d', { a: { ...properties.a, desired: { value: '5' } } }, { line: 'a' }, 2)
    await host.advance(100)
    assert.equal(host.field.batches.length, reads)
    const [warning] = host.bus.get(deviceRefusals, 'default/d') ?? []
    assert.deepEqual([warning?.generation, warning?.warning], [2, true])
  })

  it('shows no figures of a device that it refuses', async (t) => {
    const host = start(t)
    host.assignFake('d', { a: {} })
    await host.advance(100)
    assert.equal(host.stats.devices.get('default/d')?.state, 'online')
    host.assignFake('d', { a: { address: 'never' } }, { line: 'a' }, 2)
    await host.advance(100)
    assert.equal(host.stats.devices.has('default/d'), false)
  })

  it('opens a connection again only when it is closed, as a serial port needs it', async (t) => {
    const host = start(t)
    host.assignFake('d', { a: {} })
    await host.advance(100)
    const { promise, resolve } = Promise.withResolvers<void>()
    host.field.closing = promise
    host.unassign('d')
    host.assignFake('d', { a: {} })
    await host.advance(1000)
    assert.equal(host.field.connects, 1)
    resolve()
    await host.advance(100)
    assert.deepEqual([host.field.connects, host.states.at(-1)?.state], [2, 'online'])
  })
})
