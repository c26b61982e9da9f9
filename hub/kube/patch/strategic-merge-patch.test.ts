import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../../../schemas/index.ts'
import type { StructuralSchema } from '../resource.ts'
import { applyStrategicMergePatch } from './strategic-merge-patch.ts'

const byName = { 'x-kubernetes-patch-strategy': 'merge', 'x-kubernetes-patch-merge-key': 'name' } as const
const text: StructuralSchema = { type: 'string' }
const variable: StructuralSchema = { type: 'object', properties: { name: text, value: text } }
const schema: StructuralSchema = {
  type: 'object',
  properties: {
    containers: {
      type: 'array',
      ...byName,
      items: {
        type: 'object',
        properties: {
          name: text,
          image: text,
          env: { type: 'array', ...byName, items: variable },
          args: { type: 'array', items: text },
        },
      },
    },
    volumes: {
      type: 'array',
      'x-kubernetes-patch-strategy': 'merge,retainKeys',
      'x-kubernetes-patch-merge-key': 'name',
      items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
    finalizers: { type: 'array', items: text, 'x-kubernetes-patch-strategy': 'merge' },
    whole: { type: 'object', 'x-kubernetes-patch-strategy': 'replace', properties: { a: text, b: text } },
    labels: { type: 'object', additionalProperties: text },
  },
}

const pod: JsonObject = {
  containers: [
    {
      name: 'a',
      image: 'a:1',
      env: [
        { name: 'X', value: '1' },
        { name: 'Y', value: '2' },
      ],
      args: ['one', 'two'],
    },
    { name: 'b', image: 'b:1' },
  ],
  volumes: [{ name: 'v', emptyDir: {} }],
  finalizers: ['f1', 'f2'],
  whole: { a: '1', b: '2' },
  labels: { x: '1', y: '2' },
}

function patched(patch: JsonObject): JsonObject {
  return applyStrategicMergePatch(schema, pod, patch)
}

test('items of a merged list are found by their key', () => {
  const containers = patched({
    containers: [
      { name: 'b', image: 'b:2' },
      { name: 'c', image: 'c:1' },
    ],
  })['containers']
  assert.deepEqual(containers, [
    {
      name: 'a',
      image: 'a:1',
      env: [
        { name: 'X', value: '1' },
        { name: 'Y', value: '2' },
      ],
      args: ['one', 'two'],
    },
    { name: 'b', image: 'b:2' },
    { name: 'c', image: 'c:1' },
  ])
})

test('lists inside of items merge too, atomic lists are replaced', () => {
  const patch = { containers: [{ name: 'a', env: [{ name: 'Y', value: '3' }], args: ['three'] }] }
  const [first] = listOf(patched(patch)['containers'])
  assert.deepEqual(first, {
    name: 'a',
    image: 'a:1',
    env: [
      { name: 'X', value: '1' },
      { name: 'Y', value: '3' },
    ],
    args: ['three'],
  })
})

test('$patch deletes an item, replaces a list, replaces or empties an object', () => {
  assert.deepEqual(patched({ containers: [{ name: 'a', $patch: 'delete' }] })['containers'], [
    { name: 'b', image: 'b:1' },
  ])
  const replaced = patched({ containers: [{ name: 'z', image: 'z' }, { $patch: 'replace' }] })
  assert.deepEqual(replaced['containers'], [{ name: 'z', image: 'z' }])
  assert.deepEqual(patched({ labels: { $patch: 'replace', z: '1' } })['labels'], { z: '1' })
  assert.deepEqual(patched({ labels: { $patch: 'delete' } })['labels'], {})
  assert.throws(() => patched({ labels: { $patch: 'explode' } }), {
    status: 500,
    text: 'unknown patch type: explode in map: map[$patch:explode]',
  })
})

test('null deletes a field and is nothing where there is none', () => {
  assert.deepEqual(patched({ labels: { x: null, q: null, z: '3' } })['labels'], { y: '2', z: '3' })
  assert.equal(Object.hasOwn(patched({ finalizers: null }), 'finalizers'), false)
})

test('primitive lists grow by what they lack and shrink by $deleteFromPrimitiveList', () => {
  assert.deepEqual(patched({ finalizers: ['f2', 'f3'] })['finalizers'], ['f1', 'f2', 'f3'])
  assert.deepEqual(patched({ '$deleteFromPrimitiveList/finalizers': ['f1'] })['finalizers'], ['f2'])
})

test('$setElementOrder orders, and keeps what only the server has in its place', () => {
  const patch = {
    '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }],
    containers: [{ name: 'c', image: 'c:1' }],
  }
  assert.deepEqual(namesOf(patched(patch)['containers']), ['c', 'a', 'b'])
  assert.deepEqual(patched({ '$setElementOrder/finalizers': ['f2', 'f1'] })['finalizers'], ['f2', 'f1'])
})

test('$retainKeys drops the other members of a union', () => {
  const patch = { volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'cm' } }] }
  assert.deepEqual(patched(patch)['volumes'], [{ name: 'v', configMap: { name: 'cm' } }])
  assert.throws(() => patched({ volumes: [{ name: 'v', $retainKeys: ['name'], secret: {} }] }), { status: 400 })
})

test('the strategy "replace" replaces an object', () => {
  assert.deepEqual(patched({ whole: { a: '9' } })['whole'], { a: '9' })
})

test('an item without its key is refused', () => {
  assert.throws(() => patched({ containers: [{ image: 'x' }] }), { status: 422 })
})

test('a patch of plain values applied twice is applied once, and what it names is then so', () => {
  const item = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), image: fc.string() })
  const containers = fc.uniqueArray(item, { selector: ({ name }) => name })
  fc.assert(
    fc.property(containers, fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.string()), (wanted, labels) => {
      const patch: JsonObject = { containers: wanted, labels: { ...labels } }
      const once = patched(patch)
      assert.deepEqual(applyStrategicMergePatch(schema, once, patch), once)
      for (const { name, image } of wanted) {
        const found = listOf(once['containers']).find((each) => each['name'] === name)
        assert.equal(found?.['image'], image)
      }
    }),
  )
})

function listOf(value: unknown): readonly JsonObject[] {
  const copy: readonly JsonObject[] = JSON.parse(JSON.stringify(value))
  return copy
}

function namesOf(value: unknown): readonly unknown[] {
  return listOf(value).map((each) => each['name'])
}

test('long lists are merged, ordered and shortened in time that grows with their length', () => {
  const names = Array.from({ length: 20_000 }, (_, n) => `f${n}`)
  const before = { finalizers: names, containers: names.map((name) => ({ name })) }
  const last = names.toReversed()
  const patch = {
    finalizers: names.map((name) => `${name}x`),
    '$deleteFromPrimitiveList/finalizers': names.slice(1),
    '$setElementOrder/finalizers': names.map((name) => `${name}x`),
    containers: last.map((name) => ({ name, image: 'i' })),
    '$setElementOrder/containers': last.map((name) => ({ name })),
  }
  const { finalizers, containers } = applyStrategicMergePatch(schema, before, patch)
  assert.deepEqual(finalizers, [...names.map((name) => `${name}x`), 'f0'])
  assert.deepEqual(
    containers,
    last.map((name) => ({ name, image: 'i' })),
  )
})
