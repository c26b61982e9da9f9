import assert from 'node:assert/strict'
import { test } from 'node:test'
import { complaintOf } from './complaint.ts'
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

test('deeds of a history can be left out, and the rest is a history as well', async () => {
  const plan = planOf('1')
  const some = plan.filter((_, index) => index % 2 === 0)
  const [whole, once, again] = [await live('1'), await live('1', { plan: some }), await live('1', { plan: some })]
  assert.equal(once.hash, again.hash)
  assert.notEqual(once.hash, whole.hash)
})

test('a history that keeps all promises is not complained of', async () => {
  assert.equal(complaintOf(await live('1')), undefined)
})
