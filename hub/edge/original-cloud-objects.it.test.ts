import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { seconds, systemClock } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import {
  assignedDevices,
  assignedPods,
  type Frame,
  type JsonObject,
  podReports,
  requestObject,
  requestToken,
} from '../../schemas/index.ts'
import { pumpDevice, pumpModel, setTwin, twinOf } from './testing/edge-bench.ts'
import { eventually, joinEdge } from './testing/joined-edge.ts'
import { OriginalCloud } from './testing/kubeedge/original-cloud.ts'

const LEASE = 'kube-node-lease/lease/edge-1'
const POD = 'shop/pod/till'
const SOON = { deadline: seconds(10) }

async function startBoth(t: TestContext) {
  const cloud = await OriginalCloud.start(t)
  const joined = await joinEdge(t, cloud.joinable)
  const edge = await joined.start()
  await cloud.until(() => cloud.answers.objects.get(LEASE), 'the lease')
  return { cloud, joined, edge }
}

test('an object is acknowledged once it is on disk, with the route of its message; a copy of it is acknowledged again', async (t) => {
  const { cloud, joined } = await startBoth(t)
  const pushed = cloud.push('insert', 'shop/configmap/till', configMap('till', '7'))
  const receipt = await cloud.hears(answers(pushed), 'the receipt')
  assert.deepEqual(receipt.route, { ...pushed.route, operation: 'response' })
  assert.equal(receipt.content, 'OK')
  assert.ok((await rowsOf(joined)).includes('shop/configmap/till'))
  cloud.records.delete('uid-till')
  const again = cloud.push('insert', 'shop/configmap/till', configMap('till', '7'))
  await cloud.hears(answers(again), 'the receipt of the copy')
  assert.deepEqual(cloud.strange, [])
})

test('what an edge asks for is acknowledged by the id of the answer, so that the cloud stops sending it', async (t) => {
  const { cloud, edge } = await startBoth(t)
  cloud.answers.put('shop/configmap/till', { data: { a: '1' } })
  const answer = await edge.bus.request(
    requestObject,
    { resource: 'shop/configmap/till', freshness: 'cloud-first' },
    SOON,
  )
  assert.deepEqual([answer.object?.['data'], answer.from], [{ a: '1' }, 'cloud'])
  await cloud.until(() => (cloud.depth === 0 ? true : undefined), 'the receipt of the answer')
  assert.equal(cloud.unknownReceipts, 0)
})

test('a failure in the shape of an object is a failure, and is not kept', async (t) => {
  const { cloud, joined, edge } = await startBoth(t)
  cloud.answers.put('shop/secret/till', { data: { a: 'MQ==' } })
  cloud.answers.failures.set('query shop/secret/till', 'InternalError')
  const ask = () => edge.bus.request(requestObject, { resource: 'shop/secret/till', freshness: 'cloud' }, SOON)
  await assert.rejects(ask, { code: 'HUB_QUERY_FAILED' })
  assert.ok(!(await rowsOf(joined)).includes('shop/secret/till'))
  assert.deepEqual((await ask()).object?.['data'], { a: 'MQ==' })
})

test('a pod is assigned, reported and let go of as KubeEdge’s kubelet does it, and a deletion of another uid leaves it', async (t) => {
  const { cloud, edge } = await startBoth(t)
  cloud.push('insert', POD, cloud.answers.put(POD, pod('u-1')))
  const assigned = await eventually(() => edge.bus.get(assignedPods, 'shop/till'))
  assert.equal(assigned.uid, 'u-1')
  const status = { phase: 'Running', podIP: '10.0.0.9', podIPs: [{ ip: '10.0.0.9' }], hostIP: '192.0.2.7' }
  edge.bus.set(podReports, 'shop/till', { uid: 'u-1', status })
  const patch = await cloud.hears(({ route }) => route.resource === 'shop/podpatch/till', 'the patch of its status')
  assert.deepEqual([patch.route.operation, patch.route.source, typeof patch.content], ['patch', 'edged', 'string'])
  assert.equal(Reflect.get(Object(cloud.answers.objects.get(POD)?.['status']), 'phase'), 'Running')

  const other = cloud.push('delete', POD, { metadata: { name: 'till', namespace: 'shop', uid: 'u-0' } })
  await cloud.hears(answers(other), 'the receipt of the other deletion')
  assert.ok(edge.bus.get(assignedPods, 'shop/till'))

  cloud.push('update', POD, cloud.answers.put(POD, pod('u-1', { deletionTimestamp: '2026-08-06T12:00:00Z' })))
  await eventually(
    () => edge.bus.get(assignedPods, 'shop/till')?.pod['metadata'] !== assigned.pod['metadata'] || undefined,
  )
  edge.bus.set(podReports, 'shop/till', { uid: 'u-1', status: { phase: 'Succeeded' }, isFinished: true })
  const gone = await cloud.hears(({ route }) => route.operation === 'delete' && route.resource === POD, 'its deletion')
  assert.deepEqual(Reflect.get(Object(gone.content), 'preconditions'), { uid: 'u-1' })
  cloud.push('delete', POD, { metadata: { name: 'till', namespace: 'shop', uid: 'u-1' } })
  await eventually(() => (edge.bus.get(assignedPods, 'shop/till') ? undefined : true))
})

test('a token of a service account is asked for as a TokenRequest and kept', async (t) => {
  const { cloud, edge } = await startBoth(t)
  const request = { namespace: 'shop', serviceAccount: 'default', audiences: ['api'], expirationSeconds: 3600 }
  const first = await edge.bus.request(requestToken, request, SOON)
  const asked = await cloud.hears(({ route }) => route.resource === 'shop/serviceaccounttoken/default')
  assert.deepEqual(Reflect.get(Object(asked.content), 'spec'), {
    audiences: ['api'],
    expirationSeconds: 3600,
    boundObjectRef: null,
  })
  assert.equal((await edge.bus.request(requestToken, request, SOON)).token, first.token)
})

test('an object of 10 MB in fragments is taken', async (t) => {
  const { cloud, edge } = await startBoth(t)
  const data = 'ü'.repeat(5 * 1024 * 1024)
  cloud.push('insert', 'shop/configmap/large', configMap('large', '7', { data }))
  await cloud.until(() => cloud.records.get('uid-large'), 'the receipt of the large object')
  const { object } = await edge.bus.request(
    requestObject,
    { resource: 'shop/configmap/large', freshness: 'stored' },
    SOON,
  )
  assert.equal(Reflect.get(Object(object?.['data']), 'data'), data)
})

test('what the cloud deleted, changed and made while the link was down is so afterwards, and nothing comes back', async (t) => {
  const { cloud, edge } = await startBoth(t)
  const push = (operation: 'insert' | 'update' | 'delete', name: string, version: string) =>
    cloud.push(operation, `default/device/${name}`, jsonOf(pumpDevice(name, version)), 'devicecontroller')
  cloud.push('insert', 'default/devicemodel/pump', jsonOf(pumpModel()), 'devicecontroller')
  for (const name of ['same', 'changed', 'deleted']) push('insert', name, '10')
  await cloud.until(() => (cloud.records.size === 4 ? true : undefined), 'all receipts')
  cloud.cut()
  await cloud.until(() => (cloud.isConnected ? undefined : true))
  await cloud.until(() => (cloud.isConnected ? true : undefined), 'another connection')
  // SyncController finds these; KubeEdge sends them with the source of EdgeController.
  cloud.push('update', 'default/device/changed', jsonOf(pumpDevice('changed', '12')))
  cloud.push('delete', 'default/device/deleted', {
    metadata: { name: 'deleted', namespace: 'default', uid: 'uid-deleted' },
  })
  push('insert', 'made', '13')
  await cloud.until(
    () => (cloud.records.has('uid-made') && !cloud.records.has('uid-deleted')) || undefined,
    'all receipts',
  )
  const names = ['same', 'changed', 'deleted', 'made'].filter((name) =>
    edge.bus.get(assignedDevices, `default/${name}`),
  )
  assert.deepEqual(names, ['same', 'changed', 'made'])
  assert.equal(edge.bus.get(assignedDevices, 'default/changed')?.device.metadata.resourceVersion, '12')
})

test('an edge that starts offline has its pods, devices and configmaps from disk', async (t) => {
  const { cloud, joined, edge } = await startBoth(t)
  cloud.push('insert', POD, pod('u-1', { resourceVersion: '7' }))
  cloud.push('insert', 'shop/configmap/till', configMap('till', '8', { a: '1' }))
  cloud.push('insert', 'default/device/pump-1', jsonOf(pumpDevice()), 'devicecontroller')
  await cloud.until(() => (cloud.records.size === 3 ? true : undefined), 'all receipts')
  await edge.stop()
  // Nobody listens on port 1.
  const offline = await joined.start(1)
  assert.equal(offline.bus.get(assignedPods, 'shop/till')?.uid, 'u-1')
  assert.ok(offline.bus.get(assignedDevices, 'default/pump-1'))
  const ask = (resource: string) => offline.bus.request(requestObject, { resource, freshness: 'cloud-first' }, SOON)
  assert.deepEqual((await ask('shop/configmap/till')).object?.['data'], { a: '1' })
  await assert.rejects(ask('shop/configmap/other'), { code: 'HUB_OFFLINE' })
})

test('twins of 150 devices come at 30 a second after a burst of 60, and no keepalive waits for them', async (t) => {
  const clock = new FakeClock(systemClock.now())
  const cloud = await OriginalCloud.start(t, { clock })
  const joined = await joinEdge(t, cloud.joinable, { clock })
  const edge = await joined.start()
  const step = async (milliseconds: number) => {
    await clock.advance(seconds(milliseconds / 1000))
    await cloud.roundTrip()
  }
  // Time that passes before there is a connection is that of its deadlines.
  await cloud.until(() => (cloud.isConnected ? true : undefined), 'the connection')
  for (let passed = 0; passed < 60 && !cloud.answers.objects.has(LEASE); passed++) await step(100)
  // By now the bucket is full again.
  for (let passed = 0; passed < 5; passed++) await step(1000)
  const devices = Array.from({ length: 150 }, (_, at) => `pump-${at}`)
  for (const name of devices)
    cloud.push('insert', `default/device/${name}`, jsonOf(pumpDevice(name)), 'devicecontroller')
  for (let passed = 0; passed < 900 && cloud.records.size < devices.length; passed++) await step(100)
  assert.equal(cloud.records.size, devices.length)
  for (let passed = 0; passed < 5; passed++) await step(1000)
  cloud.forget()
  for (const name of devices) setTwin(edge.bus, twinOf(name, 42))
  const counts: number[] = []
  for (let second = 0; second < 20; second++) {
    for (let tenth = 0; tenth < 10; tenth++) await step(100)
    counts.push(cloud.received.filter(({ route }) => route.operation !== 'keepalive').length)
  }
  const perSecond = counts.map((count, at) => count - (counts[at - 1] ?? 0))
  assert.ok((counts[0] ?? 0) <= 95, `a burst of ${counts[0]}`)
  assert.ok(
    perSecond.slice(1).every((count) => count <= 32),
    perSecond.join(),
  )
  assert.ok((counts.at(-1) ?? 0) >= 150, `${counts.at(-1)} messages in 20 s`)
  const times = cloud.received
    .filter(({ route }) => route.operation === 'keepalive')
    .map(({ header }) => header.timestamp)
  assert.ok(times.length >= 1)
  for (const [at, time] of times.slice(1).entries()) assert.ok(time - (times[at] ?? 0) <= 15_200)
})

test('messages of MQTT clients are uploaded with their topic and need no receipt; calls of local services are answered at once', async (t) => {
  const { cloud, edge } = await startBoth(t)
  await edge.mqtt.send('room/user/door', 'open')
  const upload = await cloud.hears(({ route }) => route.operation === 'upload', 'the message')
  assert.deepEqual([upload.route.group, upload.route.resource, upload.content], ['user', 'room/user/door', 'open'])
  await eventually(async () => {
    const waiting = await joinedRows(edge.store)
    return waiting.length === 0 || undefined
  })
  const call = { source: 'router_servicebus', group: 'user', operation: 'POST', resource: '8080:/lights' }
  const asked = cloud.tell(call, { header: {}, body: '', method: 'POST', url: '/lights' })
  const answer = await cloud.hears(answers(asked), 'the answer of ServiceBus')
  assert.deepEqual([answer.route.operation, answer.route.group], ['upload', 'user'])
})

function answers({ header }: Frame): (frame: Frame) => boolean {
  return (frame) => frame.header.parent_msg_id === header.msg_id
}

function configMap(name: string, resourceVersion: string, data: JsonObject = {}): JsonObject {
  const metadata = { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }
}

function pod(uid: string, metadata: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'till', namespace: 'shop', uid, ...metadata },
    spec: { nodeName: 'edge-1', containers: [{ name: 'till', image: 'till:1' }] },
  }
}

async function rowsOf({ store }: Awaited<ReturnType<typeof joinEdge>>): Promise<readonly unknown[]> {
  return (await store.read({ statement: 'meta.all', parameters: [] })).map((row) => row['key'])
}

function joinedRows(store: Awaited<ReturnType<typeof joinEdge>>['store']) {
  return store.read({ statement: 'user.index', parameters: [] })
}

function jsonOf(object: object): JsonObject {
  return JSON.parse(JSON.stringify(object))
}
