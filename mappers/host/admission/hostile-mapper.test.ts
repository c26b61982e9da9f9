import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { deviceRefusals } from '../../../schemas/index.ts'
import { FakeField, fakeMapper } from '../testing/fake-mapper.ts'
import { fakeDevice, hostBench } from '../testing/host-bench.ts'
import type { AnyMapper } from './admission.ts'

function start(t: TestContext, bug: (sound: AnyMapper) => Partial<AnyMapper>) {
  const field = new FakeField()
  const sound: AnyMapper = fakeMapper(field)
  const host = hostBench({ ...sound, ...bug(sound) })
  t.after(host.stop)
  const unitOf = (config: unknown) =>
    config !== null && typeof config === 'object' && 'unit' in config ? config.unit : 0
  return { ...host, field, unitOf }
}

const boom = (): never => {
  throw new TypeError('cannot read properties of undefined')
}
/** What a mapper in JavaScript may give where its types say something else. */
const anyOf = (value: unknown) => JSON.parse(JSON.stringify(value))
const promised = (value: unknown) => Object(Promise.resolve(value))
const rejected = () => Object(Promise.reject(new Error('later')))
const watch: AnyMapper['watch'] = (_connection, _visits, _report, signal) =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

describe('a device is refused with the reason, and disturbs no other, where its mapper', () => {
  const bugs: readonly [string, Partial<AnyMapper>, RegExp][] = [
    ['throws in connectionKey', { connectionKey: boom }, /cannot read properties/],
    ['gives no connectionKey', { connectionKey: () => anyOf(null) }, /connectionKey of the mapper gave nothing/],
    [
      'gives a number for connectionKey',
      { connectionKey: () => anyOf(7) },
      /connectionKey .* a text at once, and gave something of type number/,
    ],
    ['promises a connectionKey', { connectionKey: () => promised('a') }, /connectionKey .* gave a promise/],
    ['throws in peer', { peer: boom }, /cannot read properties/],
    ['gives a number for peer', { peer: () => anyOf(1) }, /peer .* something of type number/],
    ['throws in isPushed', { watch, isPushed: boom }, /cannot read properties/],
    [
      'promises isPushed, and fails to',
      { watch, isPushed: rejected },
      /isPushed .* true or false at once, and gave a promise/,
    ],
    ['throws in isCallable', { isCallable: boom }, /cannot read properties/],
    ['promises isCallable', { isCallable: () => promised(false) }, /isCallable .* gave a promise/],
    ['throws in reject', { reject: boom }, /cannot read properties/],
    ['promises to reject', { reject: () => promised(undefined) }, /reject .* gave a promise/],
    [
      'throws where it reads a device configuration',
      { deviceConfig: { jsonSchema: {}, parse: boom } },
      /cannot be judged by the mapper/,
    ],
    [
      'throws where it reads a visitor configuration',
      { visitorConfig: { jsonSchema: {}, parse: boom } },
      /cannot be judged by the mapper/,
    ],
  ]
  for (const [what, bug, reason] of bugs) {
    it(what, async (t) => {
      const host = start(t, () => bug)
      host.assign(fakeDevice('d', { a: {} }))
      await host.advance(1000)
      const [refusal] = host.bus.get(deviceRefusals, 'default/d') ?? []
      assert.match(refusal?.message ?? '', reason)
      assert.equal(host.states.at(-1)?.state, 'unknown')
      assert.equal(host.field.connects, 0)
      assert.ok(host.log.lines.every(({ level }) => level !== 'error'))
    })
  }

  it('fails at this one only', async (t) => {
    const host = start(t, (sound) => ({
      connectionKey: (config) => (host.unitOf(config) === 13 ? boom() : sound.connectionKey(config)),
      conflict: (config) => (host.unitOf(config) === 14 ? boom() : undefined),
    }))
    host.assign(fakeDevice('good', { a: {} }, { line: 'a', unit: 1 }))
    host.assign(fakeDevice('bad', { a: {} }, { line: 'a', unit: 13 }))
    host.assign(fakeDevice('worse', { a: {} }, { line: 'a', unit: 14 }))
    await host.advance(1000)
    assert.deepEqual(
      ['good', 'bad', 'worse'].map((name) => host.states.findLast(({ id }) => id === `default/${name}`)?.state),
      ['online', 'unknown', 'unknown'],
    )
  })
})

describe('a device is served as usual where its mapper', () => {
  const deadlines: readonly [string, NonNullable<AnyMapper['deadline']>][] = [
    ['throws in deadline', boom],
    ['has a deadline that is no number', () => Number.NaN],
    ['has a deadline without an end', () => Number.POSITIVE_INFINITY],
    ['promises a deadline', () => promised(5)],
    ['has a deadline of the past', () => -1],
  ]
  for (const [what, deadline] of deadlines) {
    it(`${what}: the usual time holds`, async (t) => {
      const host = start(t, () => ({ deadline }))
      host.assign(fakeDevice('d', { a: {} }))
      await host.advance(1500)
      assert.deepEqual(host.values('d', 'a'), ['0'])
      host.field.stalled = new Promise(() => undefined)
      await host.advance(3100)
      assert.match(host.states.at(-1)?.reason ?? '', /no answer within 2010 ms/)
    })
  }
})

describe('a connection is lost, and says why, where its mapper', () => {
  for (const [what, answer] of [
    ['answers nothing', undefined],
    ['answers an object', {}],
    ['answers a list', []],
  ] as const) {
    it(what, async (t) => {
      const host = start(t, () => ({ read: async () => Object(answer) }))
      host.assign(fakeDevice('d', { a: {} }))
      await host.advance(1000)
      assert.match(host.states.at(-1)?.reason ?? '', /did not answer with a Map/)
    })
  }
})

describe('a property is bad, and its neighbours are not, where its mapper', () => {
  const outcomes: readonly [string, unknown][] = [
    ['gives a bare value for a reading', { ok: true, value: 5 }],
    ['gives no reading', { ok: true }],
    ['gives null for a value', { ok: true, value: { value: null } }],
    ['gives an object for a value', { ok: true, value: { value: { a: 1 } } }],
    ['gives a function for a value', { ok: true, value: { value: () => 5 } }],
    ['gives no outcome', 5],
    ['fails without a reason', { ok: false }],
  ]
  for (const [what, outcome] of outcomes) {
    it(what, async (t) => {
      const host = start(t, (sound) => ({
        read: async (connection, visits, signal) => {
          const results = new Map(await sound.read?.(connection, visits, signal))
          const [first] = visits
          if (first) results.set(first.id, Object(outcome))
          return results
        },
      }))
      host.assign(fakeDevice('d', { a: { type: 'STRING' }, b: {} }))
      await host.advance(1000)
      const readings = new Map(host.reports[0]?.readings.map((reading) => [reading.property, reading]))
      assert.deepEqual([readings.get('a')?.quality, readings.get('a')?.value], ['bad', undefined])
      assert.ok(readings.get('a')?.cause)
      assert.deepEqual([readings.get('b')?.quality, readings.get('b')?.value], ['good', '0'])
      assert.equal(host.field.disposals, 0)
    })
  }

  it('does not know when: then it is now', async (t) => {
    const host = start(t, () => ({
      read: async (_connection, visits) =>
        new Map(visits.map(({ id }) => [id, { ok: true, value: { value: 1, sourceTime: Number.NaN } }])),
    }))
    host.assign(fakeDevice('d', { a: {} }))
    await host.advance(0)
    assert.equal(host.reports[0]?.readings[0]?.sourceTime, host.clock.now())
  })
})
