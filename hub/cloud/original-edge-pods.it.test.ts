import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Frame, JsonObject } from '../../schemas/index.ts'
import { eventually } from '../edge/testing/joined-edge.ts'
import { CONFIG_MAPS, EVENTS, type Kubernetes, NAMESPACES, OBJECT_SYNCS, PODS, SECRETS } from './kubernetes/index.ts'
import { failureOf, objectOf, register } from './testing/kubeedge/kubelet.ts'
import type { OriginalEdge } from './testing/kubeedge/original-edge.ts'
import { startWholeCloud } from './testing/kubeedge/whole-cloud.ts'

const POD = 'shop/pod/till'
const TILL = { namespace: 'shop', name: 'till' }
const MAP = 'shop/configmap/till-config'
const SECRET = 'shop/secret/till-password'

test('a pod of the node comes with its version after what it uses, and its own Node as an update that is acknowledged', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const edge = await connect()
  await register(edge)
  await shop(kubernetes)
  const pod = await edge.hears(isObject('insert', POD), POD)
  assert.deepEqual([pod.route.source, pod.route.group], ['edgecontroller', 'resource'])
  assert.match(pod.header.resourceversion ?? '', /^\d+$/)
  const keys = [...edge.meta.rows.keys()]
  assert.ok(keys.indexOf(MAP) >= 0 && keys.indexOf(MAP) < keys.indexOf(POD), keys.join())
  assert.ok(keys.indexOf(SECRET) >= 0 && keys.indexOf(SECRET) < keys.indexOf(POD), keys.join())
  const node = await edge.hears(isObject('update', 'null/node/edge-1'), 'its Node')
  assert.equal(Reflect.get(Object(node.content), 'kind'), 'Node')
  assert.deepEqual(edge.strange, [])
})

test('a configmap and a secret that a pod uses are updated at the edge', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const edge = await connect()
  await register(edge)
  await shop(kubernetes)
  await edge.hears(isObject('insert', POD), POD)
  const map = { namespace: 'shop', name: 'till-config' }
  await kubernetes.patch(CONFIG_MAPS, map, { data: { a: '2' } }, { type: 'merge' })
  const update = await edge.hears(isObject('update', MAP), 'the configmap')
  assert.deepEqual(Reflect.get(Object(update.content), 'data'), { a: '2' })
  await kubernetes.patch(SECRETS, { ...map, name: 'till-password' }, { stringData: { p: 'x' } }, { type: 'merge' })
  await edge.until(() => (dataOf(edge, SECRET)['p'] === 'eA==' ? true : undefined), 'the secret')
})

test('a query of a configmap is answered with the bare object, which the edge acknowledges', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const edge = await connect()
  await register(edge)
  await shop(kubernetes)
  await edge.hears(isObject('insert', POD), POD)
  const answer = await edge.ask('query', MAP)
  assert.deepEqual(
    [answer.route.source, answer.route.group, answer.route.operation],
    ['edgecontroller', 'resource', 'response'],
  )
  assert.deepEqual(Reflect.get(Object(answer.content), 'data'), { a: '1' })
  assert.deepEqual(Reflect.get(Object(Reflect.get(Object(answer.content), 'metadata')), 'name'), 'till-config')
})

test('what a pod does not use is not given to its node', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const edge = await connect()
  await register(edge)
  await shop(kubernetes)
  await kubernetes.create(SECRETS, 'shop', { metadata: { name: 'other' }, stringData: { p: 'w' } })
  await edge.hears(isObject('insert', POD), POD)
  const asked = edge.say({ source: 'edged', group: 'meta', operation: 'query', resource: 'shop/secret/other' })
  const answer = await edge.hears(({ header }) => header.parent_msg_id === asked.header.msg_id, 'the answer')
  assert.deepEqual([answer.route.operation, answer.route.group, typeof answer.content], ['error', 'resource', 'string'])
})

test('the status of a pod is patched, and a terminating pod that has ended goes in the API and then at the edge', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const edge = await connect()
  await register(edge)
  await shop(kubernetes)
  const { content } = await edge.hears(isObject('insert', POD), POD)
  const uid = String(Reflect.get(Object(Reflect.get(Object(content), 'metadata')), 'uid'))
  const running = { metadata: { uid }, status: { phase: 'Running', podIP: '10.0.0.9', hostIP: '192.0.2.7' } }
  const patched = await edge.patch('shop/podpatch/till', running)
  assert.equal(failureOf(patched), undefined)
  assert.equal(Reflect.get(Object(objectOf(patched)['status']), 'phase'), 'Running')
  assert.equal((await kubernetes.get(PODS, TILL))?.status?.['podIP'], '10.0.0.9')

  await kubernetes.delete(PODS, TILL)
  const update = await edge.hears(isObject('update', POD), 'the pod that has to end')
  assert.ok(Reflect.get(Object(Reflect.get(Object(update.content), 'metadata')), 'deletionTimestamp'))
  // A deletion goes to the API as it is; only what comes down takes the pod away here.
  edge.say({ source: 'edged', group: 'meta', operation: 'delete', resource: POD }, deletion(uid))
  const gone = await edge.hears(isObject('delete', POD), 'the deletion')
  assert.equal(Reflect.get(Object(Reflect.get(Object(gone.content), 'metadata')), 'uid'), uid)
  await edge.until(() => (edge.meta.rows.has(POD) ? undefined : true))
  assert.equal(await kubernetes.get(PODS, TILL), undefined)
})

test('a status of a pod that the API does not know has that pod deleted at the edge', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const edge = await connect()
  await register(edge)
  await kubernetes.create(NAMESPACES, undefined, { metadata: { name: 'shop' } })
  edge.meta.rows.set('shop/pod/ghost', { type: 'pod', value: { metadata: { name: 'ghost', uid: 'u-ghost' } } })
  const answer = await edge.patch('shop/podpatch/ghost', { metadata: { uid: 'u-ghost' }, status: { phase: 'Running' } })
  assert.equal(failureOf(answer), 'NotFound')
  await edge.until(() => (edge.meta.rows.has('shop/pod/ghost') ? undefined : true), 'the deletion of the ghost')
})

test('events are made and counted on in the API, and nobody answers them', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const edge = await connect()
  await register(edge)
  await shop(kubernetes)
  const pod = await edge.hears(isObject('insert', POD), POD)
  const route = { source: 'edged', group: 'meta', resource: 'shop/event/till.1' }
  edge.say({ ...route, operation: 'insert' }, eventOf(pod))
  const at = { namespace: 'shop', name: 'till.1' }
  await eventually(() => kubernetes.get(EVENTS, at))
  edge.say({ ...route, operation: 'patch' }, { event: eventOf(pod), patchData: '{"count":2}' })
  await eventually(async () => Reflect.get(Object(await kubernetes.get(EVENTS, at)), 'count') === 2 || undefined)
  assert.deepEqual(
    edge.arrived.filter(({ route: its }) => its.resource === route.resource),
    [],
  )
})

test('an original edge that lost its database is sent everything anew when it registers', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const before = await connect()
  await register(before)
  await shop(kubernetes)
  await before.hears(isObject('insert', POD), POD)
  await eventually(async () => {
    const { items } = await kubernetes.list(OBJECT_SYNCS, {})
    const acknowledged = items.filter(({ status }) => Number(status?.objectResourceVersion ?? 0) > 0)
    return acknowledged.length === 3 || undefined
  })
  await before.cut()
  const empty = await connect('edge-1')
  await register(empty)
  await empty.hears(isObject('update', 'null/node/edge-1'), 'its Node')
  await empty.hears(isObject('insert', POD), POD)
  assert.ok(empty.meta.rows.has(MAP) && empty.meta.rows.has(SECRET))
})

async function shop(kubernetes: Kubernetes): Promise<void> {
  await kubernetes.create(NAMESPACES, undefined, { metadata: { name: 'shop' } })
  await kubernetes.create(CONFIG_MAPS, 'shop', { metadata: { name: 'till-config' }, data: { a: '1' } })
  await kubernetes.create(SECRETS, 'shop', { metadata: { name: 'till-password' }, stringData: { p: 'w' } })
  await kubernetes.create(PODS, 'shop', {
    metadata: { name: 'till' },
    spec: {
      nodeName: 'edge-1',
      containers: [{ name: 'till', image: 'till:1', envFrom: [{ secretRef: { name: 'till-password' } }] }],
      volumes: [{ name: 'config', configMap: { name: 'till-config' } }],
    },
  })
}

function isObject(operation: string, resource: string) {
  return ({ route }: Frame) => route.operation === operation && route.resource === resource
}

function dataOf(edge: OriginalEdge, key: string): JsonObject {
  return Object(Reflect.get(Object(edge.meta.rows.get(key)?.value), 'data') ?? {})
}

function deletion(uid: string): JsonObject {
  return { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0, preconditions: { uid } }
}

function eventOf({ content }: Frame): JsonObject {
  const metadata: unknown = Reflect.get(Object(content), 'metadata')
  const uid = String(Reflect.get(Object(metadata), 'uid'))
  return {
    metadata: { name: 'till.1', namespace: 'shop', creationTimestamp: null },
    involvedObject: { kind: 'Pod', namespace: 'shop', name: 'till', uid, apiVersion: 'v1' },
    reason: 'Started',
    message: 'Started container till',
    source: { component: 'kubelet', host: 'edge-1' },
    firstTimestamp: '2026-08-06T12:00:00Z',
    lastTimestamp: '2026-08-06T12:00:00Z',
    count: 1,
    type: 'Normal',
    eventTime: null,
    reportingComponent: 'kubelet',
    reportingInstance: 'edge-1',
  }
}
