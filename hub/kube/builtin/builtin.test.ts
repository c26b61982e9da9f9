import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { applyStrategicMergePatch } from '../patch/index.ts'
import type { ApiObject, ResourceDefinition } from '../resource.ts'
import { at, decodingError, fieldErrorText, prune, validateObject } from '../schema/index.ts'
import { convertBuiltin } from './convert-event.ts'
import { BUILTIN_DEFINITIONS } from './definitions.ts'
import { prepareForCreate, prepareForUpdate, validateBuiltin } from './rules.ts'

test('a namespace gets its label, its finalizer and its phase', () => {
  const created = prepareForCreate(of('Namespace'), object('Namespace', {}))
  assert.deepEqual(at(created, 'metadata', 'labels'), { 'kubernetes.io/metadata.name': 'a' })
  assert.deepEqual(created['spec'], { finalizers: ['kubernetes'] })
  assert.deepEqual(created['status'], { phase: 'Active' })
  const updated = prepareForUpdate(of('Namespace'), { ...created, spec: { finalizers: [] } }, created)
  assert.deepEqual(updated['spec'], { finalizers: ['kubernetes'] })
})

test('stringData of a secret becomes data', () => {
  const secret = object('Secret', { data: { a: 'MQ==', b: 'Mg==' }, stringData: { b: 'three' } })
  const created = prepareForCreate(of('Secret'), secret)
  assert.deepEqual(created['data'], { a: 'MQ==', b: 'dGhyZWU=' })
  assert.equal(created['type'], 'Opaque')
  assert.equal(Object.hasOwn(created, 'stringData'), false)
})

test('a pod is filled in as Kubernetes fills it in', () => {
  const spec = {
    containers: [
      {
        name: 'a',
        image: 'registry:5000/app',
        ports: [{ containerPort: 80 }],
        livenessProbe: { httpGet: { port: 80 } },
        resources: { limits: { cpu: 1 } },
        env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
      },
      { name: 'b', image: 'app@sha256:0' },
    ],
    volumes: [{ name: 'v' }, { name: 'c', configMap: { name: 'm' } }],
    serviceAccountName: 'robot',
  }
  const pod = prepareForCreate(of('Pod'), object('Pod', { spec, status: { phase: 'Running' } }))
  assert.deepEqual(at(pod, 'spec'), {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
    priority: 0,
    serviceAccountName: 'robot',
    serviceAccount: 'robot',
    containers: [
      {
        name: 'a',
        image: 'registry:5000/app',
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        livenessProbe: {
          httpGet: { path: '/', scheme: 'HTTP', port: 80 },
          timeoutSeconds: 1,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        },
        resources: { limits: { cpu: '1' }, requests: { cpu: '1' } },
        env: [{ name: 'IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } }],
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        imagePullPolicy: 'Always',
      },
      {
        name: 'b',
        image: 'app@sha256:0',
        resources: {},
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        imagePullPolicy: 'IfNotPresent',
      },
    ],
    volumes: [
      { name: 'v', emptyDir: {} },
      { name: 'c', configMap: { name: 'm', defaultMode: 420 } },
    ],
  })
  assert.deepEqual(pod['status'], { phase: 'Pending', qosClass: 'Burstable' })
  assert.deepEqual(prepareForUpdate(of('Pod'), pod, pod), pod)
})

test('what is wrong with an object of a built-in kind is named', () => {
  const container = { name: 'a', image: 'i' }
  const cases: readonly (readonly [string, JsonObject, string])[] = [
    ['ConfigMap', { data: { 'a b': '1' } }, 'data[a b]: Invalid value: "a b": a valid config key must consist of'],
    ['ConfigMap', { data: { a: '1' }, binaryData: { a: 'MQ==' } }, 'data[a]: Invalid value: "a": duplicate of key'],
    ['Secret', { type: 'kubernetes.io/tls', data: { 'tls.crt': '' } }, 'data[tls.key]: Required value'],
    ['Pod', {}, 'spec.containers: Required value'],
    ['Pod', { spec: { containers: [] } }, 'spec.containers: Required value'],
    ['Pod', { spec: { containers: [{ name: 'a' }] } }, 'spec.containers[0].image: Required value'],
    ['Pod', { spec: { containers: [{ image: 'i' }] } }, 'spec.containers[0].name: Required value'],
    ['Pod', { spec: { containers: [container, container] } }, 'spec.containers[1]: Duplicate value: {"name":"a"}'],
    [
      'Pod',
      { spec: { containers: [container], restartPolicy: 'Often' } },
      'spec.restartPolicy: Unsupported value: "Often"',
    ],
    [
      'Pod',
      { spec: { containers: [{ ...container, volumeMounts: [{ name: 'v', mountPath: '/v' }] }] } },
      'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ],
    [
      'Lease',
      { spec: { leaseDurationSeconds: 0 } },
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
    ],
    [
      'Event',
      { involvedObject: { namespace: 'other' } },
      'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
    ],
    [
      'ValidatingWebhookConfiguration',
      { webhooks: [webhook({ clientConfig: { url: 'http://x' } })] },
      'webhooks[0].clientConfig.url: Invalid value: "http": \'https\' is the only allowed URL scheme',
    ],
    [
      'ValidatingWebhookConfiguration',
      { webhooks: [webhook({ sideEffects: 'Some' })] },
      'webhooks[0].sideEffects: Unsupported value: "Some"',
    ],
  ]
  for (const [kind, body, text] of cases) {
    const definition = of(kind)
    const given = prepareForCreate(definition, object(kind, body))
    const errors = [...validateObject(definition, given), ...validateBuiltin(definition, given)].map(fieldErrorText)
    assert.equal(errors.length, 1, `${kind}: ${errors.join('; ')}`)
    assert.ok(errors[0]?.startsWith(text), errors[0])
  }
})

test('what is immutable stays', () => {
  const secret = object('Secret', { type: 'Opaque', immutable: true, data: { a: 'MQ==' } })
  const changed = object('Secret', { type: 'Other', data: { a: 'Mg==' } })
  assert.deepEqual(
    validateBuiltin(of('Secret'), changed, secret).map(({ field }) => field),
    ['type', 'immutable', 'data'],
  )
  assert.deepEqual(validateBuiltin(of('Secret'), secret, secret), [])
  const pod = object('Pod', { spec: { containers: [{ name: 'a', image: '1' }], nodeName: 'x' } })
  const image = object('Pod', { spec: { containers: [{ name: 'a', image: '2' }], nodeName: 'x' } })
  const node = object('Pod', { spec: { containers: [{ name: 'a', image: '1' }], nodeName: 'y' } })
  assert.deepEqual(validateBuiltin(of('Pod'), image, pod), [])
  assert.deepEqual(
    validateBuiltin(of('Pod'), node, pod).map(({ type, field }) => [type, field]),
    [['FieldValueForbidden', 'spec']],
  )
})

test('webhooks get the defaults that their callers rely on', () => {
  const kind = 'MutatingWebhookConfiguration'
  const given = object(kind, { webhooks: [webhook({ clientConfig: { service: { name: 's', namespace: 'n' } } })] })
  const [first] = list(prepareForCreate(of(kind), given)['webhooks'])
  assert.equal(first?.['failurePolicy'], 'Fail')
  assert.equal(first?.['timeoutSeconds'], 10)
  assert.equal(first?.['reinvocationPolicy'], 'Never')
  assert.deepEqual(at(first, 'clientConfig', 'service'), { port: 443, name: 's', namespace: 'n' })
})

test('a body of the wrong types is no object of its kind', () => {
  const cases: readonly (readonly [string, JsonObject, string])[] = [
    [
      'ConfigMap',
      { data: { a: 1 } },
      'json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    ],
    [
      'Pod',
      { spec: { containers: 'x' } },
      'json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container',
    ],
    [
      'Pod',
      { spec: { hostNetwork: 'yes' } },
      'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool',
    ],
    [
      'Lease',
      { spec: { renewTime: 'soon' } },
      'parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006"',
    ],
    ['Secret', { data: { a: 'no!' } }, 'illegal base64 data at input byte 2'],
  ]
  for (const [kind, body, text] of cases) {
    const expected = `${kind} in version "v1" cannot be handled as a ${kind}: ${text}`
    assert.equal(decodingError(of(kind), object(kind, body)), expected)
  }
  assert.equal(
    decodingError(of('Pod'), object('Pod', { spec: { containers: null, nodeSelector: { a: 'b' } } })),
    undefined,
  )
})

test('unknown fields of built-in kinds are found at any depth', () => {
  const pod = object('Pod', {
    spec: { containers: [{ name: 'a', imge: 'x', resources: { limits: { 'any/thing': 1 } } }] },
  })
  assert.deepEqual(prune(of('Pod'), pod).unknown, ['spec.containers[0].imge'])
})

test('strategic merge patches know the keys of built-in lists', () => {
  const pod = object('Pod', {
    spec: {
      containers: [{ name: 'a', image: '1', env: [{ name: 'X', value: '1' }] }],
      volumes: [{ name: 'v', emptyDir: {} }],
    },
  })
  const patched = applyStrategicMergePatch(of('Pod').schema, pod, {
    metadata: { finalizers: ['x/y'] },
    spec: {
      containers: [{ name: 'a', env: [{ name: 'Y', value: '2' }] }],
      volumes: [{ name: 'v', $retainKeys: ['name', 'secret'], secret: { secretName: 's' } }],
    },
  })
  assert.deepEqual(patched['spec'], {
    containers: [
      {
        name: 'a',
        image: '1',
        env: [
          { name: 'X', value: '1' },
          { name: 'Y', value: '2' },
        ],
      },
    ],
    volumes: [{ name: 'v', secret: { secretName: 's' } }],
  })
})

test('an event is the same event in both of its groups', () => {
  const [core, newer] = BUILTIN_DEFINITIONS.filter(({ kind }) => kind === 'Event')
  assert.ok(core && newer)
  const event = object('Event', {
    involvedObject: { name: 'x' },
    message: 'm',
    reportingComponent: 'c',
    reason: 'r',
    count: 2,
  })
  const converted = convertBuiltin(newer, event)
  assert.equal(converted.apiVersion, 'events.k8s.io/v1')
  assert.deepEqual(
    [converted['regarding'], converted['note'], converted['reportingController'], converted['deprecatedCount']],
    [{ name: 'x' }, 'm', 'c', 2],
  )
  const empty = { eventTime: null, firstTimestamp: null, lastTimestamp: null, reportingInstance: '', source: {} }
  assert.deepEqual(convertBuiltin(core, converted), { ...event, ...empty })
  assert.deepEqual(prune(newer, converted).unknown, [])
})

function of(kind: string): ResourceDefinition {
  const found = BUILTIN_DEFINITIONS.find((each) => each.kind === kind)
  assert.ok(found)
  return found
}

function object(kind: string, body: JsonObject): ApiObject {
  return { ...body, apiVersion: 'v1', kind, metadata: { name: 'a', namespace: 'n' } }
}

function webhook(change: JsonObject): JsonObject {
  return {
    name: 'check.example.com',
    clientConfig: { url: 'https://x' },
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    ...change,
  }
}

function list(value: unknown): readonly JsonObject[] {
  const copy: readonly JsonObject[] = JSON.parse(JSON.stringify(value))
  return copy
}
