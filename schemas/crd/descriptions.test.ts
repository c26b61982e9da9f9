import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../device/index.ts'
import { crds } from './index.ts'

/** The API says itself what these are, of any kind. */
const OF_EVERY_OBJECT = ['apiVersion', 'kind', 'metadata']

test('every field of every version says what it is for, in whole sentences', () => {
  let count = 0
  for (const { spec } of crds) {
    for (const version of list(spec['versions'])) {
      const root = members(members(version['schema'])['openAPIV3Schema'])
      const place = `${members(spec['names'])['kind']} ${version['name']}`
      for (const [path, { description }] of fieldsOf(root)) {
        if (OF_EVERY_OBJECT.includes(path.slice(1))) continue
        count += 1
        assert.match(String(description ?? ''), /^\w.*\.$/, `${place}${path}`)
      }
    }
  }
  assert.ok(count > 250, `${count} fields`)
})

function fieldsOf(schema: JsonObject, path = ''): readonly (readonly [string, JsonObject])[] {
  const { properties, items, additionalProperties } = schema
  const fields = Object.entries(properties === undefined ? {} : members(properties)).map(
    ([name, field]) => [`${path}.${name}`, members(field)] as const,
  )
  const inner = [items, additionalProperties].flatMap((each) => (isObject(each) ? fieldsOf(each, `${path}[]`) : []))
  return [...fields, ...fields.flatMap(([below, field]) => fieldsOf(field, below)), ...inner]
}

function list(value: Json | undefined): readonly JsonObject[] {
  assert.ok(Array.isArray(value))
  return value.map(members)
}

function members(value: Json | undefined): JsonObject {
  assert.ok(isObject(value))
  return value
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
