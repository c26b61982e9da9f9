import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Report } from '../../contract/index.ts'
import type { AnyMapper } from '../admission/admission.ts'
import { FakeBus, recordingMapper } from '../testing/fake-bus.ts'
import { fakeDevice, hostBench } from '../testing/host-bench.ts'

function start(t: TestContext, mapperOf: (bus: FakeBus) => AnyMapper = recordingMapper) {
  const field = new FakeBus()
  const host = hostBench(mapperOf(field))
  t.after(host.stop)
  host.assign(fakeDevice('d', { a: {}, b: {} }, { line: 'x', unit: 1 }))
  host.assign(fakeDevice('e', { a: {} }, { line: 'x', unit: 2 }))
  /** The device records a value now. */
  const record = (value: number, place = '1:a') => field.recorded.push([place, value, host.clock.now()])
  const outage = async () => {
    field.values.set('1:a', 1)
    await host.advance(3500)
    field.off.add(1)
    await host.advance(1500)
    const began = host.clock.now()
    for (const value of [11, 12, 13]) {
      record(value)
      await host.advance(1000)
    }
    field.values.set('1:a', 99)
    return began
  }
  return { ...host, field, record, outage }
}

describe('after an outage', () => {
  it('what a device recorded reaches the twin in its order, each value, before anything newer', async (t) => {
    const host = start(t)
    const began = await host.outage()
    host.field.off.clear()
    await host.advance(10_000)
    assert.deepEqual(host.values('d', 'a'), ['0', '1', '11', '12', '13', '99'].slice(1))
    const readings = host.reports.flatMap((report) => report.readings.filter(({ history }) => history))
    assert.deepEqual(
      readings.map(({ sourceTime }) => sourceTime - began),
      [0, 1000, 2000],
    )
    // One step for each, so that each is seen on its way.
    assert.ok(host.reports.every((report) => report.readings.filter(({ property }) => property === 'a').length <= 1))
    const since = host.field.historySince
    assert.equal(since.length, 1)
    assert.ok((since[0] ?? 0) < began && (since[0] ?? 0) > began - 4000, 'since the last good reading')
  })

  it('what the twin knows already is not told again, nor what is out of order', async (t) => {
    const host = start(t)
    host.field.values.set('1:a', 1)
    host.record(7)
    await host.outage()
    host.field.recorded.push(['1:a', 5, host.clock.now() - 2500])
    host.field.off.clear()
    await host.advance(10_000)
    assert.deepEqual(host.values('d', 'a'), ['1', '11', '12', '13', '99'])
  })

  it('it is asked for after a lost connection too, from where the outage began', async (t) => {
    const host = start(t)
    host.field.values.set('1:a', 1)
    await host.advance(2500)
    host.field.breaks = 'cable pulled'
    await host.advance(3000)
    host.record(11)
    host.field.breaks = undefined
    await host.advance(60_000)
    assert.deepEqual(host.values('d', 'a'), ['1', '11', '1'])
    // While the connection dies again and again, the outage is one, and begins where it began.
    assert.equal(new Set(host.field.historySince).size, 2, 'one time for each device')
  })

  it('a history that fails is logged and costs nothing', async (t) => {
    const host = start(t)
    await host.outage()
    host.field.historyFails = 'no such history'
    host.field.off.clear()
    await host.advance(20_000)
    assert.equal(host.values('d', 'a').at(-1), '99')
    assert.deepEqual([host.field.connects, host.field.callsOf(1, 'history')], [1, 1])
    const warning = host.log.lines.find(({ level }) => level === 'warn')
    assert.match(warning?.message ?? '', /recorded while it was away is not known/)
  })

  it('a history without an end ends at its deadline, and its late words are not heard', async (t) => {
    const reports: Report[] = []
    const host = start(t, (bus) => ({
      ...recordingMapper(bus),
      history: (_connection, _visits, _since, report, signal) =>
        new Promise((resolve) => {
          reports.push(report)
          signal.addEventListener('abort', () => resolve(), { once: true })
        }),
    }))
    await host.outage()
    host.field.off.clear()
    await host.advance(30_000)
    assert.equal(host.values('d', 'a').at(-1), '99')
    assert.equal(host.field.connects, 1)
    assert.equal(reports.length, 1)
  })

  it('one that ignores its deadline costs the connection, and is not asked again', async (t) => {
    let calls = 0
    const host = start(t, (bus) => ({
      ...recordingMapper(bus),
      history: () => {
        calls++
        return calls === 1 ? new Promise(() => undefined) : Promise.resolve()
      },
    }))
    await host.outage()
    host.field.off.clear()
    await host.advance(60_000)
    assert.equal(host.field.connects, 2)
    assert.equal(host.values('d', 'a').at(-1), '99')
  })

  it('of the edge itself, what came after the twin is asked for before anything is read', async (t) => {
    const field = new FakeBus()
    const host = hostBench(recordingMapper(field))
    t.after(host.stop)
    const now = host.clock.now()
    host.untils.set('default/d', now - 60_000)
    for (const minute of [2, 1, 0]) field.recorded.push(['1:a', 10 - minute, now - minute * 30_000])
    field.values.set('1:a', 99)
    host.assign(fakeDevice('d', { a: {} }, { line: 'x', unit: 1 }))
    host.assign(fakeDevice('new', { a: {} }, { line: 'x', unit: 2 }))
    await host.advance(3000)
    assert.deepEqual(field.historySince, [now - 60_000])
    assert.deepEqual(host.values('d', 'a'), ['8', '9', '10', '99'])
    const told = host.reports.flatMap((report) => report.readings.filter(({ history }) => history))
    assert.equal(told.length, 3)
    assert.deepEqual(host.values('new', 'a'), ['0'])
    // A change of its configuration is no outage.
    host.assign(fakeDevice('d', { a: { collectCycle: 500 } }, { line: 'x', unit: 1 }, 2))
    await host.advance(3000)
    assert.equal(field.historySince.length, 1)
  })

  it('of which nobody knows how long it was, the device is read all the same', async (t) => {
    const field = new FakeBus()
    const host = hostBench(recordingMapper(field))
    t.after(host.stop)
    host.untils.set('default/d', Number.NaN)
    host.assign(fakeDevice('d', { a: {} }, { line: 'x', unit: 1 }))
    await host.advance(3000)
    assert.equal(host.states.at(-1)?.state, 'online')
  })
})
