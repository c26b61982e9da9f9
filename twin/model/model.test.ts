import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DeviceReport, parseTwin, type Twin, type TwinChange, type TwinUpdate } from '../../schemas/index.ts'
import { lamp, lampModel } from '../testing/edge.ts'
import { adopt } from './adopt.ts'
import { deltaOf } from './delta.ts'
import { documentOf } from './messages.ts'
import { ordersOf } from './orders.ts'
import { applyReport } from './report.ts'
import { applyState } from './state.ts'
import { applyUpdate, TWIN_LIMITS } from './update.ts'

const model = lampModel()
const adopted = (generation: number, brightness?: string, before?: Twin) =>
  adopt(
    before,
    { device: lamp({ generation, ...(brightness === undefined ? {} : { brightness }) }), model },
    generation,
  )

function update(twin: Twin, changes: Readonly<Record<string, TwinChange | null>>, now = 100): Twin {
  const updated = applyUpdate(twin, { eventId: '', twin: new Map(Object.entries(changes)) }, TWIN_LIMITS, now)
  assert.ok(updated.ok, JSON.stringify(updated))
  return updated.twin
}

const refusal = (twin: Twin, changes: Readonly<Record<string, TwinChange>>, limits = TWIN_LIMITS): string => {
  const updated = applyUpdate(twin, { eventId: '', twin: new Map(Object.entries(changes)) }, limits, 100)
  return updated.ok ? 'taken' : updated.reason
}

const read = (twin: Twin, value: string, now = 200): Twin =>
  applyReport(
    twin,
    {
      ...{ id: twin.id, writes: [] },
      readings: [{ property: 'brightness', value, sourceTime: now, quality: 'good' }],
    },
    TWIN_LIMITS,
    now,
  )

const brightness = (twin: Twin) => {
  const property = twin.properties['brightness']
  assert.ok(property)
  return property
}

test('a cloud intent is a changed value; the edge overrides until the next one', () => {
  const wanted = adopted(1, '40')
  assert.deepEqual(brightness(wanted).desired, {
    ...{ value: '40', timestamp: 1, version: { cloud: 1, edge: 0 }, origin: 'cloud' },
  })
  const overridden = update(wanted, { brightness: { expected: '70' } })
  assert.equal(brightness(overridden).desired?.origin, 'edge')
  // The same Device again, and one with another generation but the same value.
  assert.equal(adopted(1, '40', overridden), overridden)
  const later = adopted(2, '40', overridden)
  assert.deepEqual([later.generation, brightness(later).desired?.value], [2, '70'])
  // Another way to write the same number is no other value.
  assert.equal(brightness(adopted(3, '+40', later)).desired?.value, '70')
  const again = adopted(4, '50', later)
  assert.deepEqual(brightness(again).desired, {
    ...{ value: '50', timestamp: 4, version: { cloud: 4, edge: 1 }, origin: 'cloud' },
  })
})

test('what the cloud no longer wants goes, what the edge wants stays', () => {
  assert.equal(brightness(adopted(2, undefined, adopted(1, '40'))).desired, undefined)
  const edge = update(adopted(1, '40'), { brightness: { expected: '70' } })
  const without = adopted(2, undefined, edge)
  assert.equal(brightness(without).desired?.value, '70')
  // Go clients write an absent value as an empty text.
  assert.equal(brightness(adopted(2, '', adopted(1, '40'))).desired, undefined)
  // Wanting again what was given up is a new intent.
  assert.equal(brightness(adopted(3, '40', without)).desired?.value, '40')
})

test('a value that the model forbids is a failure and never an order, until the model allows it', () => {
  const refused = adopted(1, '400')
  assert.equal(brightness(refused).failure?.reason, 'Refused')
  assert.deepEqual(ordersOf(refused).properties, {})
  assert.equal(deltaOf(refused).size, 0)
  assert.equal(adopted(1, '400', refused), refused)
  const allowed = adopt(refused, { device: lamp({ brightness: '400' }), model: lampModel('500') }, 5)
  assert.equal(brightness(allowed).failure, undefined)
  assert.equal(ordersOf(allowed).properties['brightness']?.value, '400')
})

test('a device without its model keeps what it knows and gets no orders for what it does not', () => {
  const device = lamp({ brightness: '40' })
  const bare = adopt(undefined, { device }, 1)
  assert.deepEqual([brightness(bare).type, ordersOf(bare).properties], ['string', {}])
  const known = adopt(bare, { device, model }, 2)
  assert.equal(ordersOf(known).properties['brightness']?.value, '40')
  assert.equal(brightness(adopt(known, { device }, 3)).type, 'int')
})

test('properties follow the spec; those of clients stay', () => {
  const full = update(adopted(1), { note: { actual: 'x' } })
  const device = { ...lamp({ generation: 2 }), spec: { properties: [{ name: 'power' }] } }
  assert.deepEqual(Object.keys(adopt(full, { device, model }, 3).properties).sort(), ['note', 'power'])
})

test('a property may have any name', () => {
  const properties = ['constructor', 'toString', '__proto__'].map((name) => ({ name }))
  const twin = adopt(undefined, { device: { ...lamp(), spec: { properties } }, model }, 1)
  assert.deepEqual(Object.keys(twin.properties).sort(), ['__proto__', 'constructor', 'toString'])
  assert.equal(update(twin, { hasOwnProperty: { actual: '1' } }).properties['hasOwnProperty']?.reported?.value, '1')
  assert.deepEqual(parseTwin(JSON.stringify(twin)), twin)
})

test('each wish has an order of its own, and keeps it', () => {
  const ids = new Set<string | undefined>()
  const idOf = (twin: Twin) => ordersOf(twin).properties['brightness']?.id
  let twin = adopted(1, '40')
  ids.add(idOf(twin))
  assert.equal(idOf(adopted(2, '40', twin)), idOf(twin))
  for (const value of ['41', '40', '41']) {
    twin = update(twin, { brightness: { expected: value } })
    ids.add(idOf(twin))
  }
  twin = adopted(9, '40', adopted(8, '77', twin))
  ids.add(idOf(twin))
  assert.equal(ids.size, 5)
  const done = read(twin, '40')
  assert.equal(idOf(done), undefined)
  // The device left its value by itself: it is brought back under the same order.
  assert.equal(idOf(read(done, '39')), idOf(twin))
})

test('a repeated wish is nothing new, unless the device has not followed', () => {
  const wished = update(adopted(1), { brightness: { expected: '40' } })
  assert.equal(update(wished, { brightness: { expected: '40' } }), wished)
  const elsewhere = read(wished, '39')
  const again = update(elsewhere, { brightness: { expected: '40' } }, 300)
  assert.equal(brightness(again).desired?.version.edge, 2)
  const there = read(again, '40')
  assert.equal(update(there, { brightness: { expected: '40' } }), there)
})

test('write results: of the present order only, and cleared by success, by the reading or by the next wish', () => {
  const twin = adopted(1, '40')
  const orderId = ordersOf(twin).properties['brightness']?.id ?? ''
  const conclude = (to: Twin, id: string, failure?: { readonly reason: string; readonly message: string }) => {
    const write = { property: 'brightness', orderId: id, value: '40', ...(failure ? { failure } : {}) }
    return applyReport(to, { id: to.id, readings: [], writes: [write] }, TWIN_LIMITS, 300)
  }
  const failure = { reason: 'NoAnswer', message: 'timeout' }
  assert.equal(conclude(twin, 'old', failure), twin)
  const failed = conclude(twin, orderId, failure)
  assert.deepEqual(brightness(failed).failure, { ...failure, value: '40', timestamp: 300 })
  assert.equal(conclude(failed, orderId, failure), failed)
  assert.equal(brightness(conclude(failed, orderId)).failure, undefined)
  assert.equal(brightness(read(failed, '40')).failure, undefined)
  assert.notEqual(brightness(read(failed, '39')).failure, undefined)
  assert.equal(brightness(update(failed, { brightness: { expected: '41' } })).failure, undefined)
  assert.equal(brightness(adopted(2, '42', failed)).failure, undefined)
})

test('a failed reading keeps the value and says why it is doubted', () => {
  const good = read(adopted(1), '5')
  const bad: DeviceReport = {
    ...{ id: good.id, writes: [] },
    readings: [{ property: 'brightness', sourceTime: 900, quality: 'bad', cause: 'no answer' }],
  }
  const doubted = applyReport(good, bad, TWIN_LIMITS, 900)
  const { value, quality, cause, sourceTime } = brightness(doubted).reported ?? {}
  assert.deepEqual([value, quality, cause, sourceTime], ['5', 'bad', 'no answer', 200])
  assert.equal(applyReport(doubted, bad, TWIN_LIMITS, 901), doubted)
  assert.equal(brightness(read(doubted, '5', 1000)).reported?.quality, 'good')
  assert.equal(brightness(applyReport(adopted(1), bad, TWIN_LIMITS, 1)).reported, undefined)
})

test('limits of what clients may store', () => {
  const twin = adopted(1)
  const limits = { valueBytes: 10, freeProperties: 2, freeUnits: 12, names: 'any' as const }
  const values = (...texts: readonly string[]) =>
    Object.fromEntries(texts.map((actual, index) => [`p${index}`, { actual }]))
  assert.equal(refusal(twin, values('äääää'), limits), 'taken')
  assert.match(refusal(twin, values('ääääää'), limits), /longer than 10 bytes/)
  assert.match(refusal(twin, values('1', '2', '3'), limits), /at most 2 properties/)
  assert.match(refusal(twin, values('1234567', '123456'), limits), /too large together/)
  assert.match(refusal(twin, values('\ud800'), limits), /Unicode/)
})

test('64-bit integers keep every digit', () => {
  const twin = update(adopted(1), {
    big: { expected: '9223372036854775807', actual: '9223372036854775806', type: 'int' },
  })
  assert.deepEqual([...deltaOf(twin)], [['big', '9223372036854775807']])
  assert.match(refusal(twin, { big: { actual: '9223372036854775808' } }), /64 bits/)
})

test('the time of the last contact is kept when the device goes offline', () => {
  const online = applyState(adopted(1), { state: 'online' }, 1_000)
  const offline = applyState(online, { state: 'offline', reason: 'no answer' }, 61_000)
  assert.deepEqual([offline.lastOnlineTime, offline.stateReason], ['1970-01-01T00:01:01Z', 'no answer'])
  const crashed = applyState(offline, { state: 'unknown', reason: 'mapper x crashed', code: 'MapperCrashed' }, 62_000)
  assert.equal(crashed.stateCode, 'MapperCrashed')
  assert.equal(applyState(crashed, { state: 'online' }, 63_000).stateCode, undefined)
  assert.equal(applyState(offline, { state: 'offline', reason: 'no answer' }, 90_000), offline)
  assert.equal(applyState(offline, { state: 'unknown' }, 99_000).lastOnlineTime, '1970-01-01T00:01:01Z')
})

const names = fc.constantFrom('brightness', 'power', 'a', 'b')
const texts = fc.oneof(fc.nat(120).map(String), fc.string({ maxLength: 5, unit: 'grapheme' }))
const change: fc.Arbitrary<TwinChange> = fc.record(
  {
    ...{ expected: texts, actual: texts, optional: fc.boolean() },
    type: fc.constantFrom('int', 'string', 'float', 'boolean'),
  },
  { requiredKeys: [] },
)
type Deed = (twin: Twin, now: number) => Twin
const deeds: fc.Arbitrary<Deed> = fc.oneof(
  fc.array(fc.tuple(names, fc.option(change)), { maxLength: 3 }).map(
    (changes): Deed =>
      (twin, now) => {
        const request: TwinUpdate = { eventId: '', twin: new Map(changes) }
        const updated = applyUpdate(twin, request, TWIN_LIMITS, now)
        return updated.ok ? updated.twin : twin
      },
  ),
  fc.tuple(fc.integer({ min: 1, max: 5 }), fc.option(texts)).map(([generation, value]): Deed => {
    return (twin) => adopted(generation, value ?? undefined, twin)
  }),
  fc
    .tuple(names, fc.option(fc.nat(120).map(String)), fc.constantFrom('good', 'uncertain', 'bad'))
    .map(([property, value, quality]): Deed => {
      const reading = { property, sourceTime: 1, quality, ...(value === null ? {} : { value }) }
      return (twin, now) => applyReport(twin, { id: twin.id, readings: [reading], writes: [] }, TWIN_LIMITS, now)
    }),
)

test('whatever happens: revisions count changes, orders and delta agree, documents tell all, disk gives the same back', () => {
  fc.assert(
    fc.property(fc.array(deeds, { maxLength: 20 }), (history) => {
      let twin = adopted(1)
      for (const [index, deed] of history.entries()) {
        const before = twin
        const copy = structuredClone(before)
        twin = deed(before, index + 10)
        assert.deepEqual(before, copy, 'a twin is never edited')
        assert.equal(twin.revision, before.revision + (twin === before ? 0 : 1))
        if (twin !== before) assert.notDeepEqual({ ...twin, revision: 0 }, { ...before, revision: 0 })
        assert.deepEqual(parseTwin(JSON.stringify(twin)), twin)
        check(before, twin)
      }
    }),
  )
})

function check(before: Twin, twin: Twin): void {
  const orders = ordersOf(twin).properties
  const delta = deltaOf(twin)
  for (const [name, { value }] of Object.entries(orders)) if (value !== '') assert.equal(delta.get(name), value)
  for (const [name, property] of Object.entries(twin.properties)) {
    const { desired, reported, failure, modelType } = property
    assert.ok(!failure || failure.value === desired?.value, 'a failure is one of the present wish')
    if (delta.has(name)) assert.notEqual(reported?.value, desired?.value)
    if (delta.has(name) && modelType) assert.ok(orders[name])
    const old = before.properties[name]
    assert.ok((desired?.version.edge ?? 0) >= (desired && old?.desired ? old.desired.version.edge : 0))
  }
  const document = documentOf({ event_id: '', timestamp: 0 }, before, twin)
  const values = (of: Twin) =>
    JSON.stringify(Object.entries(of.properties).map(([n, p]) => [n, p.reported?.value, p.desired?.value]))
  if (values(before) !== values(twin) && Object.keys(before.properties).join() === Object.keys(twin.properties).join())
    assert.ok(document)
}
