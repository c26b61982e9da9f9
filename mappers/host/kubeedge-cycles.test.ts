import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { deviceRefusals } from '../../schemas/index.ts'
import { FakeField, fakeMapper } from './testing/fake-mapper.ts'
import { fakeDevice, hostBench } from './testing/host-bench.ts'

function start(t: TestContext) {
  const field = new FakeField()
  const host = hostBench(fakeMapper(field))
  t.after(host.stop)
  return { ...host, field }
}

describe("KubeEdge's rules for cycles and desired values", () => {
  it('C81: cycles are milliseconds, 1 s where none is given, and nanoseconds are flagged', async (t) => {
    const host = start(t)
    const cycles = { a: {}, b: { collectCycle: 250 }, c: { collectCycle: 0 }, d: { collectCycle: 2_000_000_000 } }
    host.assign(fakeDevice('d', { ...cycles, e: { collectCycle: 500, reportCycle: 3_000_000_000 } }))
    await host.advance(100)
    host.field.batches.length = 0
    await host.advance(10_000)
    const times = (address: string) => host.field.batches.filter((batch) => batch.includes(address)).length
    assert.deepEqual([times('a'), times('b'), times('c'), times('d'), times('e')], [10, 40, 10, 5, 20])
    const flagged = host.bus.get(deviceRefusals, 'default/d') ?? []
    assert.deepEqual(
      flagged.map(({ pointer, warning }) => [pointer, warning]),
      [
        ['/spec/properties/3/collectCycle', true],
        ['/spec/properties/4/reportCycle', true],
      ],
    )
    for (const { message } of flagged) assert.match(message, /looks like nanoseconds and is taken as [23]000 ms/)
    // Unchanged values are told in their report cycle, and only those that have one.
    assert.deepEqual([host.values('d', 'a').length, host.values('d', 'e').length], [1, 4])
  })

  it('C82: a desired value is written at the start and when it changes, never to what is ReadOnly', async (t) => {
    const host = start(t)
    host.order('d', { a: ['5', 'o-1'], r: ['6', 'o-2'] })
    host.assign(fakeDevice('d', { a: {}, r: { accessMode: 'ReadOnly' } }))
    await host.advance(5000)
    assert.deepEqual(host.field.written, [['a', 5]])
    host.order('d', { a: ['7', 'o-3'], r: ['8', 'o-4'] })
    await host.advance(5000)
    assert.deepEqual(host.field.written, [
      ['a', 5],
      ['a', 7],
    ])
    assert.ok(host.writes().every(({ property, failure }) => (property === 'r') === (failure !== undefined)))
  })

  it('many lines are not all asked in the same moment', async (t) => {
    let seed = 1
    const random = {
      next: () => {
        seed = (seed * 16_807) % 2_147_483_647
        return seed / 2_147_483_647
      },
      bytes: (count: number) => new Uint8Array(count),
      uuid: () => '00000000-0000-4000-8000-000000000000',
    }
    const field = new FakeField()
    const host = hostBench(fakeMapper(field), random)
    t.after(host.stop)
    for (let line = 0; line < 100; line++) host.assign(fakeDevice(`d${line}`, { a: {} }, { line: `line-${line}` }))
    await host.advance(5000)
    const slots: number[] = []
    for (let slot = 0; slot < 10; slot++) {
      field.batches.length = 0
      await host.advance(100)
      slots.push(field.batches.length)
    }
    assert.equal(
      slots.reduce((sum, count) => sum + count, 0),
      100,
      'each once in its cycle',
    )
    assert.ok(Math.max(...slots) <= 25, `calls in each tenth of a second: ${slots.join()}`)
  })
})
