import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatResource, NO_NAMESPACE, parseResource, stripNode, withNode } from './resource.ts'

const segment = fc.string({ minLength: 1 }).filter((text) => !text.includes('/'))
const path = fc.record(
  { namespace: segment, type: segment, name: fc.oneof(fc.constant(''), segment) },
  { noNullPrototype: true },
)

test('parsing what was formatted gives the same path', () => {
  fc.assert(fc.property(path, (resource) => assert.deepEqual(parseResource(formatResource(resource)), resource)))
})

test('the node is added inside the cloud and taken away on the wire', () => {
  fc.assert(
    fc.property(segment, path, (node, resource) => {
      const onWire = formatResource(resource)
      assert.equal(stripNode(withNode(node, onWire)), onWire)
    }),
  )
})

test('only a prefix that is a node’s is taken away', () => {
  assert.equal(stripNode('node'), 'node')
  assert.equal(stripNode('null/node/edge-1'), 'null/node/edge-1')
  assert.equal(stripNode('node/edge-1'), 'node/edge-1')
  assert.equal(stripNode('node/edge-1/membership'), 'membership')
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
