import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { fieldErrorText } from '../schema/field-error.ts'
import { prepareForCreate, prepareForUpdate, validateBuiltin } from './rules.ts'

const KIND = { group: '', kind: 'Service' }

function service(spec: JsonObject): ApiObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec }
}

function errors(spec: JsonObject, old?: JsonObject): readonly string[] {
  const before = old && prepareForCreate(KIND, service(old))
  return validateBuiltin(KIND, prepareForCreate(KIND, service(spec)), before).map(fieldErrorText)
}

test('a service gets what its author leaves out', () => {
  const { spec, status } = prepareForCreate(KIND, service({ selector: { app: 'web' }, ports: [{ port: 80 }] }))
  assert.deepEqual(spec, {
    selector: { app: 'web' },
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    ...{ type: 'ClusterIP', sessionAffinity: 'None', internalTrafficPolicy: 'Cluster' },
    ...{ ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
  })
  assert.deepEqual(status, { loadBalancer: {} })
})

test('the address of a service stays what it is', () => {
  const ports = [{ port: 80 }]
  const old = prepareForCreate(KIND, service({ clusterIP: '10.96.0.7', ports }))
  const { spec } = prepareForUpdate(KIND, service({ ports: [{ port: 81 }] }), old)
  assert.deepEqual(Object(spec).clusterIPs, ['10.96.0.7'])
  assert.deepEqual(errors({ clusterIP: '10.96.0.8', ports }, { clusterIP: '10.96.0.7', ports }), [
    'spec.clusterIPs[0]: Invalid value: ["10.96.0.8"]: may not change once set',
  ])
})

test('what is wrong with a service is named', () => {
  assert.deepEqual(errors({}), ['spec.ports: Required value'])
  assert.deepEqual(errors({ clusterIP: 'None' }), [])
  assert.deepEqual(errors({ type: 'ExternalName' }), ['spec.externalName: Required value'])
  assert.deepEqual(errors({ type: 'Magic', ports: [{ port: 0, targetPort: 70_000 }] }), [
    'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
    'spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
  ])
  assert.deepEqual(errors({ ports: [{ port: 80 }, { port: 81, name: 'b' }] }), ['spec.ports[0].name: Required value'])
  const twice = [
    { port: 80, name: 'a' },
    { port: 81, name: 'a' },
  ]
  assert.deepEqual(errors({ ports: twice }), ['spec.ports[1].name: Duplicate value: "a"'])
})
