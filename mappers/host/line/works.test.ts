import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { describeError } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { ms, seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { DeviceSilentError } from '../../contract/index.ts'
import { admit } from '../admission/admission.ts'
import { defaultSettings } from '../settings.ts'
import { createStats, deviceStats } from '../stats.ts'
import { busMapper, FakeBus } from '../testing/fake-bus.ts'
import { fakeDevice, steadyRandom } from '../testing/host-bench.ts'
import { Line } from './line.ts'
import { Reporter } from './reporter.ts'
import { ServedDevice } from './served-device.ts'

function start(t: TestContext) {
  const clock = new FakeClock()
  const field = new FakeBus()
  const mapper = busMapper(field)
  const ground = { clock, random: steadyRandom, log: silentLogger, settings: defaultSettings, stats: createStats() }
  const reporter = new Reporter({ ...ground, bus: createLocalBus(clock, silentLogger), isCurrent: () => true })
  const line = new Line({
    ...ground,
    key: 'rs485',
    mapper,
    reporter,
    knownUntil: async () => undefined,
    folder: '/nowhere',
  })
  for (const unit of [1, 2]) {
    const { plan } = admit(mapper, fakeDevice(`u${unit}`, { a: {} }, { line: 'rs485', unit }), unit)
    line.put(
      new ServedDevice(plan ?? assert.fail(), { ...ground, reporter, stats: deviceStats(ground.stats, `u${unit}`) }),
    )
  }
  const stop = new AbortController()
  const running = line.run(stop.signal)
  t.after(async () => {
    stop.abort(new Error('the test is over'))
    await running
  })
  const order: string[] = []
  /** A call that takes 50 ms of the bus. */
  const work = (id: string, name: string, deadline = seconds(5), failure?: Error) =>
    line
      .work(id, deadline, async (_connection, device, signal) => {
        order.push(`${name} begins`)
        await clock.sleep(ms(50), signal)
        order.push(`${name} ends`)
        if (failure) throw failure
        return device.id
      })
      .catch((error: unknown) => describeError(error))
  return { clock, field, line, order, work, advance: (milliseconds: number) => clock.advance(ms(milliseconds)) }
}

describe('extra work on a line', () => {
  it('is done between reads, one after the other, and its result comes back', async (t) => {
    const { work, order, field, advance } = start(t)
    await advance(1010)
    assert.equal(field.calls.length, 4, 'a read is under way')
    const results = [work('default/u1', 'a'), work('default/u2', 'b')]
    await advance(20)
    assert.deepEqual(order, [])
    await advance(500)
    assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends'])
    assert.deepEqual(await Promise.all(results), ['default/u1', 'default/u2'])
    assert.equal(field.connects, 1)
  })

  it('ends at its deadline while it waits, and nothing of it is done', async (t) => {
    const { work, order, field, advance } = start(t)
    field.slow.set(1, 900)
    await advance(10)
    const result = work('default/u1', 'a', ms(100))
    await advance(5000)
    assert.match(await result, /busy all the time/)
    assert.deepEqual(order, [])
  })

  it('goes on when its caller has lost patience, and costs no connection by that', async (t) => {
    const { work, order, field, advance } = start(t)
    await advance(500)
    const late = work('default/u1', 'a', ms(20))
    await advance(2000)
    assert.match(await late, /no answer within 20 ms/)
    assert.deepEqual(order, ['a begins', 'a ends'])
    assert.equal(field.connects, 1)
  })

  it('that throws costs the connection', async (t) => {
    const { work, field, advance } = start(t)
    await advance(500)
    const broken = work('default/u1', 'b', seconds(1), new Error('line noise'))
    await advance(2000)
    assert.equal(await broken, 'line noise')
    assert.equal(field.connects, 2)
  })

  it('for a device that does not answer puts that one offline, and the next is refused at once', async (t) => {
    const { work, field, advance } = start(t)
    await advance(500)
    field.off.add(1)
    const silent = work('default/u1', 'a', seconds(5), new DeviceSilentError('nobody home'))
    await advance(100)
    assert.equal(await silent, 'nobody home')
    assert.match(await work('default/u1', 'b'), /cannot be reached: nobody home/)
    const neighbour = work('default/u2', 'c')
    await advance(1500)
    assert.equal(await neighbour, 'default/u2')
    assert.equal(field.connects, 1)
  })

  it('is refused for a device that is gone, also while it waits', async (t) => {
    const { work, line, advance } = start(t)
    await advance(10)
    const result = work('default/u2', 'a')
    line.remove('default/u2')
    assert.match(await result, /the device is gone/)
    assert.match(await work('default/u2', 'b'), /not served/)
  })

  it('is bounded', async (t) => {
    const { work, advance } = start(t)
    await advance(10)
    const results = Array.from({ length: 101 }, (_, index) => work('default/u1', String(index), seconds(60)))
    assert.match(await (results.at(-1) ?? assert.fail()), /Too many calls/)
  })
})
