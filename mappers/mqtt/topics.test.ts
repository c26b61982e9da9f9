import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TopicTree } from './topic-tree.ts'
import { fillTopic, isOfEdge, refuseTopic } from './topics.ts'

const scope = { deviceId: 'plant/a', property: 'speed', base: 'v1/{namespace}/{serial}', variables: { serial: 'X9' } }

test('placeholders stand for the device, its property, its base and its own words', () => {
  assert.equal(fillTopic('{base}/{device}/{property}', scope), 'v1/plant/X9/a/speed')
  assert.equal(fillTopic('a/{ x }/{}/{"b": 1}', scope), 'a/{ x }/{}/{"b": 1}')
  assert.throws(() => fillTopic('{toString}', scope), /\{toString\} is no placeholder: name it in variables/)
})

test('filters and names are told apart, and so are topics of the edge', () => {
  for (const topic of ['a/+/b', '#', '+', 'a/#', '/']) assert.equal(refuseTopic(topic, 'filter'), undefined, topic)
  for (const topic of ['', 'a#', 'a/#/b', 'a+/b', 'a\0'])
    assert.notEqual(refuseTopic(topic, 'filter'), undefined, topic)
  for (const topic of ['a/+', '#']) assert.notEqual(refuseTopic(topic, 'name'), undefined, topic)
  for (const topic of ['$hw/x', 'twins/a/b', 'twins/#', 'SYS/dis/upload_records']) assert.ok(isOfEdge(topic), topic)
  for (const topic of ['twinsx/a', 'home/twins', '#']) assert.ok(!isOfEdge(topic), topic)
})

test('a topic finds exactly the filters that match it, and none after they were removed', () => {
  const level = fc.constantFrom('a', 'b', '', '$x')
  const filter = fc
    .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([levels, isOpen]) => [...levels, ...(isOpen ? ['#'] : [])].join('/'))
  const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
  fc.assert(
    fc.property(fc.uniqueArray(filter, { maxLength: 20 }), topic, (filters, name) => {
      const tree = new TopicTree<string>()
      for (const each of filters) tree.add(each, each)
      assert.deepEqual([...tree.match(name)].sort(), filters.filter((each) => isMatch(each, name)).sort())
      for (const each of filters) tree.remove(each, each)
      assert.deepEqual(tree.match(name), [])
    }),
  )
})

/** MQTT 3.1.1 §4.7, word by word. */
function isMatch(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false
  const pattern = filter
    .split('/')
    .map((level) => (level === '+' ? '[^/]*' : level.replaceAll('$', '\\$')))
    .join('/')
  const open = pattern.replace(/(^|\/)#$/, (_all, slash: string) => (slash === '' ? '.*' : '(/.*)?'))
  return new RegExp(`^${open}$`, 's').test(topic)
}
