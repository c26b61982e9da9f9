import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { podOf } from '../testing/pods.ts'
import { type AdmissionNode, admissionProblem } from './admission.ts'

const NODE: AdmissionNode = {
  labels: { 'kubernetes.io/os': 'linux', floor: '3', colour: 'red' },
  allocatable: { milliCpu: 1000, memoryBytes: 1 << 30, diskBytes: 1 << 30, pods: 3 },
  others: [],
  capabilities: { sysctls: [] },
}
const asking = (requests: JsonObject, name = 'app'): JsonObject => ({ name, image: 'a', resources: { requests } })
const problem = (spec: JsonObject, node: Partial<AdmissionNode> = {}) =>
  admissionProblem(podOf({ nodeName: 'edge-1', ...spec }), { ...NODE, ...node })

test('a node takes no more than it has', () => {
  const other = podOf({ containers: [asking({ cpu: '600m', memory: '100Mi' })] }, { name: 'other' })
  const others = [other]
  assert.equal(problem({ containers: [asking({ cpu: '400m' })] }, { others }), undefined)
  assert.deepEqual(problem({ containers: [asking({ cpu: '401m' })] }, { others }), {
    reason: 'OutOfcpu',
    message: "Node didn't have enough resource: cpu, requested: 401, used: 600, capacity: 1000",
  })
  assert.deepEqual(problem({ containers: [asking({ memory: '1Gi' })] }, { others }), {
    reason: 'OutOfmemory',
    message: "Node didn't have enough resource: memory, requested: 1073741824, used: 104857600, capacity: 1073741824",
  })
  assert.equal(problem({ containers: [asking({ 'ephemeral-storage': '2Gi' })] })?.reason, 'OutOfephemeral-storage')
  assert.deepEqual(problem({}, { others: [other, other, other] }), {
    reason: 'OutOfpods',
    message: "Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3",
  })
})

test('a pod that asks for nothing is taken by a node that is overdrawn', () => {
  const others = [podOf({ containers: [asking({ cpu: '2' })] })]
  assert.equal(problem({}, { others }), undefined)
})

test('init containers and sidecars count for as long as they run', () => {
  const sidecar = { ...asking({ cpu: '300m' }, 'proxy'), restartPolicy: 'Always' }
  const containers = [asking({ cpu: '500m' })]
  const cases: readonly (readonly [readonly JsonObject[], boolean])[] = [
    [[asking({ cpu: '1' }, 'first')], true],
    [[asking({ cpu: '1001m' }, 'first')], false],
    [[sidecar, asking({ cpu: '700m' }, 'first')], true],
    [[sidecar, asking({ cpu: '701m' }, 'first')], false],
    [[asking({ cpu: '1' }, 'first'), sidecar], true],
    [[sidecar, { ...sidecar, name: 'second' }], false],
  ]
  for (const [initContainers, fits] of cases) {
    assert.equal(problem({ containers, initContainers }) === undefined, fits, JSON.stringify(initContainers))
  }
})

const required = (...nodeSelectorTerms: readonly JsonObject[]): JsonObject => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
})
const label = (key: string, operator: string, ...values: readonly string[]): JsonObject => ({
  matchExpressions: [{ key, operator, ...(values.length > 0 ? { values } : {}) }],
})
const field = (operator: string, ...values: readonly string[]): JsonObject => ({
  matchFields: [{ key: 'metadata.name', operator, values }],
})

test('a pod for other nodes is turned away', () => {
  const cases: readonly (readonly [JsonObject, boolean])[] = [
    [{ nodeSelector: { colour: 'red', floor: '3' } }, true],
    [{ nodeSelector: { colour: 'blue' } }, false],
    [{ nodeSelector: { toString: 'x' } }, false],
    [required(label('colour', 'In', 'blue', 'red')), true],
    [required(label('colour', 'In', 'blue')), false],
    [required(label('none', 'In', 'blue')), false],
    [required(label('colour', 'NotIn', 'blue')), true],
    [required(label('colour', 'NotIn', 'red')), false],
    [required(label('none', 'NotIn', 'red')), true],
    [required(label('colour', 'Exists')), true],
    [required(label('none', 'Exists')), false],
    [required(label('none', 'DoesNotExist')), true],
    [required(label('colour', 'DoesNotExist')), false],
    [required(label('floor', 'Gt', '2')), true],
    [required(label('floor', 'Gt', '3')), false],
    [required(label('floor', 'Lt', '4')), true],
    [required(label('colour', 'Lt', '4')), false],
    [required(label('none', 'Lt', '4')), false],
    [required(label('floor', 'Gt', '1', '2')), false],
    [required(label('colour', 'Like', 'red')), false],
    [required(label('colour', 'In', 'blue'), label('floor', 'In', '3')), true],
    [required({ matchExpressions: [...expressions('colour', 'red'), ...expressions('floor', '4')] }), false],
    [required({}), false],
    [required(), false],
    [required(field('In', 'edge-1')), true],
    [required(field('In', 'edge-2')), false],
    [required(field('NotIn', 'edge-2')), true],
    [required(field('In', 'edge-1', 'edge-2')), false],
    [{ affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } } }, true],
  ]
  for (const [spec, suits] of cases) {
    const expected = suits
      ? undefined
      : {
          reason: 'NodeAffinity',
          message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
        }
    assert.deepEqual(problem(spec), expected, JSON.stringify(spec))
    assert.equal(problem(spec, { labels: undefined }), undefined, 'labels that nobody knows turn nobody away')
  }
})

function expressions(key: string, value: string): readonly JsonObject[] {
  return [{ key, operator: 'In', values: [value] }]
}

test('a port of the node leads to one pod', () => {
  const withPort = (port: JsonObject, spec: JsonObject = {}): JsonObject => ({
    ...spec,
    containers: [{ name: 'app', image: 'a', ports: [{ containerPort: 80, ...port }] }],
  })
  const others = [podOf(withPort({ hostPort: 8080, hostIP: '10.0.0.7' }), { name: 'other' })]
  const free = [{ hostPort: 8081 }, { hostPort: 8080, protocol: 'UDP' }, { hostPort: 8080, hostIP: '127.0.0.1' }, {}]
  for (const port of free) assert.equal(problem(withPort(port), { others }), undefined, JSON.stringify(port))
  const taken = [
    withPort({ hostPort: 8080 }),
    withPort({ hostPort: 8080, hostIP: '0.0.0.0' }),
    withPort({ hostPort: 8080, hostIP: '10.0.0.7' }),
    withPort({ containerPort: 8080 }, { hostNetwork: true }),
  ]
  for (const spec of taken) {
    assert.deepEqual(problem(spec, { others }), {
      reason: 'NodePorts',
      message:
        "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports: TCP 8080 is that of shop/other",
    })
  }
})

test('kernel parameters of the node are not for pods', () => {
  const spec = { securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '1' }] } }
  assert.deepEqual(problem(spec), {
    reason: 'SysctlForbidden',
    message: 'forbidden sysctl: "net.core.somaxconn" not allowlisted',
  })
  assert.equal(problem(spec, { capabilities: { sysctls: ['net.core.*'] } }), undefined)
})

test('a node under pressure takes nobody who could make it worse', () => {
  const evicted = (types: string) => ({ reason: 'Evicted', message: `The node had condition: [${types}]. ` })
  const pressures = ['MemoryPressure']
  const asks = { containers: [asking({ cpu: '1m' })] }
  assert.deepEqual(problem({}, { pressures }), evicted('MemoryPressure'))
  assert.equal(problem(asks, { pressures }), undefined)
  assert.deepEqual(
    problem(asks, { pressures: ['MemoryPressure', 'DiskPressure'] }),
    evicted('MemoryPressure DiskPressure'),
  )
  assert.equal(problem({ priority: 2_000_001_000 }, { pressures: ['DiskPressure'] }), undefined)
  assert.equal(admissionProblem(podOf({}, {}, { isStatic: true }), { ...NODE, pressures }), undefined)
})
