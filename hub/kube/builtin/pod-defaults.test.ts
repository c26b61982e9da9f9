import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { at } from '../schema/json.ts'
import { defaultPod, defaultPodTemplate, qosClass } from './pod-defaults.ts'
import { prepareForUpdate, validateBuiltin } from './rules.ts'

function podOf(spec: JsonObject): ApiObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec }
}

function qosOf(...resources: readonly JsonObject[]): string {
  return qosClass(podOf({ containers: resources.map((each) => ({ resources: each })) }))
}

test('how well a pod is served follows from amounts, however they are written', () => {
  const whole = { cpu: '1', memory: '1Gi' }
  assert.equal(qosOf({ limits: whole, requests: { cpu: '1000m', memory: '1024Mi' } }), 'Guaranteed')
  assert.equal(qosOf({ limits: whole }), 'Guaranteed')
  assert.equal(qosOf({ limits: whole, requests: { cpu: '0.5', memory: '1Gi' } }), 'Burstable')
  assert.equal(qosOf({ limits: whole }, {}), 'Burstable')
  assert.equal(qosOf({ requests: { cpu: '0', memory: '0' } }, {}), 'BestEffort')
  assert.equal(qosOf({ limits: { 'example.com/dongle': '1' } }), 'BestEffort')
})

test('files and hooks of a pod are filled in as Kubernetes fills them in, in templates too', () => {
  const name = { path: 'name', fieldRef: { fieldPath: 'metadata.name' } }
  const spec = {
    containers: [
      {
        ...{ name: 'a', image: 'i:1', livenessProbe: { grpc: { port: 9 } } },
        lifecycle: { postStart: { exec: { command: ['x'] } }, preStop: { httpGet: { port: 80 } } },
      },
    ],
    volumes: [
      { name: 'own', downwardAPI: { items: [name] } },
      {
        name: 'all',
        projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { downwardAPI: { items: [name] } }] },
      },
    ],
  }
  const shown = { path: 'name', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } }
  const token = { path: 'token', expirationSeconds: 3600 }
  for (const filled of [defaultPod(podOf(spec)), defaultPodTemplate({ spec })]) {
    assert.deepEqual(at(filled, 'spec', 'volumes'), [
      { name: 'own', downwardAPI: { items: [shown], defaultMode: 420 } },
      {
        name: 'all',
        projected: { sources: [{ serviceAccountToken: token }, { downwardAPI: { items: [shown] } }], defaultMode: 420 },
      },
    ])
    const containers: readonly JsonObject[] = JSON.parse(JSON.stringify(at(filled, 'spec', 'containers')))
    assert.deepEqual(containers[0]?.['lifecycle'], {
      postStart: { exec: { command: ['x'] } },
      preStop: { httpGet: { path: '/', scheme: 'HTTP', port: 80 } },
    })
    assert.deepEqual(at(containers[0], 'livenessProbe', 'grpc'), { service: '', port: 9 })
  }
})

test('amounts of a pod are stored in one form, and no container asks for less than thousandths', () => {
  const resources = { limits: { cpu: '1000m', memory: '1.5Gi' }, requests: { cpu: 0.5, memory: '0.0001' } }
  const volumes = [{ name: 'v', emptyDir: { sizeLimit: '1024Mi' } }]
  const filled = defaultPod(podOf({ containers: [{ name: 'a', image: 'i:1', resources }], volumes }))
  const [container]: readonly JsonObject[] = JSON.parse(JSON.stringify(at(filled, 'spec', 'containers')))
  assert.deepEqual(container?.['resources'], {
    limits: { cpu: '1', memory: '1536Mi' },
    requests: { cpu: '500m', memory: '1m' },
  })
  assert.deepEqual(at(filled, 'spec', 'volumes'), [{ name: 'v', emptyDir: { sizeLimit: '1Gi' } }])
})

test('a pod or job that was stored before a default came can still be changed', () => {
  const containers = [{ name: 'a', image: 'i:1', resources: { limits: { cpu: '0.5' } } }]
  const volumes = [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }]
  const spec = { containers, volumes, restartPolicy: 'Never' }
  const labels = { 'job-name': 'a' }
  const template = { metadata: { labels }, spec }
  const stored: readonly ApiObject[] = [
    podOf(spec),
    { ...podOf({ selector: { matchLabels: labels }, template }), apiVersion: 'batch/v1', kind: 'Job' },
  ]
  for (const object of stored) {
    const kind = { group: object.kind === 'Pod' ? '' : 'batch', kind: object.kind }
    const changed = prepareForUpdate(kind, { ...object, metadata: { name: 'a', labels } }, object)
    assert.deepEqual(validateBuiltin(kind, changed, object), [], object.kind)
  }
})
