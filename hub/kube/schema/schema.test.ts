import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ApiObject, ResourceDefinition, StructuralSchema } from '../resource.ts'
import { applyDefaults, defaultValue } from './defaults.ts'
import { duplicateFields } from './duplicate-fields.ts'
import { fieldErrorText } from './field-error.ts'
import { prune } from './prune.ts'
import { validateObject, validateValue } from './validate.ts'

const spec: StructuralSchema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 2, maxLength: 4, pattern: '^[a-z]+$' },
    mode: { type: 'string', enum: ['A', 'B'], default: 'A' },
    count: { type: 'integer', minimum: 1, maximum: 9, multipleOf: 2 },
    ratio: { type: 'number', minimum: 0, exclusiveMinimum: true },
    port: { 'x-kubernetes-int-or-string': true },
    since: { type: 'string', format: 'date-time' },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set', maxItems: 3 },
    items: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string' }, n: { type: 'integer', default: 7 } },
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    },
    maybe: { type: 'string', nullable: true },
  },
}
const definition: Pick<ResourceDefinition, 'schema' | 'custom'> = {
  custom: true,
  schema: { type: 'object', properties: { metadata: { type: 'object' }, spec } },
}

function thing(body: ApiObject['metadata']): ApiObject {
  return { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'a' }, spec: body }
}

function errorsOf(body: ApiObject['metadata']): readonly string[] {
  return validateObject(definition, thing(body)).map(fieldErrorText)
}

test('each rule answers in the words of an API server', () => {
  const cases: readonly (readonly [ApiObject['metadata'], string])[] = [
    [{}, 'spec.name: Required value'],
    [{ name: 1 }, 'spec.name: Invalid value: "integer": spec.name in body must be of type string: "integer"'],
    [{ name: 'ab', mode: 'C' }, 'spec.mode: Unsupported value: "C": supported values: "A", "B"'],
    [{ name: 'a' }, 'spec.name: Invalid value: "a": spec.name in body should be at least 2 chars long'],
    [{ name: 'abcde' }, 'spec.name: Too long: may not be more than 4 bytes'],
    [{ name: 'A1' }, 'spec.name: Invalid value: "A1": spec.name in body should match \'^[a-z]+$\''],
    [{ name: 'ab', count: 0 }, 'spec.count: Invalid value: 0: spec.count in body should be greater than or equal to 1'],
    [{ name: 'ab', count: 10 }, 'spec.count: Invalid value: 10: spec.count in body should be less than or equal to 9'],
    [{ name: 'ab', count: 3 }, 'spec.count: Invalid value: 3: spec.count in body should be a multiple of 2'],
    [
      { name: 'ab', count: 2.5 },
      'spec.count: Invalid value: "number": spec.count in body must be of type integer: "number"',
    ],
    [{ name: 'ab', ratio: 0 }, 'spec.ratio: Invalid value: 0: spec.ratio in body should be greater than 0'],
    [
      { name: 'ab', port: true },
      'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
    ],
    [
      { name: 'ab', since: 'now' },
      'spec.since: Invalid value: "now": spec.since in body must be of type date-time: "now"',
    ],
    [
      { name: 'ab', labels: { a: 1 } },
      'spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type string: "integer"',
    ],
    [{ name: 'ab', tags: ['x', 'x'] }, 'spec.tags[1]: Duplicate value: "x"'],
    [{ name: 'ab', tags: ['1', '2', '3', '4'] }, 'spec.tags: Too many: 4: must have at most 3 items'],
    [{ name: 'ab', items: [{ name: 'x' }, { name: 'x' }] }, 'spec.items[1]: Duplicate value: {"name":"x"}'],
    [{ name: 'ab', items: [{}] }, 'spec.items[0].name: Required value'],
  ]
  for (const [body, text] of cases) assert.deepEqual(errorsOf(body), [text])
  assert.deepEqual(errorsOf({ name: 'ab', ratio: 1, port: 'http', maybe: null, count: 2, free: { a: [1] } }), [])
})

test('combinations of schemas constrain', () => {
  const either: StructuralSchema = {
    type: 'object',
    properties: { a: { type: 'string' }, b: { type: 'string' } },
    oneOf: [{ required: ['a'] }, { required: ['b'] }],
    not: { required: ['c'] },
  }
  const texts = (value: ApiObject['metadata']) => validateValue(either, value, 'spec').map(fieldErrorText)
  assert.deepEqual(texts({ a: 'x' }), [])
  assert.match(texts({})[0] ?? '', /must validate one and only one schema \(oneOf\). Found none valid/)
  assert.match(texts({ a: 'x', b: 'y' })[0] ?? '', /Found 2 valid alternatives/)
  assert.match(texts({ a: 'x', c: 1 })[0] ?? '', /must not validate the schema \(not\)/)
})

test('a hostile object gets a bounded answer', () => {
  const items = Array.from({ length: 5000 }, () => ({}))
  assert.equal(errorsOf({ name: 'ab', items }).length, 100)
})

test('unknown fields go and are named, preserved ones stay', () => {
  const { object, unknown } = prune(definition, {
    ...thing({ name: 'ab', foo: 1, free: { x: { y: 1 } }, items: [{ name: 'x', z: 1 }], labels: { any: 'key' } }),
    metadata: { name: 'a', colour: 'red' },
    extra: true,
  })
  assert.deepEqual([...unknown].sort(), ['extra', 'metadata.colour', 'spec.foo', 'spec.items[0].z'])
  assert.deepEqual(object['spec'], {
    name: 'ab',
    free: { x: { y: 1 } },
    items: [{ name: 'x' }],
    labels: { any: 'key' },
  })
  assert.deepEqual(object.metadata, { name: 'a' })
})

test('a key called __proto__ is data like any other', () => {
  const body: ApiObject['metadata'] = JSON.parse('{"name":"ab","labels":{"__proto__":"x"}}')
  const { object } = prune(definition, thing(body))
  assert.equal(JSON.stringify(object['spec']), '{"name":"ab","labels":{"__proto__":"x"}}')
})

test('a format that has the name of a method of objects is a description like any other', () => {
  for (const format of ['hasOwnProperty', 'constructor', '__proto__', '__defineGetter__']) {
    assert.deepEqual(validateValue({ type: 'string', format }, 'x', 'spec.a'), [], format)
  }
})

test('defaults fill gaps, and null means unset where null is not allowed', () => {
  const filled = applyDefaults(
    definition,
    thing({ name: 'ab', mode: null, maybe: null, count: null, items: [{ name: 'x' }] }),
  )
  assert.deepEqual(filled['spec'], { name: 'ab', mode: 'A', maybe: null, items: [{ name: 'x', n: 7 }] })
})

test('pruning and defaulting twice is the same as once', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const given = thing({ name: 'ab', free: { value: toJson(value) }, items: [{ name: 'x', extra: toJson(value) }] })
      const once = applyDefaults(definition, prune(definition, given).object)
      const twice = applyDefaults(definition, prune(definition, once).object)
      assert.deepEqual(twice, once)
      assert.deepEqual(prune(definition, once).unknown, [])
    }),
  )
})

test('what was defaulted keeps its default schema', () => {
  const schema: StructuralSchema = {
    type: 'object',
    properties: { a: { type: 'object', default: {}, properties: { b: { type: 'integer', default: 3 } } } },
  }
  assert.deepEqual(defaultValue(schema, {}), { a: { b: 3 } })
})

test('members that occur twice are named by their path', () => {
  assert.deepEqual(duplicateFields('{"a":1,"b":{"c":1,"c":2},"d":[{"e":1},{"e":1,"e":2}],"a":3}'), [
    'b.c',
    'd[1].e',
    'a',
  ])
  assert.deepEqual(duplicateFields('{"a":"{\\"a\\":1}","b":["a","a"],"c":"a"}'), [])
})

test('no text that JSON.stringify writes has a member twice', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => duplicateFields(JSON.stringify(value, null, 1)).length === 0))
})

function toJson(value: unknown): null | ApiObject['metadata'] {
  const copy: ApiObject['metadata'] = JSON.parse(JSON.stringify(value))
  return copy
}
