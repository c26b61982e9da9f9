import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BUILTIN_DEFINITIONS } from '../builtin/index.ts'
import type { ApiObject, ResourceDefinition } from '../resource.ts'
import { scaleOf, withReplicas } from './scale.ts'

const metadata = { name: 'web', namespace: 'default', uid: 'u', resourceVersion: '7', labels: { a: 'b' } }

function definitionOf(kind: string): ResourceDefinition {
  const found = BUILTIN_DEFINITIONS.find((each) => each.kind === kind)
  assert.ok(found)
  return found
}

test('the scale of a deployment tells both numbers and its selector as text', () => {
  const selector = {
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['b', 'a'] },
      { key: 'x', operator: 'DoesNotExist' },
    ],
  }
  const deployment: ApiObject = {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata },
    ...{ spec: { replicas: 3, selector }, status: { replicas: 2 } },
  }
  assert.deepEqual(scaleOf(definitionOf('Deployment'), deployment), {
    ...{ kind: 'Scale', apiVersion: 'autoscaling/v1' },
    metadata: { name: 'web', namespace: 'default', uid: 'u', resourceVersion: '7' },
    spec: { replicas: 3 },
    status: { replicas: 2, selector: 'app=web,tier in (a,b),!x' },
  })
})

test('a custom kind is scaled where its definition says', () => {
  const definition: ResourceDefinition = {
    ...definitionOf('Deployment'),
    custom: true,
    scale: { specReplicas: ['spec', 'size', 'count'], statusReplicas: ['status', 'n'], labelSelector: ['status', 's'] },
  }
  const object: ApiObject = {
    apiVersion: 'a/v1',
    kind: 'Ring',
    metadata,
    spec: { size: { unit: 'm' } },
    status: { s: 'a=b' },
  }
  assert.equal(scaleOf(definition, object), undefined)
  const scaled = withReplicas({ specReplicas: ['spec', 'size', 'count'], statusReplicas: [] }, object, 4)
  assert.deepEqual(scaled['spec'], { size: { unit: 'm', count: 4 } })
  assert.deepEqual(scaleOf(definition, scaled)?.['status'], { replicas: 0, selector: 'a=b' })
})

test('a kind without scale has none', () => {
  assert.equal(scaleOf(definitionOf('ConfigMap'), { apiVersion: 'v1', kind: 'ConfigMap', metadata }), undefined)
})
