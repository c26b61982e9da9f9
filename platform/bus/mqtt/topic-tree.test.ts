import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TopicTree } from './topic-tree.ts'

test('filters match as MQTT says', () => {
  const cases: readonly (readonly [filter: string, topic: string, matches: boolean])[] = [
    ['a/b', 'a/b', true],
    ['a/b', 'a', false],
    ['a/+', 'a/b', true],
    ['a/+', 'a', false],
    ['a/+', 'a/b/c', false],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['#', 'a/b', true],
    ['#', '$SYS/x', false],
    ['+/x', '$SYS/x', false],
    ['$SYS/#', '$SYS/x', true],
    ['$hw/events/device/+/+/twin/update', '$hw/events/device/default/lamp/twin/update', true],
  ]
  for (const [filter, topic, matches] of cases) {
    const tree = new TopicTree<string>()
    tree.add(filter, filter)
    assert.deepEqual(tree.match(topic), matches ? [filter] : [], `${filter} ${topic}`)
    assert.equal(tree.matches(topic), matches)
  }
})

test('what is added and removed again leaves the tree as it was', () => {
  const part = fc.constantFrom('a', 'b', '+', '$x', '')
  const filter = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
  fc.assert(
    fc.property(fc.array(filter), fc.array(filter), filter, (kept, gone, topic) => {
      const tree = new TopicTree<number>()
      const only = new TopicTree<number>()
      for (const [index, name] of kept.entries()) tree.add(name, index)
      for (const [index, name] of kept.entries()) only.add(name, index)
      for (const [index, name] of gone.entries()) tree.add(name, 1000 + index)
      for (const [index, name] of gone.entries()) assert.ok(tree.remove(name, 1000 + index))
      assert.deepEqual(tree.match(topic), only.match(topic))
      assert.equal(tree.matches(topic), only.match(topic).length > 0)
      assert.equal(tree.remove('no/such', 1), false)
    }),
  )
})
