import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { decodeProtobuf, encodeProtobuf, ProtobufError } from './protobuf.ts'

/** Bodies that kubectl 1.32 sent for `kubectl create namespace|configmap|secret generic|serviceaccount`. */
const SENT: readonly (readonly [string, JsonObject])[] = [
  [
    'azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhwKFAoEc2hvcBIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==',
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' }, spec: {}, status: {} },
  ],
  [
    'azhzAAoPCgJ2MRIJQ29uZmlnTWFwEiQKEgoCY20SABoAIgAqADIAOABCABIGCgFhEgFiEgYKAWMSAWQaACIA',
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm' }, data: { a: 'b', c: 'd' } },
  ],
  [
    'azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoBcxIAGgAiACoAMgA4AEIAEgYKAXASAXEaABoAIgA=',
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { p: 'cQ==' } },
  ],
  [
    'azhzAAoUCgJ2MRIOU2VydmljZUFjY291bnQSFwoVCgVyb2JvdBIAGgAiACoAMgA4AEIAGgAiAA==',
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } },
  ],
]

test('what kubectl sends reads as the JSON it would have sent', () => {
  for (const [body, object] of SENT) assert.deepEqual(decodeProtobuf(Buffer.from(body, 'base64')), object)
})

test('zeros of optional fields survive, other zeros are nothing', () => {
  const options: ApiObject = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    metadata: {},
    gracePeriodSeconds: 0,
    orphanDependents: false,
    preconditions: { uid: 'u' },
    dryRun: ['All'],
  }
  assert.deepEqual(decodeProtobuf(encodeProtobuf(options)), options)
  const event: ApiObject = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' }, count: 0, reason: '' }
  assert.deepEqual(decodeProtobuf(encodeProtobuf(event)), { apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' } })
})

test('a share of pods that is none is not the same as one that nobody named', () => {
  const budget: ApiObject = {
    ...{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'b' } },
    ...{ spec: { maxUnavailable: 0 }, status: {} },
  }
  assert.deepEqual(decodeProtobuf(encodeProtobuf(budget)), budget)
  const least: ApiObject = { ...budget, spec: { minAvailable: 0 } }
  assert.deepEqual(decodeProtobuf(encodeProtobuf(least)), least)
  for (const [kind, field] of [
    ['Deployment', 'strategy'],
    ['DaemonSet', 'updateStrategy'],
  ] as const) {
    for (const rollingUpdate of [
      { maxUnavailable: 0, maxSurge: 1 },
      { maxUnavailable: 1, maxSurge: 0 },
    ]) {
      const spec = { [field]: { type: 'RollingUpdate', rollingUpdate } }
      const object: ApiObject = { apiVersion: 'apps/v1', kind, metadata: { name: 'web' }, spec }
      assert.deepEqual(decodeProtobuf(encodeProtobuf(object)), object)
    }
  }
  const service: ApiObject = {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' } },
    spec: { ports: [{ port: 80, targetPort: 0 }] },
  }
  const { spec } = decodeProtobuf(encodeProtobuf(service))
  assert.deepEqual(spec, { ports: [{ port: 80 }] }, 'that one is no pointer')
})

test('what Go holds inline, quantities, ports by name and raw JSON look as in JSON', () => {
  const container = {
    name: 'app',
    image: 'busybox',
    resources: { limits: { cpu: '500m' } },
    ports: [{ containerPort: 80 }],
    livenessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 5 },
    readinessProbe: { tcpSocket: { port: 80 } },
    env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'map', key: 'a', optional: false } } }],
    securityContext: { runAsUser: 0 },
  }
  const volumes = [{ name: 'data', configMap: { name: 'map', defaultMode: 420 } }]
  const deployment: ApiObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { volumes, containers: [container] } },
      strategy: { rollingUpdate: { maxUnavailable: '25%', maxSurge: 1 } },
    },
    status: {},
  }
  assert.deepEqual(decodeProtobuf(encodeProtobuf(deployment)), deployment)
  const revision: ApiObject = {
    ...{ apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata: { name: 'r' } },
    ...{ data: { spec: { template: {} } }, revision: 3 },
  }
  assert.deepEqual(decodeProtobuf(encodeProtobuf(revision)), revision)
  const review: ApiObject = {
    ...{ apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', metadata: {} },
    ...{ spec: { user: 'jane', extra: { scopes: ['a', 'b'] } }, status: {} },
  }
  assert.deepEqual(decodeProtobuf(encodeProtobuf(review)), review)
})

test('times, managed fields and owners come through', () => {
  const lease: ApiObject = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: 'edge-1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'edge-1', uid: 'u', controller: false }],
      managedFields: [{ manager: 'm', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': {} } }],
    },
    spec: { holderIdentity: '', leaseDurationSeconds: 40, renewTime: '2026-01-01T00:00:00.123456Z' },
  }
  assert.deepEqual(decodeProtobuf(encodeProtobuf(lease)), lease)
})

test('any ConfigMap comes back as it went', () => {
  const texts = fc.dictionary(
    fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
    fc.string(),
  )
  fc.assert(
    fc.property(texts, texts, fc.boolean(), (data, labels, immutable) => {
      const map: ApiObject = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'a', ...(Object.keys(labels).length > 0 ? { labels: { ...labels } } : {}) },
        ...(Object.keys(data).length > 0 ? { data: { ...data } } : {}),
        immutable,
      }
      assert.deepEqual(decodeProtobuf(encodeProtobuf(map)), map)
    }),
  )
})

test('other kinds are refused as unsupported, broken bodies as bad', () => {
  const refused = (status: number) => (error: unknown) => error instanceof ProtobufError && error.status === status
  const other: ApiObject = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: {} }
  assert.throws(() => encodeProtobuf(other), refused(415))
  const renamed = Buffer.from(encodeProtobuf({ ...other, apiVersion: 'v1', kind: 'Secret' }))
  renamed.write('Secrex', renamed.indexOf('Secret'))
  assert.throws(() => decodeProtobuf(renamed), refused(415))
  assert.throws(() => decodeProtobuf(Buffer.from('{"kind":"Pod"}')), refused(400))
  assert.throws(() => decodeProtobuf(Buffer.alloc(0)), refused(400))
})

test('no bytes do more than be refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeProtobuf(Buffer.concat([Buffer.from([0x6b, 0x38, 0x73, 0]), bytes]))
      } catch (error) {
        assert.ok(error instanceof ProtobufError)
      }
    }),
  )
})
