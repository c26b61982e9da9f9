import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Frame } from '../../../schemas/index.ts'
import { CLUSTER_OBJECT_SYNCS, OBJECT_SYNCS } from '../kubernetes/resources.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { type ScriptedEdge, startCloud } from '../testing/harness.ts'
import { type ObjectSource, objectSource } from '../testing/object-source.ts'

const keepalive = { source: 'websocket', group: 'resource', operation: 'keepalive', resource: 'node' }
const names = (count: number) => Array.from({ length: count }, (_, index) => `cm-${index}`)
const objects = (edge: ScriptedEdge) => edge.received.filter(({ route }) => route.group === 'resource')
const line = ({ route, header }: Frame) => `${route.operation} ${route.resource} ${header.resourceversion ?? '-'}`

async function start(source: ObjectSource = objectSource(), kubernetes = new FakeKubernetes()) {
  const cloud = await startCloud(kubernetes)
  cloud.hub.addSource(source)
  return { ...cloud, source }
}

test('a node with 20,000 objects that connects delays no change of another by more than some turns', async () => {
  const { source, hub, connect, settle, stop } = await start()
  const busy = connect('edge-1')
  const other = connect('edge-2')
  source.want('edge-2', 'a', '1')
  hub.sync('edge-2')
  await settle()
  for (const name of names(20_000)) source.want('edge-1', name, '1')
  hub.sync('edge-1')
  const turnsUntil = async (isDone: () => boolean) => {
    let turns = 0
    for (; !isDone() && turns < 1000; turns++) await new Promise((resolve) => setImmediate(resolve))
    return turns
  }
  for (let version = 2; version < 12; version++) {
    await turnsUntil(() => busy.received.length > version * 20)
    source.want('edge-2', 'a', String(version))
    hub.sync('edge-2')
    const turns = await turnsUntil(() => other.received.length === version)
    assert.ok(turns <= 10, `version ${version} took ${turns} turns`)
  }
  assert.ok(busy.received.length < 20_000)
  // A new object needs a record, which the busy node's many do not keep it from.
  source.want('edge-2', 'b', '1')
  hub.sync('edge-2')
  await settle(200)
  assert.ok(other.received.some(({ route }) => route.resource === 'shop/configmap/b'))
  assert.ok(busy.received.length < 20_000)
  await stop()
})

test('a node with more objects than fit into its outbox gets each of them once', async () => {
  const { source, connect, settle, stop } = await start()
  for (const name of names(3000)) source.want('edge-1', name, '1')
  const edge = connect('edge-1')
  for (let second = 0; second < 20 && edge.received.length < 3000; second++) await settle(1000)
  assert.equal(new Set(edge.received.map(({ route }) => route.resource)).size, 3000)
  assert.equal(edge.received.length, 3000)
  await stop()
})

test('a node that does not acknowledge costs a bounded number of frames, and the rest is only counted', async () => {
  const { source, hub, connect, settle, stop } = await start()
  for (const name of names(2000)) source.want('edge-1', name, '1')
  const edge = connect('edge-1')
  for (const name of names(2000)) edge.deaf.add(`shop/configmap/${name}`)
  await settle(100)
  const [snapshot] = hub.snapshot().nodes
  assert.deepEqual([edge.received.length, snapshot?.waiting], [32, 2000])
  await stop()
})

test('1,000 objects arrive at an original edge that keeps a hundred frames and drops the oldest', async () => {
  const { source, clock, connect, settle, stop } = await start()
  for (const name of names(1000)) source.want('edge-1', name, '1')
  const edge = connect('edge-1', { skerry: false })
  const stored = new Set<string>()
  let taken = 0
  let longest = 0
  // Takes one frame a millisecond from its queue.
  const work = () => {
    longest = Math.max(longest, edge.received.length - taken)
    taken = Math.max(taken, edge.received.length - 100)
    const frame = edge.received[taken]
    if (frame) {
      taken++
      stored.add(frame.route.resource ?? '')
      edge.acknowledge(frame)
    }
    if (stored.size < 1000) clock.after({ milliseconds: 1 }, work)
  }
  for (const name of names(1000)) edge.deaf.add(`shop/configmap/${name}`)
  work()
  for (let second = 0; second < 10 && stored.size < 1000; second++) {
    edge.say(keepalive, 'ping')
    await settle(500)
  }
  assert.deepEqual([stored.size, longest], [1000, 1])
  await stop()
})

test('an insert bears a resourceversion, a deletion needs none, an object is inline JSON, and no resource names the node', async () => {
  const { source, hub, connect, settle, stop } = await start()
  source.want('edge-1', 'a', '7')
  const edge = connect('edge-1')
  await settle()
  source.want('edge-1', 'a', '8')
  hub.sync('edge-1')
  await settle()
  source.unwant('edge-1', 'a')
  hub.sync('edge-1')
  await settle()
  assert.deepEqual(edge.received.map(line), [
    'insert shop/configmap/a 7',
    'update shop/configmap/a 8',
    'delete shop/configmap/a -',
  ])
  const metadata = { name: 'a', namespace: 'shop', uid: 'uid-a' }
  assert.deepEqual(
    edge.received.map(({ content }) => content),
    [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, resourceVersion: '7' } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, resourceVersion: '8' } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata },
    ],
  )
  await stop()
})

test('versions that are no numbers are delivered and recorded as they are', async () => {
  const { source, kubernetes, hub, connect, settle, stop } = await start()
  const edge = connect('edge-1')
  for (const version of ['abc', '', '-1', '99999999999999999999999999', 'abc']) {
    const metadata = { name: 'a', namespace: 'shop', uid: 'uid-a', resourceVersion: version }
    source.want('edge-1', 'a', `v${version}`, { object: { apiVersion: 'v1', kind: 'ConfigMap', metadata } })
    hub.sync('edge-1')
    await settle(1500)
  }
  assert.equal(edge.received.length, 5)
  const record = await kubernetes.get(OBJECT_SYNCS, { namespace: 'shop', name: 'edge-1.uid-a' })
  assert.equal(record?.status?.objectResourceVersion, 'abc')
  await stop()
})

test('what a node acknowledged of a cluster-scoped object is a ClusterObjectSync with KubeEdge’s names and fields', async () => {
  const { source, kubernetes, hub, connect, settle, stop } = await start()
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'edge-1', uid: 'n-1', resourceVersion: '100' } }
  source.want('edge-1', 'node', 'labels-1', { object: node })
  const edge = connect('edge-1')
  await settle()
  assert.deepEqual(edge.received.map(line), ['insert null/node/edge-1 100'])
  const record = await kubernetes.get(CLUSTER_OBJECT_SYNCS, { name: 'edge-1.n-1' })
  assert.deepEqual(record?.spec, { objectAPIVersion: 'v1', objectKind: 'Node', objectName: 'edge-1' })
  assert.deepEqual(record?.status, { objectResourceVersion: '100' })
  edge.disconnect()
  connect('edge-1')
  await settle()
  assert.equal(edge.received.length, 1)
  source.unwant('edge-1', 'node')
  const again = connect('edge-1')
  hub.sync('edge-1')
  await settle()
  assert.deepEqual(again.received.map(line), ['delete null/node/edge-1 -'])
  assert.equal(await kubernetes.get(CLUSTER_OBJECT_SYNCS, { name: 'edge-1.n-1' }), undefined)
  await stop()
})

test('a version that comes back after another was sent and not acknowledged is sent again', async () => {
  const { source, hub, connect, settle, stop } = await start()
  source.want('edge-1', 'a', 'blue')
  const first = connect('edge-1')
  await settle(2000)
  first.deaf.add('shop/configmap/a')
  source.want('edge-1', 'a', 'red')
  hub.sync('edge-1')
  await settle()
  // The node may have red now, although nobody knows.
  first.disconnect()
  source.want('edge-1', 'a', 'blue')
  const second = connect('edge-1')
  await settle()
  assert.deepEqual(objects(second).map(line), ['insert shop/configmap/a blue'])
  await stop()
})

test('whoever deletes a record has the object sent again', async () => {
  const { source, kubernetes, connect, settle, stop } = await start()
  source.want('edge-1', 'a', '1')
  const edge = connect('edge-1')
  await settle(2000)
  await kubernetes.delete(OBJECT_SYNCS, { namespace: 'shop', name: 'edge-1.uid-a' })
  await settle()
  assert.deepEqual(edge.received.map(line), ['insert shop/configmap/a 1', 'insert shop/configmap/a 1'])
  await stop()
})

test('an object that a node refuses is told to its source, backed off, and keeps nothing else', async () => {
  const { source, connect, settle, stop } = await start()
  for (const name of ['a', 'b', 'c']) source.want('edge-1', name, '1')
  const edge = connect('edge-1', { skerry: false })
  edge.deaf.add('shop/configmap/a')
  await settle()
  const [refused] = edge.received
  assert.ok(refused)
  edge.say({ ...refused.route, operation: 'error', source: 'metamanager' }, 'disk full')
  await settle()
  assert.deepEqual(edge.received.map(line), [
    'insert shop/configmap/a 1',
    'insert shop/configmap/b 1',
    'insert shop/configmap/c 1',
  ])
  assert.deepEqual(source.refusals, ['edge-1 a: disk full'])
  await settle(5000)
  assert.equal(edge.received.at(-1)?.header.msg_id, refused.header.msg_id)
  await stop()
})

test('restart of the cloud half with 1,000 objects resends nothing, and one that died before writing sends those once', async () => {
  const source = objectSource()
  for (const name of names(1000)) source.want('edge-1', name, '1')
  const first = await start(source)
  const edge = first.connect('edge-1')
  // The last acknowledgements cannot be written any more.
  first.kubernetes.fail('PATCH objectsyncs shop/edge-1.uid-cm-99', 500, 1000)
  await first.settle(5000)
  assert.equal(edge.received.length, 1000)
  await first.stop()
  const kubernetes = first.kubernetes
  const second = await start(source, kubernetes)
  const again = second.connect('edge-1')
  await second.settle(5000)
  const resent = objects(again).map(({ route }) => route.resource)
  assert.deepEqual(
    resent.toSorted(),
    names(1000)
      .filter((name) => name.startsWith('cm-99'))
      .map((name) => `shop/configmap/${name}`)
      .toSorted(),
  )
  await second.stop()
})

test('an object that changes all the time costs one record write a second, the last of which is true', async () => {
  const { source, kubernetes, hub, connect, settle, stop } = await start()
  source.want('edge-1', 'a', '0')
  connect('edge-1')
  await settle()
  kubernetes.writes.splice(0)
  for (let version = 1; version <= 50; version++) {
    source.want('edge-1', 'a', String(version))
    hub.sync('edge-1')
    await settle(100)
  }
  await settle(1000)
  const writes = kubernetes.writes.filter((call) => call.startsWith('PATCH objectsyncs'))
  assert.ok(writes.length <= 14, String(writes.length))
  const record = await kubernetes.get(OBJECT_SYNCS, { namespace: 'shop', name: 'edge-1.uid-a' })
  assert.equal(record?.metadata.annotations?.['skerry.dev/version'], '50')
  assert.equal(record?.status?.objectResourceVersion, '50')
  await stop()
})

test('what was deleted and is wanted again is sent again, also by a process that did not hear of the deletion', async () => {
  const { source, kubernetes, clock, hub, connect, settle, stop } = await start()
  const edge = connect('edge-1')
  source.want('edge-1', 'a', '1')
  hub.sync('edge-1')
  await settle(2000)
  edge.deaf.add('shop/configmap/a')
  source.unwant('edge-1', 'a')
  hub.sync('edge-1')
  await settle(50)
  assert.equal(edge.received.at(-1)?.route.operation, 'delete')
  // The node did it, its receipt is lost, and nobody who knew of it is left.
  const before = kubernetes.snapshot()
  await stop()
  kubernetes.restore(before)
  const again = await startCloud(kubernetes, clock)
  again.hub.addSource(source)
  source.want('edge-1', 'a', '1')
  const next = again.connect('edge-1')
  await again.settle(2000)
  assert.deepEqual(
    objects(next).map(({ route }) => `${route.operation} ${route.resource}`),
    ['insert shop/configmap/a'],
  )
  await again.stop()
})

test('an object that comes back while its record is being removed keeps a record, so that it can be taken away later', async () => {
  const { source, kubernetes, hub, connect, settle, stop } = await start()
  const edge = connect('edge-1')
  source.want('edge-1', 'a', '1')
  hub.sync('edge-1')
  await settle(2000)
  const remove = kubernetes.delete.bind(kubernetes)
  const held = Promise.withResolvers<void>()
  kubernetes.delete = async (...call) => {
    await held.promise
    return remove(...call)
  }
  source.unwant('edge-1', 'a')
  hub.sync('edge-1')
  await settle(50)
  source.want('edge-1', 'a', '1')
  hub.sync('edge-1')
  await settle(50)
  held.resolve()
  await settle(2000)
  assert.equal((await kubernetes.list(OBJECT_SYNCS, {})).items.length, 1)
  source.unwant('edge-1', 'a')
  hub.sync('edge-1')
  await settle(2000)
  assert.deepEqual(
    objects(edge).map(({ route }) => route.operation),
    ['insert', 'delete', 'insert', 'delete'],
  )
  await stop()
})

test('a node that makes up what it holds does not keep another from losing what it should not have', async () => {
  const { hub, connect, settle, stop } = await start()
  connect('edge-1')
  const other = connect('edge-2')
  const pod = (uid: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: uid, namespace: 'a', uid } })
  for (let count = 0; count < 100; count++) hub.evict('edge-1', pod(`made-up-${count}`))
  hub.evict('edge-2', pod('left'))
  await settle(100)
  assert.deepEqual(objects(other).map(line), ['delete a/configmap/left -'])
  await stop()
})

test('what is deleted while its record is being written is never sent: the edge would write to hardware for it', async () => {
  const { source, kubernetes, hub, connect, settle, stop } = await start()
  const create = kubernetes.create.bind(kubernetes)
  const held = Promise.withResolvers<void>()
  kubernetes.create = async (...call) => {
    await held.promise
    return create(...call)
  }
  source.want('edge-1', 'kept', '1')
  source.want('edge-1', 'gone', '2')
  const edge = connect('edge-1')
  await settle()
  source.unwant('edge-1', 'gone')
  hub.sync('edge-1')
  held.resolve()
  await settle(500)
  const given = objects(edge).filter(({ route }) => route.operation !== 'delete')
  assert.deepEqual(given.map(line), ['insert shop/configmap/kept 1'])
  await stop()
})
