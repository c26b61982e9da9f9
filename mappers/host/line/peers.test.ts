import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { AnyMapper } from '../admission/admission.ts'
import { busMapper, FakeBus } from '../testing/fake-bus.ts'
import { fakeDevice, hostBench } from '../testing/host-bench.ts'

function start(t: TestContext, mapperOf: (bus: FakeBus) => AnyMapper = busMapper) {
  const field = new FakeBus()
  const bench = hostBench(mapperOf(field))
  t.after(bench.stop)
  const units = (count: number, properties: Parameters<typeof fakeDevice>[1] = { a: { collectCycle: 2000 } }) => {
    for (let unit = 1; unit <= count; unit++) {
      bench.assign(fakeDevice(`u${unit}`, properties, { line: 'rs485', unit }))
    }
  }
  const stateOf = (unit: number) => bench.states.findLast(({ id }) => id === `default/u${unit}`)
  const reads = () => Array.from({ length: 30 }, (_, index) => field.callsOf(index + 1))
  const after = async (milliseconds: number) => {
    field.calls.length = 0
    await bench.advance(milliseconds)
  }
  return { ...bench, field, units, stateOf, reads, after }
}

describe('a line with several peers', () => {
  it('reads each with a call of its own, and equal peers with one', async (t) => {
    const host = start(t)
    host.units(3)
    host.assign(fakeDevice('again', { b: { collectCycle: 2000 } }, { line: 'rs485', unit: 2 }))
    await host.advance(1000)
    await host.after(2000)
    const calls = host.field.calls.map(({ unit, visits }) => [unit, visits] as const)
    assert.deepEqual(
      calls.sort(([one], [other]) => one - other),
      [
        [1, 1],
        [2, 2],
        [3, 1],
      ],
    )
    assert.equal(host.field.connects, 1)
  })

  it('with 30 slaves, one dead: its neighbours lose a few percent of their cycles at most', async (t) => {
    const period = 100_000
    const healthy = start(t)
    healthy.units(30, { a: {} })
    await healthy.advance(20_000)
    await healthy.after(period)
    const before = healthy.reads().slice(0, 29)

    const host = start(t)
    host.field.off.add(30)
    host.units(30, { a: {} })
    await host.advance(20_000)
    await host.after(period)
    const after = host.reads().slice(0, 29)
    const dead = host.field.callsOf(30) * host.field.silenceMs
    for (const [index, count] of after.entries()) {
      assert.ok(count >= (before[index] ?? 0) * 0.97, `unit ${index + 1}: ${count} cycles, ${before[index]} without`)
    }
    assert.ok(dead > 0 && dead <= 0.025 * period, `${dead} ms were spent on the dead one`)
    assert.deepEqual(host.stateOf(30), { id: 'default/u30', state: 'offline', reason: 'unit 30 does not answer' })
    assert.equal(host.stateOf(1)?.state, 'online')
    assert.equal(host.field.connects, 1)
  })

  it('spends no more on the dead however long their time-out is, and however many they are', async (t) => {
    for (const [silenceMs, dead] of [
      [30_000, 1],
      [2000, 20],
      [100, 5],
    ] as const) {
      const host = start(t)
      host.field.silenceMs = silenceMs
      for (let unit = 1; unit <= dead; unit++) host.field.off.add(unit)
      host.units(30, { a: { collectCycle: 20_000 } })
      await host.advance(100_000)
      await host.after(900_000)
      const spent =
        Array.from({ length: dead }, (_, at) => host.field.callsOf(at + 1)).reduce((a, b) => a + b) * silenceMs
      assert.ok(spent <= 0.025 * 900_000, `${dead} dead with ${silenceMs} ms: ${spent} ms`)
      assert.ok(host.field.calls.every(({ unit, visits }) => unit > dead || visits === 1))
    }
  })

  it('one that is slow on purpose takes no more than its share', async (t) => {
    const host = start(t)
    host.field.slow.set(30, 999)
    host.units(30, { a: {} })
    await host.advance(60_000)
    await host.after(100_000)
    const [fair, reads] = [100_000 / (30 * 40), host.reads()]
    for (const count of reads.slice(0, 29)) assert.ok(count >= fair * 0.96, `${count} cycles of ${fair}`)
    assert.ok((reads[29] ?? 0) >= 2, 'and is read all the same')
    assert.equal(host.stateOf(30)?.state, 'online')
  })

  it('one that is slow on a line with time to spare is read in its cycle, as the others are', async (t) => {
    const host = start(t)
    host.field.slow.set(30, 999)
    host.units(30, { a: { collectCycle: 5000 } })
    await host.advance(60_000)
    await host.after(100_000)
    assert.deepEqual(new Set(host.reads()), new Set([20]))
  })

  it('one that missed a single call is asked again within a second', async (t) => {
    const host = start(t)
    host.units(30)
    await host.advance(10_000)
    host.field.off.add(7)
    await host.advance(3000)
    assert.equal(host.stateOf(7)?.state, 'offline')
    host.field.off.delete(7)
    await host.advance(3000)
    assert.equal(host.stateOf(7)?.state, 'online')
  })

  it('those that come back together are found together, read and written at once', async (t) => {
    const host = start(t)
    host.units(30)
    await host.advance(5000)
    for (let unit = 11; unit <= 30; unit++) host.field.off.add(unit)
    host.order('u20', { a: ['42', 'o-1'] })
    await host.advance(600_000)
    assert.deepEqual(
      host.writes().map(({ failure }) => failure?.reason),
      ['DeviceOffline'],
    )
    host.field.off.clear()
    host.field.values.set('20:a', 7)
    await host.advance(75_000)
    for (let unit = 11; unit <= 30; unit++) assert.equal(host.stateOf(unit)?.state, 'online', `unit ${unit}`)
    assert.deepEqual(host.field.written, [['20:a', 42]])
    assert.equal(host.writes().at(-1)?.failure, undefined)
    assert.equal(host.field.connects, 1)
  })

  it('an order that finds its device silent waits, says so, and is written when it is back', async (t) => {
    const host = start(t)
    host.units(2)
    await host.advance(2500)
    host.field.off.add(1)
    host.order('u1', { a: ['5', 'o-1'] })
    await host.advance(1200)
    assert.deepEqual(
      host.writes().map(({ failure }) => failure?.reason),
      ['DeviceOffline'],
    )
    assert.match(host.writes()[0]?.failure?.message ?? '', /unit 1 does not answer/)
    host.order('u1', { a: ['6', 'o-2'] })
    await host.advance(0)
    assert.equal(host.writes().at(-1)?.orderId, 'o-2')
    host.field.off.clear()
    await host.advance(10_000)
    assert.deepEqual(host.field.written, [['1:a', 6]])
    assert.equal(host.stateOf(2)?.state, 'online')
  })

  it('of whom none answers is connected anew, without a word for each try', async (t) => {
    const host = start(t)
    host.units(3)
    await host.advance(3000)
    for (const unit of [1, 2, 3]) host.field.off.add(unit)
    await host.advance(120_000)
    assert.ok(host.field.connects > 2 && host.field.connects < 20, `${host.field.connects} connects`)
    assert.equal(host.log.lines.filter(({ level }) => level === 'warn').length, 0)
    host.field.off.clear()
    await host.advance(15_000)
    for (const unit of [1, 2, 3]) assert.equal(host.stateOf(unit)?.state, 'online')
  })

  it('that is lost puts all of them offline', async (t) => {
    const host = start(t)
    host.units(3)
    await host.advance(3000)
    host.field.breaks = 'cable pulled'
    await host.advance(2000)
    for (const unit of [1, 2, 3]) assert.deepEqual(host.stateOf(unit)?.reason, 'cable pulled')
  })

  it('keeps reading while orders storm in', async (t) => {
    const host = start(t)
    host.units(2, { a: { collectCycle: 200 } })
    await host.advance(1000)
    host.field.calls.length = 0
    for (let turn = 0; turn < 250; turn++) {
      host.order('u1', { a: [String(turn), `o-${turn}`] })
      await host.advance(40)
    }
    assert.ok(host.field.callsOf(2) >= 35, `${host.field.callsOf(2)} reads of 50`)
  })
})

describe('what can only be called', () => {
  it('is neither read nor written, and says so', async (t) => {
    const host = start(t)
    const visitors = { configData: { address: 'start', method: true } }
    host.assign(fakeDevice('d', { a: {}, start: { visitors } }, { line: 'x' }))
    host.order('d', { start: ['1', 'o-1'] })
    await host.advance(3000)
    assert.ok(host.field.calls.every(({ visits }) => visits === 1))
    assert.deepEqual(host.field.written, [])
    const [result] = host.writes()
    assert.equal(result?.failure?.reason, 'NotWritable')
    assert.match(result?.failure?.message ?? '', /start is a method/)
  })
})
