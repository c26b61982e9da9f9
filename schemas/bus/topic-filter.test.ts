import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTopicFilter, isTopicName, matchesTopic } from './topic-filter.ts'

test('filters are told from what is none, and topics from filters', () => {
  for (const filter of ['a', 'a/b', '+', '#', 'a/+/b', 'a/#', '/', 'shop/lights/'])
    assert.ok(isTopicFilter(filter), filter)
  for (const wrong of ['', 'a#', 'a/#/b', 'a+/b', 'a\0', '\uD800', 'é'.repeat(40_000)]) {
    assert.ok(!isTopicFilter(wrong), wrong.slice(0, 9))
  }
  assert.ok(isTopicName('a/b'))
  assert.ok(!isTopicName('a/+'))
})

test('a filter covers what MQTT says', () => {
  for (const [filter, topic] of [
    ['a/#', 'a'],
    ['a/#', 'a/b/c'],
    ['+/b', 'a/b'],
    ['#', 'a/b'],
    ['a/+', 'a/'],
  ] as const) {
    assert.ok(matchesTopic(filter, topic), `${filter} ${topic}`)
  }
  for (const [filter, topic] of [
    ['a/+', 'a'],
    ['a', 'a/b'],
    ['#', '$hw/x'],
    ['+/x', '$hw/x'],
    ['a/#', 'ab'],
  ] as const) {
    assert.ok(!matchesTopic(filter, topic), `${filter} ${topic}`)
  }
})
