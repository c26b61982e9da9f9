import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { connect, publish, subscribe } from '../testing/bytes.ts'
import { checkPacket, isTopicFilter } from './check-packet.ts'
import { encodePublish, encodeSubscribe } from './encode.ts'

test('no bytes whatever make the check throw', () => {
  const bytes = fc.uint8Array({ maxLength: 60 })
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 5 }), (some, start) => {
      checkPacket(Buffer.from(some), start)
    }),
    { numRuns: 2000 },
  )
})

test('a sound packet cut short anywhere is unsound', () => {
  const sound = [
    connect({ id: 'x', will: { topic: 'w', payload: 'p' } }),
    subscribe(1, ['a/+', 1]),
    publish('a', '', { qos: 1 }),
  ]
  for (const packet of sound) {
    assert.equal(checkPacket(packet, 2), undefined)
    for (let length = 2; length < packet.length; length++) {
      assert.notEqual(checkPacket(packet.subarray(0, length), 2), undefined, `${packet.toString('hex')} at ${length}`)
    }
  }
})

test('what is encoded for clients is sound, and the same as made by hand', () => {
  const payload = Buffer.from('hello')
  for (const qos of [0, 1, 2] as const) {
    const made = encodePublish({ topic: 'ä/b', payload, qos, retain: true, isRepeated: qos > 0, packetId: 700 })
    assert.deepEqual(made, publish('ä/b', payload, { qos, id: 700, retain: true, dup: qos > 0 }))
  }
  for (const size of [0, 120, 121, 16_300, 20_000, 2_097_152]) {
    const made = encodePublish({ topic: 'a/b', payload: Buffer.alloc(size), qos: 1, retain: false, packetId: 1 })
    assert.deepEqual(made, publish('a/b', Buffer.alloc(size), { qos: 1, id: 1 }))
  }
  assert.deepEqual(
    encodeSubscribe(9, [
      ['a', 0],
      ['b/#', 2],
    ]),
    subscribe(9, ['a', 0], ['b/#', 2]),
  )
})

test('a filter has wildcards for whole levels only, # at the end', () => {
  for (const filter of ['a', '/', '+', '#', '+/#', 'a/+/b', '$x/#', ' ']) assert.ok(isTopicFilter(filter), filter)
  for (const filter of ['', 'a#', 'a+', '#/a', 'a/#/b', '++', 'a/b+']) assert.ok(!isTopicFilter(filter), filter)
})
