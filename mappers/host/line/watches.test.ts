import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { defineMapper, type Report, type Visit } from '../../contract/index.ts'
import { FakeDevice, FakeVisitor } from '../testing/fake-mapper.ts'
import { fakeDevice, hostBench } from '../testing/host-bench.ts'

interface Watch {
  readonly visits: readonly Visit<unknown, unknown>[]
  readonly report: Report
  readonly signal: AbortSignal
  readonly end: (error?: Error) => void
}

function start(t: TestContext) {
  const watches: Watch[] = []
  const count = { connects: 0, disposals: 0 }
  const written: unknown[] = []
  const mapper = defineMapper({
    contract: 1,
    protocol: 'fake',
    deviceConfig: FakeDevice,
    visitorConfig: FakeVisitor,
    connectionKey: (device) => device.line,
    connect: async () => {
      count.connects++
      return {
        [Symbol.asyncDispose]: async () => {
          count.disposals++
        },
      }
    },
    watch: (_connection, visits, report, signal) =>
      new Promise<void>((resolve, reject) => {
        signal.addEventListener('abort', () => resolve(), { once: true })
        watches.push({ visits, report, signal, end: (error) => (error ? reject(error) : resolve()) })
      }),
    write: async (_connection, orders) => {
      written.push(...orders.map(({ value }) => value))
      return new Map(orders.map(({ id }) => [id, { ok: true, value: undefined } as const]))
    },
  })
  const bench = hostBench(mapper)
  t.after(bench.stop)
  const tell = (watch: Watch | undefined, value: number) => {
    const id = watch?.visits[0]?.id ?? assert.fail('nobody watches')
    watch?.report(id, { ok: true, value: { value, sourceTime: 5 } })
  }
  return { ...bench, watches, count, written, tell }
}

describe('the mapper host watches', () => {
  it('what a device pushes, with its own time, and is online from the first value', async (t) => {
    const host = start(t)
    host.assign(fakeDevice('d', { a: {} }))
    await host.advance(0)
    assert.equal(host.states.length, 0)
    host.tell(host.watches[0], 7)
    host.tell(host.watches[0], 7)
    await host.advance(0)
    assert.deepEqual(host.values('d', 'a'), ['7'])
    assert.equal(host.reports[0]?.readings[0]?.sourceTime, 5)
    assert.equal(host.states.at(-1)?.state, 'online')
  })

  it('each device by itself, so that changing one leaves the other alone', async (t) => {
    const host = start(t)
    host.assign(fakeDevice('d', { a: {} }))
    host.assign(fakeDevice('e', { b: {} }))
    await host.advance(0)
    host.assign(fakeDevice('e', { b: {}, c: {} }, { line: 'a' }, 2))
    host.unassign('e')
    await host.advance(0)
    assert.deepEqual(
      host.watches.map(({ signal }) => signal.aborted),
      [false, true, true],
    )
    assert.equal(host.count.connects, 1)
  })

  it('loses the connection when a watch ends by itself, and watches again', async (t) => {
    const host = start(t)
    host.assign(fakeDevice('d', { a: {} }))
    await host.advance(0)
    host.tell(host.watches[0], 1)
    host.watches[0]?.end(new Error('session expired'))
    await host.advance(0)
    assert.deepEqual(host.states.at(-1), { id: 'default/d', state: 'offline', reason: 'session expired' })
    assert.equal(host.count.disposals, 1)
    await host.advance(1000)
    host.tell(host.watches[1], 1)
    await host.advance(0)
    assert.equal(host.states.at(-1)?.state, 'online')
  })

  it('writes without a read-back where there is none, and says so', async (t) => {
    const host = start(t)
    host.assign(fakeDevice('d', { a: {} }))
    host.order('d', { a: ['5', 'o-1'] })
    await host.advance(0)
    assert.deepEqual(host.written, [5])
    const report = host.reports.at(-1)
    assert.equal(report?.writes[0]?.failure, undefined)
    assert.equal(report?.readings[0]?.quality, 'uncertain')
  })

  it('a device that says it is away is offline whatever its readings say, and is written to when it is back', async (t) => {
    const host = start(t)
    host.assign(fakeDevice('d', { a: {} }))
    await host.advance(0)
    host.watches[0]?.report.presence?.('away', 'its last will')
    host.tell(host.watches[0], 7)
    host.order('d', { a: ['5', 'o-1'] })
    await host.advance(60_000)
    assert.deepEqual(host.values('d', 'a'), ['7'])
    assert.deepEqual(host.states, [{ id: 'default/d', state: 'offline', reason: 'its last will' }])
    assert.deepEqual(host.written, [])
    assert.equal(host.writes()[0]?.failure?.reason, 'DeviceOffline')
    host.watches[0]?.report.presence?.('here')
    await host.advance(0)
    assert.deepEqual(host.states.at(-1), { id: 'default/d', state: 'online' })
    assert.deepEqual(host.written, [5])
    assert.equal(host.count.connects, 1)
  })

  it('a device that comes and goes without end floods neither the twin nor the device', async (t) => {
    const host = start(t)
    host.assign(fakeDevice('d', { a: {} }))
    host.order('d', { a: ['5', 'o-1'] })
    await host.advance(10)
    host.states.length = 0
    host.written.length = 0
    for (let round = 0; round < 10; round++) {
      for (let flip = 0; flip < 1000; flip++) {
        host.watches[0]?.report.presence?.('away', `for the ${flip}th time`)
        host.watches[0]?.report.presence?.('here')
      }
      await host.advance(10)
    }
    assert.ok(host.states.length <= 30, `${host.states.length} states`)
    assert.ok(host.written.length <= 20, `${host.written.length} writes`)
    assert.equal(host.states.at(-1)?.state, 'online')
  })

  it('forgets with the connection that a device was away', async (t) => {
    const host = start(t)
    host.assign(fakeDevice('d', { a: {} }))
    await host.advance(0)
    host.watches[0]?.report.presence?.('away')
    host.watches[0]?.end(new Error('session expired'))
    await host.advance(1000)
    host.tell(host.watches[1], 1)
    await host.advance(0)
    assert.equal(host.states.at(-1)?.state, 'online')
  })
})
