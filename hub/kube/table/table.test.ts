import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { BUILTIN_DEFINITIONS } from '../builtin/index.ts'
import type { ApiObject, ResourceDefinition } from '../resource.ts'
import { humanDuration } from './age.ts'
import { parseJsonPath } from './json-path.ts'
import { toTable } from './table.ts'

const NOW = Date.parse('2026-01-02T00:00:00Z')
const metadata = { name: 'a', creationTimestamp: '2026-01-01T22:00:00Z' } as const

test('a JSONPath finds what printer columns ask for', () => {
  const value: Json = {
    spec: { names: ['x', 'y'], 'a.b': 1, map: { k: { v: 2 } } },
    status: {
      conditions: [
        { type: 'Ready', status: 'True', n: 1 },
        { type: 'Synced', status: 'False', n: 5 },
      ],
    },
  }
  const cases: readonly (readonly [string, readonly Json[]])[] = [
    ['.spec.names[0]', ['x']],
    ['.spec.names[-1]', ['y']],
    ['.spec.names[*]', ['x', 'y']],
    ['.spec.a\\.b', [1]],
    [".spec['a.b']", [1]],
    ['.spec.map.*.v', [2]],
    ['.status.conditions[?(@.type=="Synced")].status', ['False']],
    [".status.conditions[?(@.type=='Ready')].status", ['True']],
    ['.status.conditions[?(@.n > 1)].type', ['Synced']],
    ['.status.conditions[?(@.missing)].type', []],
    ['{.spec.names[1]}', ['y']],
    ['.spec.nothing.here', []],
    ['.spec.constructor', []],
  ]
  for (const [path, expected] of cases) assert.deepEqual(parseJsonPath(path)(value), expected, path)
  assert.throws(() => parseJsonPath('.a[?(bad'), SyntaxError)
  assert.throws(() => parseJsonPath('a b'), SyntaxError)
})

test('durations show the two figures that matter', () => {
  const cases: readonly (readonly [number, string])[] = [
    [-5, '<invalid>'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [125, '2m5s'],
    [3600, '60m'],
    [3 * 3600, '3h'],
    [3 * 3600 + 60, '3h1m'],
    [9 * 3600 + 60, '9h'],
    [49 * 3600, '2d1h'],
    [9 * 86_400, '9d'],
    [3 * 365 * 86_400, '3y'],
    [(3 * 365 + 4) * 86_400, '3y4d'],
    [9 * 365 * 86_400, '9y'],
  ]
  for (const [seconds, text] of cases) assert.equal(humanDuration(seconds * 1000), text)
})

test('declared columns follow the name, typed cells only hold their type', () => {
  const definition = custom([
    { name: 'Node', type: 'string', jsonPath: '.spec.nodeName' },
    { name: 'Synced', type: 'string', jsonPath: '.status.conditions[?(@.type=="Synced")].status' },
    { name: 'Count', type: 'integer', jsonPath: '.spec.count' },
    { name: 'Odd', type: 'integer', jsonPath: '.spec.nodeName', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ])
  const object = {
    ...thing(),
    spec: { nodeName: 'edge', count: 2.7 },
    status: { conditions: [{ type: 'Synced', status: 'True' }] },
  }
  const table = toTable(definition, [object, thing()], {
    now: NOW,
    include: 'Metadata',
    metadata: { resourceVersion: '7' },
  })
  assert.deepEqual(namesOf(table), ['Name', 'Node', 'Synced', 'Count', 'Odd', 'Age'])
  assert.deepEqual(cellsOf(table), [
    ['a', 'edge', 'True', 2, null, '120m'],
    ['a', null, null, null, null, '120m'],
  ])
  assert.deepEqual(table['metadata'], { resourceVersion: '7' })
})

test('a row carries as much of its object as was asked for', () => {
  const options = { now: NOW, withoutColumns: true } as const
  const rowsOf = (include: 'None' | 'Metadata' | 'Object') =>
    toTable(custom([]), [thing()], { ...options, include })['rows']
  assert.deepEqual(rowsOf('None'), [{ cells: ['a', '120m'], object: null }])
  assert.deepEqual(rowsOf('Metadata'), [
    { cells: ['a', '120m'], object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata } },
  ])
  assert.deepEqual(rowsOf('Object'), [{ cells: ['a', '120m'], object: thing() }])
})

test('built-in kinds print as people know them', () => {
  const cases: readonly (readonly [string, JsonObject, readonly Json[]])[] = [
    ['Namespace', { status: { phase: 'Active' } }, ['a', 'Active', '120m']],
    ['ConfigMap', { data: { x: '1' }, binaryData: { y: 'AA==' } }, ['a', '2', '120m']],
    ['Secret', { type: 'Opaque', data: { x: 'MQ==' } }, ['a', 'Opaque', '1', '120m']],
    ['Lease', { spec: { holderIdentity: 'edge-1' } }, ['a', 'edge-1', '120m']],
    ['CustomResourceDefinition', {}, ['a', '2026-01-01T22:00:00Z']],
    ['ServiceAccount', {}, ['a', '120m']],
  ]
  for (const [kind, body, cells] of cases) {
    assert.deepEqual(
      cellsOf(toTable(builtin(kind), [{ ...thing(), ...body }], { now: NOW, include: 'None' }))[0],
      cells,
      kind,
    )
  }
})

test('nodes show readiness and roles', () => {
  const node: ApiObject = {
    ...thing(),
    metadata: { ...metadata, labels: { 'node-role.kubernetes.io/edge': '', 'node-role.kubernetes.io/agent': '' } },
    spec: { unschedulable: true },
    status: {
      conditions: [{ type: 'Ready', status: 'False' }],
      nodeInfo: { kubeletVersion: 'v1' },
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    },
  }
  const [cells] = cellsOf(toTable(builtin('Node'), [node], { now: NOW, include: 'None' }))
  assert.deepEqual(cells?.slice(0, 6), ['a', 'NotReady,SchedulingDisabled', 'agent,edge', '120m', 'v1', '10.0.0.1'])
})

test('a pod shows the reason that keeps it from running', () => {
  const status = (containers: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
    phase: 'Running',
    containerStatuses: containers,
    ...more,
  })
  const running = { ready: true, restartCount: 0, state: { running: {} } }
  const crashed = {
    ready: false,
    restartCount: 3,
    state: { waiting: { reason: 'CrashLoopBackOff' } },
    lastState: { terminated: { finishedAt: '2026-01-01T23:59:00Z' } },
  }
  const cases: readonly (readonly [JsonObject, JsonObject, readonly Json[]])[] = [
    [{}, status([running]), ['1/1', 'Running', '0']],
    [{}, status([crashed]), ['0/1', 'CrashLoopBackOff', '3 (60s ago)']],
    [
      {},
      status([{ ready: false, restartCount: 0, state: { terminated: { exitCode: 2 } } }]),
      ['0/1', 'ExitCode:2', '0'],
    ],
    [{}, { phase: 'Pending' }, ['0/1', 'Pending', '0']],
    [
      {},
      { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
      ['0/1', 'SchedulingGated', '0'],
    ],
    [{}, { phase: 'Pending', initContainerStatuses: [{ state: { running: {} } }] }, ['0/1', 'Init:0/1', '0']],
    [{ deletionTimestamp: '2026-01-01T23:00:00Z' }, status([running]), ['1/1', 'Terminating', '0']],
  ]
  for (const [more, state, cells] of cases) {
    const pod = {
      ...thing(),
      metadata: { ...metadata, ...more },
      spec: { containers: [{ name: 'c' }], initContainers: [{ name: 'i' }] },
      status: state,
    }
    assert.deepEqual(cellsOf(toTable(builtin('Pod'), [pod], { now: NOW, include: 'None' }))[0]?.slice(1, 4), cells)
  }
})

test('both forms of an event print the same', () => {
  const core = {
    ...thing(),
    involvedObject: { kind: 'Device', name: 'pump' },
    reason: 'Synced',
    message: 'done',
    type: 'Normal',
    lastTimestamp: '2026-01-01T23:59:30Z',
    count: 4,
  }
  const newer = {
    ...thing(),
    regarding: { kind: 'Device', name: 'pump' },
    reason: 'Synced',
    note: 'done',
    type: 'Normal',
    eventTime: '2026-01-01T23:00:00Z',
    series: { count: 4, lastObservedTime: '2026-01-01T23:59:30Z' },
  }
  const [first, second] = BUILTIN_DEFINITIONS.filter(({ kind }) => kind === 'Event')
  assert.ok(first && second)
  const pick = (definition: ResourceDefinition, event: ApiObject) => {
    const [cells] = cellsOf(toTable(definition, [event], { now: NOW, include: 'None' }))
    return [0, 1, 2, 3, 6, 8].map((position) => cells?.[position])
  }
  const expected = ['30s', 'Normal', 'Synced', 'device/pump', 'done', 4]
  assert.deepEqual(pick(first, core), expected)
  assert.deepEqual(pick(second, newer), expected)
})

test('an event says who reports it and from where, and what it is about, as far as that is known', () => {
  const [definition] = BUILTIN_DEFINITIONS.filter(({ kind }) => kind === 'Event')
  assert.ok(definition)
  const shown = (event: JsonObject) => {
    const [cells] = cellsOf(toTable(definition, [{ ...thing(), ...event }], { now: NOW, include: 'None' }))
    return [cells?.[3], cells?.[5]]
  }
  const reporter = { reportingComponent: 'skerry.dev/cloud', reportingInstance: 'cloud-1' }
  assert.deepEqual(shown({ involvedObject: { kind: 'Node' }, ...reporter }), ['node', 'skerry.dev/cloud, cloud-1'])
  assert.deepEqual(shown({ source: { component: 'kubelet' }, ...reporter })[1], 'kubelet, cloud-1')
  assert.deepEqual(shown({ source: { component: 'kubelet', host: 'edge-1' }, ...reporter })[1], 'kubelet, edge-1')
})

test('addresses and ports of services and endpoints are shown as far as they fit', () => {
  const shown = (kind: string, body: JsonObject, position: number) =>
    cellsOf(toTable(builtin(kind), [{ ...thing(), ...body }], { now: NOW, include: 'None' }))[0]?.[position]
  const subsets = [{ addresses: [{ ip: '2001:db8::1' }, { ip: '10.0.0.1' }], ports: [{ port: 80 }] }]
  assert.equal(shown('Endpoints', { subsets }, 1), '[2001:db8::1]:80,10.0.0.1:80')
  const ports = [{ port: 1, name: 'a' }, { name: 'b' }, { port: 3, name: 'c' }, { port: 4, name: 'd' }]
  assert.equal(shown('EndpointSlice', { ports }, 2), '1,b,3 + 1 more...')
  assert.equal(shown('EndpointSlice', { ports: [{ name: '' }] }, 2), '<unset>')
  const ingress = [{ ip: '10.0.0.2' }, { ip: '10.0.0.1' }, { ip: '10.0.0.2' }, {}]
  const balanced = { spec: { type: 'LoadBalancer', externalIPs: ['10.9.9.9'] }, status: { loadBalancer: { ingress } } }
  assert.equal(shown('Service', balanced, 3), '10.0.0.1,10.0.0.2,10.9.9.9')
})

function custom(printerColumns: ResourceDefinition['printerColumns']): ResourceDefinition {
  return { ...builtin('ConfigMap'), group: 'example.com', custom: true, printerColumns }
}

function builtin(kind: string): ResourceDefinition {
  const found = BUILTIN_DEFINITIONS.find((each) => each.kind === kind)
  assert.ok(found)
  return found
}

function thing(): ApiObject {
  return { apiVersion: 'v1', kind: 'Thing', metadata }
}

function namesOf(table: JsonObject): readonly unknown[] {
  const columns: readonly JsonObject[] = JSON.parse(JSON.stringify(table['columnDefinitions']))
  return columns.map((each) => each['name'])
}

function cellsOf(table: JsonObject): readonly (readonly Json[])[] {
  const rows: readonly { readonly cells: readonly Json[] }[] = JSON.parse(JSON.stringify(table['rows']))
  return rows.map((each) => each.cells)
}
