import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BUILTIN_DEFINITIONS } from '../builtin/index.ts'
import type { ResourceDefinition } from '../resource.ts'
import { omitEmpty } from './omit-empty.ts'

const head = { apiVersion: 'v1', metadata: { name: 'one' } }

test('what is empty is left out of structures of Kubernetes, unless it says something there', () => {
  const pod = omitEmpty(builtinOf('Pod'), {
    ...head,
    kind: 'Pod',
    metadata: { name: 'one', annotations: {}, labels: { a: '' }, finalizers: [] },
    spec: {
      hostNetwork: false,
      nodeSelector: {},
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      securityContext: {},
      volumes: [{ name: 'scratch', emptyDir: {} }],
      containers: [{ name: '', command: [], env: [{ name: 'A', value: '' }], resources: { limits: {} } }],
    },
  })
  assert.deepEqual(pod, {
    ...head,
    kind: 'Pod',
    // The value of a label may be empty.
    metadata: { name: 'one', labels: { a: '' } },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      securityContext: {},
      volumes: [{ name: 'scratch', emptyDir: {} }],
      containers: [{ name: '', env: [{ name: 'A' }], resources: {} }],
    },
  })
})

test('fields that are always told stay, and what a schema of a custom kind declares as a value stays as it is', () => {
  const role = { ...head, apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', rules: [] }
  assert.equal(omitEmpty(builtinOf('Role'), role), role)
  const schema = {
    type: 'object',
    properties: { speed: { type: 'integer', default: 0, minimum: 0 }, on: { default: {} } },
  }
  const crd = {
    ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'a.b' } },
    spec: { versions: [{ name: 'v1', served: false, storage: true, schema: { openAPIV3Schema: schema } }] },
  }
  assert.equal(omitEmpty(builtinOf('CustomResourceDefinition'), crd), crd)
})

test('of a custom kind metadata alone is a structure of Kubernetes', () => {
  const object = {
    apiVersion: 'a.b/v1',
    kind: 'Pump',
    metadata: { name: 'one', labels: {} },
    spec: { tags: [], note: '' },
  }
  const definition = { schema: { type: 'object', properties: { spec: { type: 'object' } } } } as const
  assert.deepEqual(omitEmpty(definition, object), { ...object, metadata: { name: 'one' } })
})

function builtinOf(kind: string): ResourceDefinition {
  const found = BUILTIN_DEFINITIONS.find((each) => each.kind === kind)
  if (!found) throw new Error(`${kind} is not served`)
  return found
}
