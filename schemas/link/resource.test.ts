import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { NO_NAMESPACE, parseResource } from './resource.ts'

const segment = fc.string({ minLength: 1 }).filter((text) => !text.includes('/'))
const path = fc.record(
  { namespace: segment, type: segment, name: fc.oneof(fc.constant(''), segment) },
  { noNullPrototype: true },
)

test('parsing what was joined gives the same path', () => {
  fc.assert(
    fc.property(path, (resource) => {
      const { namespace, type, name } = resource
      assert.deepEqual(parseResource([namespace, type, ...(name === '' ? [] : [name])].join('/')), resource)
    }),
  )
})

test('cluster-scoped kinds have the namespace null, and a list has no name', () => {
  assert.deepEqual(parseResource('null/node/edge-1'), { namespace: NO_NAMESPACE, type: 'node', name: 'edge-1' })
  assert.deepEqual(parseResource('default/podlist'), { namespace: 'default', type: 'podlist', name: '' })
})

test('what is no resource is undefined', () => {
  for (const text of [undefined, '', 'node', '/type/name', 'ns//name', 'ns/type/']) {
    assert.equal(parseResource(text), undefined, String(text))
  }
})
