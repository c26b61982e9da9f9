import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { type DeviceReport, reportDevices } from '../../../schemas/index.ts'
import { defaultSettings } from '../settings.ts'
import { createStats } from '../stats.ts'
import { steadyRandom } from '../testing/host-bench.ts'
import { Reporter } from './reporter.ts'

function start(t: TestContext) {
  const clock = new FakeClock()
  const bus = createLocalBus(clock, silentLogger)
  const current = new Set(['default/d'])
  const stats = createStats()
  const reporter = new Reporter({
    bus,
    clock,
    random: steadyRandom,
    log: silentLogger,
    settings: defaultSettings,
    stats,
    isCurrent: (id) => current.has(id),
  })
  const stop = new AbortController()
  const running = reporter.run(stop.signal)
  t.after(async () => {
    stop.abort(new Error('the test is over'))
    await running
  })
  const reports: DeviceReport[] = []
  const serve = () => {
    bus.serve(reportDevices, async (list) => {
      reports.push(...list)
      return { unknown: [] }
    })
  }
  const reading = (value: string) => ({ property: 'a', value, sourceTime: 1, quality: 'good' as const })
  return { clock, current, stats, reporter, reports, serve, reading }
}

describe('the reporter', () => {
  it('keeps the newest reading of each property while the twin is away', async (t) => {
    const { clock, reporter, reports, serve, reading } = start(t)
    reporter.report('default/d', [reading('1')])
    await clock.advance(seconds(1))
    reporter.report('default/d', [reading('2'), { ...reading('3'), property: 'b' }])
    await clock.advance(seconds(1))
    serve()
    await clock.advance(seconds(10))
    assert.equal(reports.length, 1)
    assert.deepEqual(
      reports[0]?.readings.map(({ property, value }) => [property, value]),
      [
        ['a', '2'],
        ['b', '3'],
      ],
    )
  })

  it('keeps the reading that belongs to a write result', async (t) => {
    const { clock, reporter, reports, serve, reading } = start(t)
    reporter.report('default/d', [reading('1')], [{ property: 'a', orderId: 'o', value: '1' }])
    reporter.report('default/d', [reading('2')])
    reporter.report('default/d', [reading('3')])
    serve()
    await clock.advance(seconds(10))
    assert.deepEqual(
      reports.flatMap(({ readings }) => readings.map(({ value }) => value)),
      ['1', '3'],
    )
    assert.equal(reports.flatMap(({ writes }) => writes).length, 1)
  })

  it('drops what concerns devices that are gone', async (t) => {
    const { clock, current, reporter, reports, serve, reading } = start(t)
    reporter.report('default/d', [reading('1')])
    await clock.advance(seconds(1))
    current.clear()
    serve()
    await clock.advance(seconds(10))
    assert.deepEqual(reports, [])
  })

  it('keeps what was recorded, each reading in a step of its own, and drops the oldest of too many', async (t) => {
    const { clock, reporter, reports, serve, stats, reading } = start(t)
    reporter.report('default/d', [reading('before')])
    for (let count = 0; count < 5200; count++) reporter.recorded('default/d', { ...reading(`${count}`), history: true })
    reporter.report('default/d', [reading('after')])
    reporter.report('default/d', [reading('newest')])
    await clock.advance(seconds(1))
    serve()
    await clock.advance(seconds(10))
    const values = reports.map(({ readings }) => readings.map(({ value }) => value).join())
    assert.equal(stats.droppedReports, 200)
    assert.deepEqual([values[0], values[1], values.at(-2), values.at(-1)], ['before', '200', '5199', 'newest'])
    assert.equal(values.length, 5002)
  })

  it('is bounded, and counts what it drops', async (t) => {
    const { clock, reporter, reports, serve, stats, reading } = start(t)
    for (let count = 0; count < 1200; count++) {
      reporter.report('default/d', [reading(String(count))], [{ property: 'a', orderId: String(count), value: '1' }])
    }
    serve()
    await clock.advance(seconds(10))
    assert.equal(reports[0]?.readings.length, 1000)
    assert.equal(reports[0]?.readings.at(-1)?.value, '1199')
    assert.equal(stats.droppedReports, 400)
  })
})
