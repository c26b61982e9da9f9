import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type AssignedDevice, deviceRefusals, TIME_TO_LIVE_ANNOTATION } from '../../../schemas/index.ts'
import type { Report, Visit } from '../../contract/index.ts'
import type { AnyMapper } from '../admission/admission.ts'
import { FakeField, fakeMapper } from '../testing/fake-mapper.ts'
import { fakeDevice, hostBench } from '../testing/host-bench.ts'

function aging(assigned: AssignedDevice, text: string): AssignedDevice {
  const annotations = { [TIME_TO_LIVE_ANNOTATION]: text }
  const { device } = assigned
  return { ...assigned, device: { ...device, metadata: { ...device.metadata, annotations } } }
}

function start(t: TestContext, mapperOf: (field: FakeField) => AnyMapper = fakeMapper) {
  const field = new FakeField()
  const host = hostBench(mapperOf(field))
  t.after(host.stop)
  return { ...host, field }
}

/** A driver that reads and pushes; `push` is the device. */
function pushing(t: TestContext) {
  const watches: { readonly visits: readonly Visit<unknown, unknown>[]; readonly report: Report }[] = []
  const host = start(t, (field) => ({
    ...fakeMapper(field),
    watch: (_connection, visits, report, signal) =>
      new Promise<void>((resolve) => {
        watches.push({ visits, report })
        signal.addEventListener('abort', () => resolve(), { once: true })
      }),
  }))
  const push = (value: number) => {
    for (const { visits, report } of watches) for (const { id } of visits) report(id, { ok: true, value: { value } })
  }
  return { ...host, push }
}

describe('a value with a time to live', () => {
  it('is told again while it stays the same, three times within that time; others are not', async (t) => {
    const host = start(t)
    host.assign(aging(fakeDevice('d', { a: { collectCycle: 1000 }, b: { collectCycle: 1000 } }), 'a=9s'))
    await host.advance(30_000)
    const told = host.values('d', 'a').length
    assert.ok(told >= 9 && told <= 11, `${told} times`)
    assert.equal(host.values('d', 'b').length, 1)
    assert.equal(host.bus.get(deviceRefusals, 'default/d'), undefined)
  })

  it('is not told again while it cannot be read', async (t) => {
    const host = start(t)
    host.assign(aging(fakeDevice('d', { a: { collectCycle: 1000 } }), '9s'))
    await host.advance(1500)
    host.field.broken.set('a', 'cut')
    await host.advance(30_000)
    assert.deepEqual(host.values('d', 'a'), ['0', undefined])
    host.field.broken.clear()
    await host.advance(1000)
    assert.deepEqual(host.values('d', 'a'), ['0', undefined, '0'])
  })

  it('shorter than the collect cycle is warned of, and driven all the same', async (t) => {
    const host = start(t)
    host.assign(aging(fakeDevice('d', { a: { collectCycle: 5000 } }), '2s'))
    await host.advance(6000)
    const [warning, ...more] = host.bus.get(deviceRefusals, 'default/d') ?? []
    assert.deepEqual([warning?.warning, more], [true, []])
    assert.equal(warning?.pointer, '/metadata/annotations/skerry.dev~1time-to-live')
    assert.match(warning?.message ?? '', /2000 ms is not longer than the collectCycle of 5000 ms/)
    assert.equal(host.values('d', 'a').length, 2)
    assert.ok(host.log.lines.some(({ fields }) => fields['reason'] === warning?.message))
  })

  it('that its annotation changes is followed at once', async (t) => {
    const host = start(t)
    const device = fakeDevice('d', { a: { collectCycle: 1000 } })
    host.assign(device)
    await host.advance(20_000)
    assert.equal(host.values('d', 'a').length, 1)
    host.assign(aging(device, '*=3s'))
    await host.advance(10_000)
    const told = host.values('d', 'a').length
    assert.ok(told >= 10, `${told} times`)
    host.assign(aging(device, 'a=none'))
    await host.advance(20_000)
    assert.ok(host.values('d', 'a').length <= told + 1)
  })

  it('that a device pushes is read while it says nothing; others are not', async (t) => {
    const host = pushing(t)
    host.assign(aging(fakeDevice('d', { a: {}, b: {} }), 'a=9s'))
    await host.advance(1000)
    host.field.values.set('a', 7)
    host.push(7)
    await host.advance(30_000)
    assert.ok(host.field.batches.length >= 9, `${host.field.batches.length} reads`)
    assert.deepEqual(new Set(host.field.batches.flat()), new Set(['a']))
    assert.ok(host.values('d', 'a').length >= 9)
    assert.deepEqual(host.values('d', 'b'), ['7'])
  })

  it('that a device pushes a thousand times is told ten times within that time at most', async (t) => {
    const host = pushing(t)
    host.assign(aging(fakeDevice('d', { a: {} }), '10s'))
    host.field.values.set('a', 7)
    for (let push = 0; push < 1000; push++) {
      host.push(7)
      await host.advance(10)
    }
    const told = host.values('d', 'a').length
    assert.ok(told >= 9 && told <= 12, `${told} times`)
  })
})
