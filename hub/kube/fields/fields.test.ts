import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { resolveType } from '../builtin/resolve-type.ts'
import type { StructuralSchema } from '../resource.ts'
import { appliedError } from './check-applied.ts'
import { compareObjects } from './compare.ts'
import { fieldSetOf } from './extract.ts'
import { pathsOf } from './field-set.ts'
import { fromFieldsV1, toFieldsV1 } from './fields-v1.ts'
import { mergeObjects } from './merge.ts'
import { pathText } from './path-element.ts'
import { reconciled } from './reconcile.ts'
import { removeFields } from './remove.ts'

const text: StructuralSchema = { type: 'string' }
const schema: StructuralSchema = {
  type: 'object',
  properties: {
    name: text,
    labels: { type: 'object', additionalProperties: text },
    nested: { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'integer' } } },
    whole: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: text, b: text } },
    plain: { type: 'array', items: text },
    tags: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    ports: {
      type: 'array',
      items: {
        type: 'object',
        properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' }, name: text },
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
    },
    open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
}

const owned = (value: JsonObject) => toFieldsV1(fieldSetOf(schema, value))
const lines = (set: ReturnType<typeof fieldSetOf>) => pathsOf(set).map(pathText)

describe('the fields of a configuration', () => {
  const table: readonly (readonly [string, JsonObject, JsonObject])[] = [
    ['a scalar is a field', { name: 'x' }, { 'f:name': {} }],
    ['a named field with parts is owned by its parts alone', { nested: { a: 1 } }, { 'f:nested': { 'f:a': {} } }],
    ['an empty object is a field', { nested: {} }, { 'f:nested': {} }],
    ['an atomic object is one field', { whole: { a: '1' } }, { 'f:whole': {} }],
    ['a list without a type is one field', { plain: ['a'] }, { 'f:plain': {} }],
    ['each value of a set is a field', { tags: ['b', 'a'] }, { 'f:tags': { 'v:"a"': {}, 'v:"b"': {} } }],
    ['an empty set owns nothing', { tags: [] }, {}],
    ['the keys of a map are fields', { labels: { app: 'x' } }, { 'f:labels': { 'f:app': {} } }],
    [
      'an item is itself a field, and absent keys take their default',
      { ports: [{ port: 80, name: 'http' }] },
      {
        'f:ports': {
          'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {} },
        },
      },
    ],
    [
      'what no schema describes has fields, too',
      { open: { a: { b: [1] } } },
      { 'f:open': { 'f:a': { '.': {}, 'f:b': {} } } },
    ],
    ['null is a field', { nested: null }, { 'f:nested': {} }],
  ]
  for (const [title, value, fields] of table) {
    it(title, () => {
      assert.deepEqual(owned(value), fields)
    })
  }

  it('equal sets are written as one and the same object, in the order of Kubernetes', () => {
    const one = owned({ tags: ['b'], name: 'x', labels: { z: '1', a: '2' } })
    assert.equal(owned({ labels: { a: '3', z: '4' }, name: 'y', tags: ['b'] }), one)
    assert.equal(JSON.stringify(one), '{"f:labels":{"f:a":{},"f:z":{}},"f:name":{},"f:tags":{"v:\\"b\\"":{}}}')
  })

  it('steps that nobody knows are left out', () => {
    const set = fromFieldsV1({ 'f:a': {}, 'z:new': {}, '.': {}, 'k:no json': {}, 'i:3': {} })
    assert.deepEqual(lines(set), ['.a', '[3]'])
  })

  it('lists of Kubernetes are owned as its own types say', () => {
    const spec = {
      nodeSelector: { a: 'b' },
      containers: [{ name: 'c', ports: [{ containerPort: 80 }], env: [{ name: 'A', value: '1' }], args: ['x'] }],
    }
    assert.deepEqual(lines(fieldSetOf(resolveType('V1PodSpec'), spec)), [
      '.nodeSelector',
      '.containers[name="c"]',
      '.containers[name="c"].args',
      '.containers[name="c"].name',
      '.containers[name="c"].env[name="A"]',
      '.containers[name="c"].env[name="A"].name',
      '.containers[name="c"].env[name="A"].value',
      '.containers[name="c"].ports[containerPort=80,protocol="TCP"]',
      '.containers[name="c"].ports[containerPort=80,protocol="TCP"].containerPort',
    ])
  })
})

describe('the comparison of two states', () => {
  const compared = (before: JsonObject, after: JsonObject) => {
    const { added, modified, removed } = compareObjects(schema, before, after)
    return { added: lines(added), modified: lines(modified), removed: lines(removed) }
  }

  it('what is new is added with all above it', () => {
    assert.deepEqual(compared({}, { labels: { a: '1' }, nested: { a: 1 } }).added, [
      '.labels',
      '.nested',
      '.labels.a',
      '.nested.a',
    ])
  })

  it('of maps and lists it sees the parts, of atomic ones the whole', () => {
    const before = { labels: { a: '1', b: '1' }, whole: { a: '1' }, plain: ['x'], tags: ['a', 'b'] }
    const after = { labels: { a: '2', c: '1' }, whole: { a: '2' }, plain: ['y'], tags: ['b', 'c'] }
    assert.deepEqual(compared(before, after), {
      added: ['.labels.c', '.tags[="c"]'],
      modified: ['.plain', '.whole', '.labels.a'],
      removed: ['.labels.b', '.tags[="a"]'],
    })
  })

  it('the order of a keyed list is no change, items that occur twice are compared as a whole', () => {
    const [a, b] = [
      { port: 1, name: 'a' },
      { port: 2, name: 'b' },
    ]
    assert.deepEqual(compared({ ports: [a, b] }, { ports: [b, a] }), { added: [], modified: [], removed: [] })
    assert.deepEqual(compared({ ports: [a] }, { ports: [a, { ...a, name: 'c' }] }).added, [
      '.ports[port=1,protocol="TCP"]',
    ])
    assert.deepEqual(compared({ ports: [a, a] }, { ports: [a, b, b] }).removed, ['.ports[port=1,protocol="TCP"]'])
  })
})

describe('a configuration over a live object', () => {
  it('keeps the rest, unites sets, replaces atomics and merges items by their keys', () => {
    const live = {
      name: 'x',
      labels: { a: '1' },
      whole: { a: '1', b: '2' },
      tags: ['a'],
      ports: [{ port: 1, name: 'n' }],
    }
    const applied = { labels: { b: '2' }, whole: { a: '3' }, tags: ['b'], ports: [{ port: 1, protocol: 'TCP' }] }
    assert.deepEqual(mergeObjects(schema, live, applied), {
      name: 'x',
      labels: { a: '1', b: '2' },
      whole: { a: '3' },
      tags: ['a', 'b'],
      ports: [{ port: 1, name: 'n', protocol: 'TCP' }],
    })
  })

  const orders: readonly (readonly [string, string, string])[] = [
    ['abc', 'cba', 'cba'],
    ['abc', 'bd', 'abcd'],
    ['axb', 'ba', 'xba'],
    ['ab', 'xaby', 'xaby'],
    ['pq', 'rs', 'pqrs'],
    ['abcd', 'da', 'bcda'],
  ]
  for (const [live, applied, expected] of orders) {
    it(`items of "${live}" and "${applied}" stand as "${expected}"`, () => {
      assert.deepEqual(mergeObjects(schema, { tags: [...live] }, { tags: [...applied] }), { tags: [...expected] })
    })
  }

  it('without some fields keeps what only had parts, empty', () => {
    const value = { name: 'x', nested: { a: 1 }, ports: [{ port: 1, name: 'n' }, { port: 2 }] }
    const gone = fromFieldsV1({
      'f:nested': { 'f:a': {} },
      'f:ports': { 'k:{"port":2,"protocol":"TCP"}': {}, 'k:{"port":1,"protocol":"TCP"}': { 'f:name': {} } },
    })
    assert.deepEqual(removeFields(schema, value, gone), { name: 'x', nested: {}, ports: [{ port: 1 }] })
  })
})

describe('what cannot be applied', () => {
  const table: readonly (readonly [JsonObject, string])[] = [
    [{ colour: 'red' }, '.colour: field not declared in schema'],
    [{ nested: { a: 'one' } }, '.nested.a: expected numeric (int or float), got string'],
    [{ tags: ['a', 'a'] }, '.tags: duplicate entries for key [="a"]'],
    [{ labels: 'x' }, '.labels: expected map, got &{x}'],
    [{ plain: { a: 1 } }, '.plain: expected list, got &{map[a:1]}'],
    [
      { name: 1, nested: { a: 'x' } },
      'errors:\n  .name: expected string, got &value.valueUnstructured{Value:1}\n  .nested.a: expected numeric (int or float), got string',
    ],
  ]
  for (const [value, expected] of table) {
    it(`says ${JSON.stringify(expected)}`, () => {
      assert.equal(appliedError(schema, value), expected)
    })
  }

  it('is nothing that the schema knows', () => {
    assert.equal(
      appliedError(schema, { name: 'x', ports: [{ port: 1 }], open: { a: [{ b: 1 }] }, nested: null }),
      undefined,
    )
  })
})

describe('a schema that changed', () => {
  it('makes the owner of parts the owner of what is atomic by now', () => {
    const before = fromFieldsV1({ 'f:whole': { 'f:a': {} }, 'f:labels': { 'f:x': {} }, 'f:plain': { 'v:"a"': {} } })
    assert.deepEqual(toFieldsV1(reconciled(schema, before)), {
      'f:labels': { 'f:x': {} },
      'f:plain': {},
      'f:whole': {},
    })
  })
})
