import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { createMetrics } from '../../../platform/health/index.ts'
import { deviceRefusals } from '../../../schemas/index.ts'
import { countersOf } from '../running/counters.ts'
import { busMapper, FakeBus } from '../testing/fake-bus.ts'
import { fakeDevice, hostBench } from '../testing/host-bench.ts'

function start(t: TestContext) {
  const field = new FakeBus()
  const host = hostBench(busMapper(field))
  t.after(host.stop)
  const put = (unit: number, collectCycle = 1000) =>
    host.assign(fakeDevice(`u${unit}`, { a: { collectCycle } }, { line: 'rs485', unit }))
  const warned = (unit: number) => host.bus.get(deviceRefusals, `default/u${unit}`)
  return { ...host, field, put, warned }
}

describe('a line that is asked for more than it can do', () => {
  it('is warned of at each of its devices, with what is needed, what there is and what to change', async (t) => {
    const host = start(t)
    for (let unit = 1; unit <= 30; unit++) host.put(unit)
    await host.advance(1000)
    for (const unit of [1, 30]) {
      const [warning, ...more] = host.warned(unit) ?? []
      assert.deepEqual([warning?.pointer, warning?.warning, more], ['/spec/properties', true, []])
      assert.match(warning?.message ?? '', /its 30 devices ask for 1200 ms of reading in every second/)
      assert.match(warning?.message ?? '', /every collectCycle on it 1.2 times as long/)
    }
    assert.equal(host.states.at(-1)?.state, 'online', 'they are driven all the same')
    assert.equal(host.log.lines.filter(({ message }) => /more than it can do/.test(message)).length, 1)
  })

  it('is judged again when devices come, change and go', async (t) => {
    const host = start(t)
    for (let unit = 1; unit <= 25; unit++) host.put(unit)
    await host.advance(1000)
    assert.equal(host.warned(1), undefined)
    host.put(26)
    await host.advance(1000)
    assert.match(host.warned(1)?.[0]?.message ?? '', /26 devices ask for 1040 ms/)
    host.put(2, 5000)
    host.put(3, 5000)
    await host.advance(1000)
    assert.deepEqual([host.warned(1), host.warned(2)], [undefined, undefined])
    host.put(2, 500)
    await host.advance(1000)
    assert.ok(host.warned(26))
    host.unassign('u2')
    await host.advance(1000)
    assert.deepEqual([host.warned(26), host.warned(2)], [undefined, undefined])
  })

  it('is not judged where the mapper cannot count, or fails to', async (t) => {
    const field = new FakeBus()
    const nan = { ...busMapper(field), busTime: () => Number.NaN }
    const broken = {
      ...busMapper(field),
      busTime: () => {
        throw new Error('a bug')
      },
    }
    for (const mapper of [nan, broken]) {
      const host = hostBench(mapper)
      t.after(host.stop)
      host.assign(fakeDevice('d', { a: { collectCycle: 10 } }, { line: 'x' }))
      await host.advance(2000)
      assert.equal(host.bus.get(deviceRefusals, 'default/d'), undefined)
      assert.equal(host.states.at(-1)?.state, 'online')
    }
  })

  it('stands beside what its devices are warned of by themselves', async (t) => {
    const host = start(t)
    for (let unit = 1; unit <= 30; unit++) host.put(unit, unit === 3 ? 1_000_000_000 : 1000)
    await host.advance(1000)
    assert.deepEqual(
      host.warned(3)?.map(({ pointer }) => pointer),
      ['/spec/properties/0/collectCycle', '/spec/properties'],
    )
  })

  it('shows planned and actual in the metrics, as long as device and line are there', async (t) => {
    const host = start(t)
    const metrics = createMetrics()
    const counters = countersOf(metrics, 'fake')
    for (let unit = 1; unit <= 30; unit++) host.put(unit)
    host.field.off.add(30)
    await host.advance(30_000)
    counters.take(host.stats)
    const text = await metrics.text()
    const shown = (name: string, labels: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name}{mapper="fake",${labels}}`))
          ?.split(' ')
          .at(-1),
      )
    assert.equal(shown('skerry_mapper_line_load', 'line="rs485"'), 1.2)
    assert.equal(shown('skerry_mapper_device_cycle_seconds', 'device="default/u1",kind="planned"'), 1)
    const actual = shown('skerry_mapper_device_cycle_seconds', 'device="default/u1",kind="actual"')
    assert.ok(actual > 1.1 && actual < 2.3, `${actual} s`)
    assert.equal(shown('skerry_mapper_device_online', 'device="default/u1"'), 1)
    assert.equal(shown('skerry_mapper_device_online', 'device="default/u30"'), 0)
    assert.ok(shown('skerry_mapper_device_reads', 'device="default/u1"') > 10)
    assert.ok(shown('skerry_mapper_line_busy_seconds', 'line="rs485"') > 25)
    for (let unit = 1; unit <= 30; unit++) host.unassign(`u${unit}`)
    await host.advance(1000)
    counters.take(host.stats)
    assert.doesNotMatch(await metrics.text(), /default\/u1"|rs485/)
  })
})
