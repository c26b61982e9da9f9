import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pumpDevice } from '../../testing/harness.ts'
import { DeviceView } from '../views/device-view.ts'
import { Remembered } from './remembered.ts'

test('what was made of the same parts is made once, also where it is nothing', () => {
  const last = new Remembered<object, number | undefined>()
  const [one, other, part] = [{}, {}, {}]
  let made = 0
  const of = (key: object, parts: readonly unknown[], value?: number) =>
    last.of(key, parts, () => {
      made++
      return value
    })
  assert.deepEqual([of(one, [part, 1]), of(one, [part, 1], 5)], [undefined, undefined])
  assert.equal(made, 1)
  assert.deepEqual([of(other, [part, 1], 7), of(one, [part, 1], 5)], [7, undefined])
  assert.deepEqual([of(one, [{}, 1], 5), of(one, [part, 1], 6)], [5, 6])
  assert.equal(made, 4)
})

test('everything that a report changes of a view is one of its parts', () => {
  const view = new DeviceView(pumpDevice('pump-1', '1'), undefined)
  const peer = { node: 'edge-1', session: 's', skerry: true, epoch: 'e' }
  const unconfirmed = { frame: { header: { msg_id: 'a', timestamp: 1 }, route: {}, content: null }, reply: () => {} }
  const at = { namespace: 'default', name: 'pump-1' }
  const before = view.parts
  const state = { event_id: '', timestamp: 1, device: { name: 'pump-1', state: 'online' }, skerry: { revision: 1 } }
  view.take({ ...at, kind: 'state', sync: state }, peer, unconfirmed)
  const between = view.parts
  assert.notDeepEqual(between, before)
  view.take({ ...at, kind: 'state', sync: { ...state, skerry: { revision: 1, reason: 'tired' } } }, peer, unconfirmed)
  assert.notDeepEqual(view.parts, between)
  const twin = { event_id: '', timestamp: 1, twin: { speed: { optional: true, actual: { value: '1' } } } }
  for (const value of ['1', '2']) {
    const known = view.parts
    const speed = { optional: true, actual: { value } }
    view.take({ ...at, kind: 'twin', sync: { ...twin, twin: { speed } } }, { ...peer, skerry: false }, unconfirmed)
    assert.ok(view.parts.some((part, place) => !Object.is(part, known[place])))
  }
})
