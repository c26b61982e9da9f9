import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../schemas/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { chooseNode } from './choice.ts'
import { Cluster } from './cluster.ts'

const FIRST = { next: () => 0, bytes: (count: number) => new Uint8Array(count), uuid: () => '' }
const LAST = { ...FIRST, next: () => 0.999 }

interface NodeParts {
  readonly labels?: JsonObject
  readonly spec?: JsonObject
  readonly allocatable?: JsonObject
}

function node(name: string, { labels = {}, spec = {}, allocatable }: NodeParts = {}): ApiObject {
  const status = allocatable ? { allocatable } : {}
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec, status }
}

function pod(name: string, spec: JsonObject = {}, requests: JsonObject = {}, owner = ''): ApiObject {
  const ownerReferences = owner === '' ? [] : [{ uid: owner, controller: true }]
  const containers = [{ name: 'main', image: 'x', resources: { requests } }]
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, ownerReferences }, spec: { containers, ...spec } }
}

/** What is chosen for a pod, on nodes where others are already. */
function choice(
  wanted: ApiObject,
  nodes: readonly ApiObject[],
  others: readonly ApiObject[] = [],
  random = FIRST,
): string {
  const cluster = new Cluster()
  for (const each of nodes) cluster.noteNode(String(each.metadata['name']), each)
  for (const each of others) cluster.notePod(`default/${String(each.metadata['name'])}`, each)
  const found = chooseNode(wanted, cluster.hosts(), random)
  return 'node' in found ? found.node : found.message
}

const on = (name: string, nodeName: string, requests: JsonObject = {}, owner = '') =>
  pod(name, { nodeName }, requests, owner)
const affinity = (terms: readonly JsonObject[]): JsonObject => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } },
})
const expression = (key: string, operator: string, ...values: readonly string[]): JsonObject => ({
  matchExpressions: [{ key, operator, values }],
})
const NO_MATCH = "node(s) didn't match Pod's node affinity/selector"
const taint = (effect: string): JsonObject => ({ taints: [{ key: 'acme.io/own', value: 'x', effect }] })

test('without any node a pod waits', () => assert.equal(choice(pod('a'), []), 'no nodes available to schedule pods'))

test('the message counts what is wrong with how many nodes', () => {
  const nodes = [
    node('a', { spec: { unschedulable: true } }),
    node('b', { spec: taint('NoSchedule') }),
    node('c', { allocatable: { cpu: '500m', memory: '1Gi', pods: '110' } }),
    node('d', { allocatable: { cpu: '2', memory: '1Gi', pods: '110' } }),
  ]
  assert.equal(
    choice(pod('x', {}, { cpu: '1', memory: '2Gi' }), nodes, [on('other', 'd', { cpu: '1500m' })]),
    '0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, ' +
      '2 Insufficient cpu, 2 Insufficient memory. no new claims to deallocate, preemption: 0/4 nodes are available: ' +
      '4 Preemption is not helpful for scheduling.',
  )
  const small = [node('c', { allocatable: { cpu: '2', pods: '1' } })]
  assert.equal(
    choice(pod('x', {}, { cpu: '1' }), small, [on('other', 'c', { cpu: '1500m' })]),
    '0/1 nodes are available: 1 Insufficient cpu, 1 Too many pods. no new claims to deallocate, preemption: 0/1 nodes are available: ' +
      '1 No preemption victims found for incoming pod.',
  )
})

test('a node that says nothing of what it has takes every pod', () => {
  assert.equal(choice(pod('x', {}, { cpu: '64', 'acme.io/gpu': '1' }), [node('a')]), 'a')
})

test('what nobody offers is nowhere enough', () => {
  const found = choice(pod('x', {}, { 'acme.io/gpu': '1' }), [node('a', { allocatable: { cpu: '1' } })])
  assert.match(found, /1 Insufficient acme\.io\/gpu\./)
})

test('pods that have ended, and those of other nodes, take nothing', () => {
  const nodes = [node('a', { allocatable: { cpu: '1', pods: '10' } })]
  const ended = { ...on('done', 'a', { cpu: '1' }), status: { phase: 'Succeeded' } }
  assert.equal(choice(pod('x', {}, { cpu: '1' }), nodes, [ended, on('far', 'b', { cpu: '1' })]), 'a')
})

test('init containers count with the largest of them, sidecars on top', () => {
  const nodes = [node('a', { allocatable: { cpu: '1' } })]
  const init = (cpu: string, more: JsonObject = {}) => ({ name: cpu, resources: { requests: { cpu } }, ...more })
  assert.equal(choice(pod('x', { initContainers: [init('900m'), init('800m')] }, { cpu: '700m' }), nodes), 'a')
  const sidecar = init('400m', { restartPolicy: 'Always' })
  assert.match(choice(pod('x', { initContainers: [sidecar] }, { cpu: '700m' }), nodes), /Insufficient cpu/)
  assert.match(
    choice(pod('x', { initContainers: [sidecar, init('700m')] }, { cpu: '100m' }), nodes),
    /Insufficient cpu/,
  )
  assert.match(choice(pod('x', { overhead: { cpu: '400m' } }, { cpu: '700m' }), nodes), /Insufficient cpu/)
})

test('two pods do not get the same port of a node', () => {
  const port = (hostPort: number, more: JsonObject = {}) => ({
    containers: [{ name: 'm', image: 'x', ports: [{ containerPort: 80, hostPort, protocol: 'TCP', ...more }] }],
  })
  const other = pod('other', { nodeName: 'a', ...port(8080) })
  assert.match(choice(pod('x', port(8080)), [node('a')], [other]), /1 node\(s\) didn't have free ports/)
  assert.equal(choice(pod('x', port(8081)), [node('a')], [other]), 'a')
  assert.equal(choice(pod('x', port(8080, { protocol: 'UDP' })), [node('a')], [other]), 'a')
  const local = pod('other', { nodeName: 'a', ...port(8080, { hostIP: '127.0.0.1' }) })
  assert.equal(choice(pod('x', port(8080, { hostIP: '10.0.0.1' })), [node('a')], [local]), 'a')
  assert.match(choice(pod('x', port(8080, { hostIP: '0.0.0.0' })), [node('a')], [local]), /free ports/)
})

const zoned = node('a', { labels: { zone: 'north', cores: '8' } })
const selections: readonly (readonly [what: string, spec: JsonObject, fits: boolean])[] = [
  ['its label', { nodeSelector: { zone: 'north' } }, true],
  ['another label', { nodeSelector: { zone: 'south' } }, false],
  ['one of two zones', affinity([expression('zone', 'In', 'south', 'north')]), true],
  ['none of two zones', affinity([expression('zone', 'NotIn', 'south', 'north')]), false],
  ['a label that is there', affinity([expression('zone', 'Exists')]), true],
  ['a label that is not there', affinity([expression('zone', 'DoesNotExist')]), false],
  ['more cores', affinity([expression('cores', 'Gt', '4')]), true],
  ['fewer cores', affinity([expression('cores', 'Lt', '8')]), false],
  ['a number that is none', affinity([expression('zone', 'Gt', '4')]), false],
  ['the second term', affinity([expression('zone', 'In', 'south'), expression('cores', 'Exists')]), true],
  ['an empty term', affinity([{}]), false],
  ['its name', affinity([{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }]), true],
  ['another name', affinity([{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }]), false],
  ['label and term', { nodeSelector: { zone: 'south' }, ...affinity([expression('zone', 'Exists')]) }, false],
]
for (const [what, spec, fits] of selections) {
  test(`a node is ${fits ? 'taken' : 'left'} by a pod that asks for ${what}`, () => {
    const found = choice(pod('x', spec), [zoned])
    if (fits) assert.equal(found, 'a')
    else assert.ok(found.startsWith(`0/1 nodes are available: 1 ${NO_MATCH}.`), found)
  })
}

test('a pod that tolerates a taint goes where others do not, and avoids what it better avoids', () => {
  const tolerations = [{ key: 'acme.io/own', operator: 'Exists' }]
  for (const effect of ['NoSchedule', 'NoExecute']) {
    assert.equal(choice(pod('x', { tolerations }), [node('a', { spec: taint(effect) })]), 'a')
    assert.match(choice(pod('x'), [node('a', { spec: taint(effect) })]), /untolerated taint/)
  }
  const soft = node('a', { spec: taint('PreferNoSchedule') })
  assert.equal(choice(pod('x'), [soft]), 'a')
  assert.equal(choice(pod('x'), [soft, node('b')]), 'b')
  const cordoned = node('a', { spec: { unschedulable: true } })
  const all = [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }]
  assert.equal(choice(pod('x', { tolerations: all }), [cordoned]), 'a')
})

test('a preference outweighs free room, and the heavier preference the lighter', () => {
  const nodes = [zoned, node('b', { labels: { zone: 'south' } }), node('c')]
  const preferring = (weights: readonly (readonly [number, string])[]): JsonObject => ({
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: weights.map(([weight, zone]) => ({
          weight,
          preference: expression('zone', 'In', zone),
        })),
      },
    },
  })
  assert.equal(choice(pod('x', preferring([[1, 'south']])), nodes, [on('other', 'b')]), 'b')
  const both = preferring([
    [10, 'south'],
    [90, 'north'],
  ])
  assert.equal(choice(pod('x', both), nodes), 'a')
})

test('pods of one controller spread over nodes, others go where most room is left', () => {
  const allocatable = { cpu: '4', memory: '8Gi', pods: '110' }
  const nodes = [node('a', { allocatable }), node('b', { allocatable })]
  assert.equal(choice(pod('x', {}, {}, 'set'), nodes, [on('1', 'a', {}, 'set')], FIRST), 'b')
  assert.equal(choice(pod('x', {}, {}, 'set'), nodes, [on('1', 'b', {}, 'set')], LAST), 'a')
  assert.equal(choice(pod('x'), nodes, [on('1', 'a', { cpu: '2' })], FIRST), 'b')
})

test('among equals chance decides', () => {
  const nodes = [node('a'), node('b'), node('c')]
  assert.deepEqual([choice(pod('x'), nodes, [], FIRST), choice(pod('x'), nodes, [], LAST)], ['a', 'c'])
})
