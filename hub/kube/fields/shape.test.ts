import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StructuralSchema } from '../resource.ts'
import { itemElement } from './shape.ts'

const listOf = (structure: string | undefined): StructuralSchema => ({
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name', 'port'],
  items: {
    type: 'object',
    properties: { name: { type: 'string' }, port: { type: 'integer' } },
    ...(structure === undefined ? {} : { 'x-skerry-type': structure }),
  },
})

test('keys that an item of a built-in list leaves out are empty ones, as Kubernetes reads them', () => {
  assert.equal(itemElement(listOf('io.k8s.api.core.v1.Container'), { image: 'web' }), 'k:{"name":"","port":0}')
})

test('an item without any key is none of its list where the keys may be absent', () => {
  assert.equal(itemElement(listOf('io.k8s.api.core.v1.ObjectReference'), { kind: 'Secret' }), undefined)
  assert.equal(itemElement(listOf(undefined), { image: 'web' }), undefined)
})
