import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createPatch } from 'rfc6902'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { applyJsonPatch } from './json-patch.ts'
import { applyMergePatch } from './merge-patch.ts'
import { PatchError } from './patch-error.ts'

test('a merge patch does what RFC 7386 appendix A shows', () => {
  const cases: readonly (readonly [Json, Json, Json])[] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ]
  for (const [value, patch, expected] of cases) assert.deepEqual(applyMergePatch(value, patch), expected)
})

const json = fc.jsonValue({ maxDepth: 3 }).map(toJson)
const documents = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__', 'x/y', '~'), json).map(toObject)

test('a merge patch applied twice is applied once', () => {
  fc.assert(
    fc.property(documents, documents, (value, patch) => {
      const once = applyMergePatch(value, patch)
      assert.deepEqual(applyMergePatch(once, patch), once)
    }),
  )
})

test('a JSON patch made from two documents leads from one to the other', () => {
  const plain = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'x/y', '~0'), safeJson()).map(toObject)
  fc.assert(
    fc.property(plain, plain, (from, to) => {
      const before = JSON.stringify(from)
      assert.deepEqual(applyJsonPatch(from, toJson(createPatch(from, to))), to)
      assert.equal(JSON.stringify(from), before)
    }),
  )
})

test('a JSON patch that does not apply says why, as an API server does', () => {
  const value = { a: { b: 1 }, list: [1] }
  const cases: readonly (readonly [Json, number, string])[] = [
    [{}, 400, 'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp'],
    [
      [{ op: 'remove', path: '/a/x' }],
      422,
      "error in remove for path: '/a/x': Unable to remove nonexistent key: x: missing value",
    ],
    [
      [{ op: 'replace', path: '/z', value: 1 }],
      422,
      'replace operation does not apply: doc is missing key: /z: missing value',
    ],
    [
      [{ op: 'add', path: '/x/y', value: 1 }],
      422,
      'add operation does not apply: doc is missing path: "/x/y": missing value',
    ],
    [[{ op: 'test', path: '/a/b', value: 2 }], 422, 'testing value /a/b failed: test failed'],
    [
      [{ op: 'move', from: '/q', path: '/a/c' }],
      422,
      'move operation does not apply: doc is missing from path: /q: missing value',
    ],
    [[{ op: 'move', from: '/a', path: '/a/c' }], 422, 'move operation does not apply: /a/c is inside of /a'],
    [
      [{ op: 'add', path: '/list/7', value: 1 }],
      422,
      'add operation does not apply: /list/7: invalid index referenced',
    ],
    [
      [{ op: 'add', path: '/list/01', value: 1 }],
      422,
      'add operation does not apply: /list/01: invalid index referenced',
    ],
    [[{ op: 'add', path: '/__proto__/x', value: 1 }], 422, '/__proto__/x names a member that is not allowed'],
    [[{ op: 'nope', path: '/a' }], 422, 'Unexpected kind: nope'],
    [[{ op: 'replace', path: '', value: 3 }], 422, 'the patched document is not an object'],
  ]
  for (const [patch, status, text] of cases) {
    assert.throws(
      () => applyJsonPatch(value, patch),
      (error) => {
        assert.ok(error instanceof PatchError)
        assert.deepEqual([error.status, error.text], [status, text])
        return true
      },
    )
  }
  assert.deepEqual(value, { a: { b: 1 }, list: [1] })
})

test('a test for null passes where there is nothing', () => {
  const patch = [
    { op: 'test', path: '/x', value: null },
    { op: 'add', path: '/x', value: 1 },
  ]
  assert.deepEqual(applyJsonPatch({}, patch), { x: 1 })
})

test('what a JSON patch may grow is bounded', () => {
  const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 1 }))
  assert.throws(() => applyJsonPatch({ a: 1 }, many), { status: 413 })
  const doubling = Array.from({ length: 60 }, (_, n) => ({ op: 'copy', from: '/a', path: `/a/k${n}` }))
  assert.throws(() => applyJsonPatch({ a: { text: 'x'.repeat(100) } }, doubling), { status: 413 })
})

test('a JSON patch makes nothing that is deeper than what may come in', () => {
  let nested: Json = 1
  for (let depth = 0; depth < 400; depth++) nested = { a: nested }
  const deepest = `/x${'/a'.repeat(399)}`
  const deeper: readonly Json[] = [
    [
      { op: 'add', path: '/x', value: nested },
      { op: 'copy', from: '/x', path: `${deepest}/a` },
    ],
    [
      { op: 'add', path: '/x', value: nested },
      { op: 'add', path: '/y', value: nested },
      { op: 'move', from: '/y', path: `${deepest}/a` },
    ],
    [
      { op: 'add', path: '/x', value: nested },
      { op: 'replace', path: `${deepest}/a`, value: nested },
    ],
  ]
  for (const patch of deeper) assert.throws(() => applyJsonPatch({}, patch), { status: 400 })
})

test('a test of a JSON patch takes no longer than a look at both lists', () => {
  const list = Array.from({ length: 20_000 }, (_, n) => n)
  const other = list.map((n) => n + 0.5)
  assert.deepEqual(applyJsonPatch({ list }, [{ op: 'test', path: '/list', value: list }]), { list })
  assert.throws(() => applyJsonPatch({ list }, [{ op: 'test', path: '/list', value: other }]), { status: 422 })
})

function safeJson(): fc.Arbitrary<Json> {
  return fc
    .jsonValue({ maxDepth: 3 })
    .map(toJson)
    .filter((value) => !/__proto__|constructor|prototype/.test(JSON.stringify(value)))
}

function toJson(value: unknown): Json {
  const copy: Json = JSON.parse(JSON.stringify(value))
  return copy
}

function toObject(value: unknown): JsonObject {
  const copy: JsonObject = JSON.parse(JSON.stringify(value))
  return copy
}
