import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type PlainKind,
  parsePlainCall,
  parsePlainFilter,
  parsePlainSet,
  plainCallTopic,
  plainConflictTopic,
  plainDeviceTopic,
  plainPropertyTopic,
  plainSetTopic,
} from './plain-topics.ts'

const part = fc.constantFrom('default', 'plant', 'pump-1', 'set', 'conflict', 'result', 'twins')
const property = fc.oneof(
  fc.constantFrom('speed', 'set', 'conflict', 'a/b', '+', '#', '%', '%2F', 'set/result', 'two words', '/', 'é%'),
  fc.string({ minLength: 1, unit: 'grapheme' }),
  fc.string({ minLength: 1, unit: 'binary' }),
)

test('a property of any name has one level, and its set topic is read back to the same', () => {
  fc.assert(
    fc.property(part, part, property, (namespace, name, each) => {
      const id = `${namespace}/${name}`
      const topic = plainPropertyTopic(id, each)
      assert.ok(topic.startsWith(`${plainDeviceTopic(id)}/`))
      assert.equal(topic.split('/').length, 4)
      assert.doesNotMatch(topic, /[+#\0]/)
      assert.deepEqual(parsePlainSet(plainSetTopic(id, each)), { id, property: each })
      assert.deepEqual(parsePlainCall(plainCallTopic(id, each)), { id, method: each })
      for (const other of [topic, plainConflictTopic(id, each), `${plainSetTopic(id, each)}/result`]) {
        assert.equal(parsePlainSet(other), undefined, other)
        assert.equal(parsePlainCall(other), undefined, other)
      }
      assert.equal(parsePlainSet(plainCallTopic(id, each)), undefined)
    }),
  )
})

test('names are written as people would', () => {
  assert.equal(plainPropertyTopic('default/pump-1', 'flow rate (l/min)'), 'twins/default/pump-1/flow rate (l%2Fmin)')
  assert.deepEqual(parsePlainSet('twins/a/b/x%2fy/set'), { id: 'a/b', property: 'x/y' })
  for (const topic of [
    'twins/a/b/%/set',
    'twins/a/b/%zz/set',
    'twins/a/b/%FF/set',
    'twins/a//x/set',
    'twin/a/b/x/set',
  ]) {
    assert.equal(parsePlainSet(topic), undefined, topic)
  }
})

test('a filter says exactly what MQTT would match', () => {
  const level = fc.oneof(part, fc.constantFrom('+', 'speed', 'a%2Fb', 'a%2fb', '%', '', '$x'))
  const filters = fc
    .tuple(fc.array(level, { maxLength: 6 }), fc.boolean(), fc.constantFrom('twins', '+', 'other'))
    .map(([levels, isOpen, first]) => [first, ...levels, ...(isOpen ? ['#'] : [])].join('/'))
  const name = fc.constantFrom('speed', 'a/b', 'set', 'conflict')
  fc.assert(
    fc.property(fc.oneof(filters, fc.constant('#')), part, part, name, (filter, namespace, device, each) => {
      const id = `${namespace}/${device}`
      const parsed = parsePlainFilter(filter)
      const covers = (kind: PlainKind) =>
        parsed?.kinds.has(kind) === true &&
        (parsed.namespace ?? namespace) === namespace &&
        (parsed.name ?? device) === device &&
        (kind === 'device' || (parsed.property ?? each) === each)
      assert.equal(covers('device'), matches(filter, plainDeviceTopic(id)), `${filter} device`)
      assert.equal(covers('property'), matches(filter, plainPropertyTopic(id, each)), `${filter} property`)
      assert.equal(covers('conflict'), matches(filter, plainConflictTopic(id, each)), `${filter} conflict`)
    }),
    { numRuns: 2000 },
  )
})

/** MQTT 3.1.1 §4.7, for topics without `$`. */
function matches(filter: string, topic: string): boolean {
  const levels = topic.split('/')
  const wanted = filter.split('/')
  const fits = (count: number) => wanted.slice(0, count).every((each, index) => each === '+' || each === levels[index])
  if (wanted.at(-1) !== '#') return wanted.length === levels.length && fits(wanted.length)
  return levels.length >= wanted.length - 1 && fits(wanted.length - 1)
}
