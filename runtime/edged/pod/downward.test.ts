import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { fieldValue, resourceValue } from './downward.ts'
import type { PodFacts } from './facts.ts'
import { parsePod } from './parse-pod.ts'

const FACTS: PodFacts = {
  nodeName: 'till-7',
  hostIps: ['10.0.0.7', 'fd00::7'],
  podIps: ['10.88.0.2', 'fd01::2'],
  allocatable: { milliCpu: 3500, memoryBytes: 4_000_000_001, diskBytes: 10_000_000_000 },
}

function podWith(resources: JsonObject = {}, metadata: JsonObject = {}) {
  const parsed = parsePod({
    metadata: { name: 'till', namespace: 'shop', uid: 'u-1', ...metadata },
    spec: {
      serviceAccountName: 'cashier',
      initContainers: [{ name: 'first', image: 'a', resources: { limits: { cpu: '2' } } }],
      containers: [{ name: 'app', image: 'a', resources }],
    },
  })
  assert.ok('pod' in parsed)
  return parsed.pod
}

test('a pod is told of itself and of its node', () => {
  const pod = podWith({}, { labels: { app: 'till', 'x.io/a': "it's" }, annotations: { note: 'a b' } })
  const told: readonly (readonly [string, string | undefined])[] = [
    ['metadata.name', 'till'],
    ['metadata.namespace', 'shop'],
    ['metadata.uid', 'u-1'],
    ["metadata.labels['app']", 'till'],
    ["metadata.labels['x.io/a']", "it's"],
    ["metadata.labels['none']", ''],
    ["metadata.annotations['note']", 'a b'],
    ['spec.nodeName', 'till-7'],
    ['spec.serviceAccountName', 'cashier'],
    ['status.hostIP', '10.0.0.7'],
    ['status.hostIPs', '10.0.0.7,fd00::7'],
    ['status.podIP', '10.88.0.2'],
    ['status.podIPs', '10.88.0.2,fd01::2'],
    ['metadata.generateName', undefined],
    ['metadata.labels[app]', undefined],
    ['spec.containers', undefined],
  ]
  for (const [path, value] of told) assert.equal(fieldValue(pod, FACTS, path), value, path)
  assert.equal(fieldValue(pod, { ...FACTS, podIps: [] }, 'status.podIP'), '')
})

test('all labels are lines in one order, with values quoted as Go quotes them', () => {
  const annotations = { b: 'two\nlines\t"quoted" \\', a: 'ä 日 \u0001\u007f\u00a0\u{e0001}', c: '' }
  const pod = podWith({}, { annotations })
  assert.equal(
    fieldValue(pod, FACTS, 'metadata.annotations'),
    'a="ä 日 \\x01\\x7f\\u00a0\\U000e0001"\nb="two\\nlines\\t\\"quoted\\" \\\\"\nc=""',
  )
  assert.equal(fieldValue(pod, FACTS, 'metadata.labels'), '')
})

test('what a container may take is counted in units of the divisor and rounded up', () => {
  const pod = podWith({
    limits: { cpu: '1500m', memory: '100Mi' },
    requests: { cpu: '100m', 'ephemeral-storage': '1Gi' },
  })
  const [app] = pod.spec.containers
  const told: readonly (readonly [string, Json | undefined, string | undefined])[] = [
    ['limits.cpu', undefined, '2'],
    ['limits.cpu', '0', '2'],
    ['limits.cpu', '1m', '1500'],
    ['requests.cpu', '1', '1'],
    ['requests.cpu', '1m', '100'],
    ['limits.memory', undefined, '104857600'],
    ['limits.memory', '1Mi', '100'],
    ['limits.memory', '1M', '105'],
    ['limits.memory', 1, '104857600'],
    // Not set: the limit that is; all that the node gives.
    ['requests.memory', '1Mi', '100'],
    ['limits.ephemeral-storage', '1Gi', '10'],
    ['requests.ephemeral-storage', '1Mi', '1024'],
    ['limits.hugepages-2Mi', undefined, undefined],
    ['cpu', undefined, undefined],
    ['limits.cpu', 'much', undefined],
    ['limits.cpu', '-1', undefined],
  ]
  for (const [resource, divisor, value] of told) {
    const reference = { resource, ...(typeof divisor === 'string' || typeof divisor === 'number' ? { divisor } : {}) }
    assert.equal(resourceValue(pod, app, FACTS, reference), value, `${resource} / ${divisor}`)
  }
})

test('a limit that is not set is what the node has to give, a request that is not set is nothing', () => {
  const pod = podWith()
  const told = (resource: string) => resourceValue(pod, pod.spec.containers[0], FACTS, { resource })
  assert.deepEqual(
    ['limits.cpu', 'limits.memory', 'limits.ephemeral-storage', 'requests.cpu', 'requests.memory'].map(told),
    ['4', '4000000001', '10000000000', '0', '0'],
  )
})

test('a reference may name another container of the pod, also one that runs first', () => {
  const pod = podWith({ limits: { cpu: '1' } })
  const told = (containerName: string) =>
    resourceValue(pod, undefined, FACTS, { containerName, resource: 'limits.cpu', divisor: '1m' })
  assert.deepEqual([told('app'), told('first'), told('other'), told('')], ['1000', '2000', undefined, undefined])
})
