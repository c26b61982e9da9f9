import assert from 'node:assert/strict'
import { test } from 'node:test'
import { live, planOf } from './history.ts'

test('a seed is one history: it happens twice in the same way, to the last frame', async () => {
  const hashes = new Set<string>()
  for (const seed of ['a', 'b', 'c', 'd', 'e']) {
    const [once, again] = [await live(seed), await live(seed, { keepsTrace: true })]
    assert.equal(once.hash, again.hash)
    assert.ok(again.trace.length > 100)
    hashes.add(once.hash)
  }
  assert.equal(hashes.size, 5)
})

test('deeds of a history can be left out, and the others stay what they are', () => {
  const plan = planOf('1')
  assert.deepEqual(plan.slice(1), planOf('1').slice(1))
  assert.ok(plan.length > 10)
})
