import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sameJson } from './same-json.ts'

/** The same with the keys of each object the other way round, and with fields that are undefined. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, each]) => [key, turned(each)] as const)
  return Object.fromEntries([...entries.reverse(), ['absent', undefined]])
}

test('JSON is the same whatever the order of its keys, and fields that are undefined are none', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (one, other) => {
      assert.equal(sameJson(one, turned(one)), true)
      assert.equal(sameJson(turned(one), one), true)
      assert.equal(sameJson(one, other), isDeepEqual(one, other))
    }),
  )
  assert.equal(sameJson({ a: undefined, b: 1 }, { b: 1 }), true)
  assert.equal(sameJson({ a: undefined }, { b: undefined }), true)
  assert.equal(sameJson({ a: 1 }, { a: 1, b: 2 }), false)
  assert.equal(sameJson({ a: 1, b: 2 }, { a: 1, c: 2 }), false)
  assert.equal(sameJson([1], { 0: 1 }), false)
  assert.equal(sameJson(null, {}), false)
})

function isDeepEqual(one: unknown, other: unknown): boolean {
  try {
    assert.deepEqual(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other)))
    return true
  } catch {
    return false
  }
}
