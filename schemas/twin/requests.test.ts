import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodePlainRequest, decodeStateUpdate, decodeTwinUpdate } from './requests.ts'

const bytes = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))

test('keys match in any case, names of twins do not change', () => {
  const decoded = decodeTwinUpdate(
    bytes('{"EVENT_ID":"e","Twin":{"Temp":{"ACTUAL":{"Value":"1","metaData":{"TimeStamp":9}},"Optional":false}}}'),
  )
  assert.ok(decoded.ok)
  assert.equal(decoded.value.eventId, 'e')
  assert.deepEqual([...decoded.value.twin], [['Temp', { actual: '1', actualTime: 9, optional: false }]])
})

test('null is an absent field, and a null twin a deletion', () => {
  const twin = { a: null, b: { expected: null, actual: { value: '1' }, metadata: null, optional: null } }
  const decoded = decodeTwinUpdate(bytes({ event_id: null, twin }))
  assert.ok(decoded.ok)
  assert.deepEqual(
    [...decoded.value.twin],
    [
      ['a', null],
      ['b', { actual: '1' }],
    ],
  )
})

test('a refusal keeps the event id as far as it could be read', () => {
  const cases: readonly (readonly [unknown, string])[] = [
    ['{', ''],
    ['5', ''],
    ['[]', ''],
    [{ event_id: 5, twin: {} }, ''],
    [{ event_id: 'e' }, 'e'],
    [{ event_id: 'e', twin: { a: { actual: {} } } }, 'e'],
    [{ event_id: 'e', twin: { a: { actual: { value: 5 } } } }, 'e'],
    [{ event_id: 'e', twin: { a: { optional: 'yes' } } }, 'e'],
    [{ event_id: 'e', twin: { a: { metadata: { type: 1 } } } }, 'e'],
    [{ event_id: 'e', twin: { '': {} } }, 'e'],
    [{ event_id: 'e', twin: { 'a\nb': {} } }, 'e'],
    ['{"event_id":"e","twin":{"__proto__":{}}}', 'e'],
  ]
  for (const [payload, eventId] of cases) {
    const decoded = decodeTwinUpdate(bytes(payload))
    assert.ok(!decoded.ok && decoded.eventId === eventId && decoded.reason !== '', JSON.stringify(payload))
  }
  assert.ok(!decodeTwinUpdate(new Uint8Array([0x22, 0xff, 0x22])).ok)
  assert.ok(!decodeStateUpdate(bytes({ event_id: 's' })).ok)
})

test('an empty payload asks as well as an empty object', () => {
  for (const payload of ['', '{}'])
    assert.deepEqual(decodePlainRequest(bytes(payload)), { ok: true, value: { eventId: '' } })
})

test('no payload makes a decoder throw', () => {
  const deep = '['.repeat(50_000)
  for (const decode of [decodeTwinUpdate, decodeStateUpdate, decodePlainRequest]) {
    assert.equal(decode(bytes(deep)).ok, false)
    fc.assert(fc.property(fc.uint8Array(), (payload) => typeof decode(payload).ok === 'boolean'))
    fc.assert(fc.property(fc.json(), (payload) => typeof decode(bytes(payload)).ok === 'boolean'))
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (twin) => {
        return typeof decode(bytes({ event_id: 'e', state: twin, twin })).ok === 'boolean'
      }),
    )
  }
})
