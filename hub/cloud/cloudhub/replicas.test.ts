import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { LEASES, NODES, OBJECT_SYNCS } from '../kubernetes/resources.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { type ScriptedEdge, startCloud } from '../testing/harness.ts'
import { objectSource } from '../testing/object-source.ts'

const resources = (edge: ScriptedEdge) =>
  edge.received
    .filter(({ route }) => route.group === 'resource')
    .map(({ route }) => `${route.operation} ${route.resource}`)

/** Two cloud halves on one API. */
async function startTwo() {
  const kubernetes = new FakeKubernetes()
  const clock = new FakeClock()
  const source = objectSource()
  const a = await startCloud(kubernetes, clock)
  const b = await startCloud(kubernetes, clock)
  for (const { hub } of [a, b]) hub.addSource(source)
  const settle = (milliseconds = 5) => a.settle(milliseconds)
  return { kubernetes, source, a, b, settle, stop: () => Promise.all([a.stop(), b.stop()]) }
}

test('a node that moves to another replica gets there what is pending, and the first lets go of it', async () => {
  const { kubernetes, source, a, b, settle, stop } = await startTwo()
  source.want('edge-1', 'old', '1')
  const before = a.connect('edge-1')
  await settle(2000)
  // The link to A is half-open: nothing gets through, and A does not know.
  before.deaf.add('shop/configmap/new')
  source.want('edge-1', 'new', '1')
  a.hub.sync('edge-1')
  b.hub.sync('edge-1')
  await settle()
  const after = b.connect('edge-1')
  await settle()
  assert.equal(before.closed, 'the node is connected to another cloud half')
  assert.deepEqual([a.hub.isConnected('edge-1'), b.hub.isConnected('edge-1')], [false, true])
  assert.deepEqual(resources(after), ['insert shop/configmap/new'])
  const lease = await kubernetes.get(LEASES, { namespace: 'kubeedge', name: 'edge-1' })
  assert.equal(typeof lease?.spec?.['holderIdentity'], 'string')
  // And back: what B recorded counts at A.
  const again = a.connect('edge-1')
  await settle()
  assert.match(after.closed ?? '', /another cloud half/)
  assert.deepEqual(resources(again), [])
  await stop()
})

test('the claim of a session that is there already ends no later one, and a Lease that is deleted is claimed again', async () => {
  const { kubernetes, a, b, settle, stop } = await startTwo()
  const first = a.connect('edge-1')
  const second = b.connect('edge-1')
  await settle(1000)
  // Whoever wrote last has the node; exactly one of the two is left.
  assert.equal([first, second].filter(({ closed }) => closed === undefined).length, 1)
  await kubernetes.delete(LEASES, { namespace: 'kubeedge', name: 'edge-1' })
  await settle(1000)
  assert.ok(await kubernetes.get(LEASES, { namespace: 'kubeedge', name: 'edge-1' }))
  assert.equal([first, second].filter(({ closed }) => closed === undefined).length, 1)
  await stop()
})

test('a claim that the API held up takes nothing from a session that began later at another replica', async () => {
  const { kubernetes, a, b, settle, stop } = await startTwo()
  a.connect('edge-1').disconnect()
  b.connect('edge-1').disconnect()
  await settle(1000)
  const at = { namespace: 'kubeedge', name: 'edge-1' }
  assert.ok(await kubernetes.get(LEASES, at))
  const release = Promise.withResolvers<void>()
  const patch = kubernetes.patch.bind(kubernetes)
  kubernetes.patch = async (type, ...call) => {
    if (type.plural !== 'leases') return patch(type, ...call)
    kubernetes.patch = patch
    await release.promise
    return patch(type, ...call)
  }
  const first = a.connect('edge-1')
  await settle(1000)
  const second = b.connect('edge-1')
  await settle(1000)
  release.resolve()
  await settle(1000)
  assert.deepEqual([first.closed, second.closed], ['the node is connected to another cloud half', undefined])
  assert.match(String((await kubernetes.get(LEASES, at))?.spec?.['holderIdentity']), /-of-/)
  assert.deepEqual([a.hub.isConnected('edge-1'), b.hub.isConnected('edge-1')], [false, true])
  // What was seen of an older claim is outdated: that one is overcome.
  await settle(1000)
  kubernetes.fail('PATCH leases', 409, 1)
  const third = a.connect('edge-1')
  await settle(1000)
  assert.deepEqual([second.closed, third.closed], ['the node is connected to another cloud half', undefined])
  await stop()
})

test('a replica that no longer has the node does not overwrite what the other recorded', async () => {
  const { kubernetes, source, a, b, settle, stop } = await startTwo()
  source.want('edge-1', 'x', '1')
  const before = a.connect('edge-1')
  await settle(2000)
  // A learns of version 2 and cannot write it for a while.
  kubernetes.fail('PATCH objectsyncs', 500, 1)
  source.want('edge-1', 'x', '2')
  a.hub.sync('edge-1')
  await settle(1)
  before.disconnect()
  source.want('edge-1', 'x', '3')
  b.connect('edge-1')
  await settle(5000)
  const record = await kubernetes.get(OBJECT_SYNCS, { namespace: 'shop', name: 'edge-1.uid-x' })
  assert.equal(record?.metadata.annotations?.['skerry.dev/version'], '3')
  await stop()
})

test('what a replica has sent and the API no longer wants, the other takes away', async () => {
  const { source, a, b, settle, stop } = await startTwo()
  source.want('edge-1', 'x', '1')
  a.connect('edge-1').deaf.add('shop/configmap/x')
  await settle()
  source.unwant('edge-1', 'x')
  const after = b.connect('edge-1')
  await settle()
  assert.deepEqual(resources(after), ['delete shop/configmap/x'])
  await stop()
})

const register = { source: 'edged', group: 'meta', operation: 'insert', resource: 'null/node/edge-1' }

async function startOriginal() {
  const source = objectSource()
  const cloud = await startCloud()
  cloud.hub.addSource(source)
  await cloud.kubernetes.create(NODES, undefined, { metadata: { name: 'edge-1' } })
  const handed: string[] = []
  cloud.hub.onUpstream('edge', ({ frame }) => void handed.push(frame.route.operation ?? ''))
  for (const name of ['a', 'b']) source.want('edge-1', name, '1')
  const first = cloud.connect('edge-1', { skerry: false })
  first.say(register, {})
  await cloud.settle(3000)
  return { ...cloud, source, first, handed }
}

test('a new process of an original edge, which may have lost its database, gets everything once; a new connection does not', async () => {
  const { first, connect, settle, handed, stop } = await startOriginal()
  assert.deepEqual(resources(first), ['insert shop/configmap/a', 'insert shop/configmap/b'])
  const reconnected = connect('edge-1', { skerry: false })
  await settle(3000)
  assert.deepEqual(resources(reconnected), [])
  const restarted = connect('edge-1', { skerry: false })
  restarted.say(register, {})
  await settle(3000)
  assert.deepEqual(resources(restarted), ['insert shop/configmap/a', 'insert shop/configmap/b'])
  assert.deepEqual(handed, ['insert', 'insert'])
  const again = connect('edge-1', { skerry: false })
  await settle(3000)
  assert.deepEqual(resources(again), [])
  await stop()
})

test('a new process of an original edge is resynced also when the cloud half dies in the middle of it', async () => {
  const { kubernetes, source, connect, settle, clock, stop } = await startOriginal()
  const restarted = connect('edge-1', { skerry: false })
  for (const name of ['a', 'b']) restarted.deaf.add(`shop/configmap/${name}`)
  restarted.say(register, {})
  await settle(20)
  assert.deepEqual(resources(restarted), ['insert shop/configmap/a'])
  await stop()
  const next = await startCloud(kubernetes, clock)
  next.hub.addSource(source)
  const edge = next.connect('edge-1', { skerry: false })
  await next.settle(3000)
  assert.deepEqual(resources(edge), ['insert shop/configmap/a', 'insert shop/configmap/b'])
  await next.stop()
})

test('a first registration, when there is no Node yet, repeats nothing that this process has acknowledged', async () => {
  const source = objectSource()
  const { hub, kubernetes, connect, settle, stop } = await startCloud()
  hub.addSource(source)
  hub.onUpstream('edge', async () => {
    await kubernetes.create(NODES, undefined, { metadata: { name: 'edge-1' } })
  })
  source.want('edge-1', 'a', '1')
  const edge = connect('edge-1', { skerry: false })
  await settle(2000)
  edge.say(register, {})
  await settle(3000)
  const node = await kubernetes.get(NODES, { name: 'edge-1' })
  assert.notEqual(node?.metadata.annotations?.['skerry.dev/resync'], undefined)
  const again = connect('edge-1', { skerry: false })
  await settle(3000)
  assert.deepEqual([resources(edge), resources(again)], [['insert shop/configmap/a'], []])
  await stop()
})

test('a registration that was held up does not make the Node of a node anew that was cut off meanwhile', async () => {
  const { hub, kubernetes, connect, settle, stop } = await startCloud()
  await kubernetes.create(NODES, undefined, { metadata: { name: 'edge-1' } })
  const handed: unknown[] = []
  hub.onUpstream('edge', ({ frame }) => void handed.push(frame.route.operation))
  const release = Promise.withResolvers<void>()
  const patch = kubernetes.patch.bind(kubernetes)
  kubernetes.patch = async (type, ...call) => {
    if (type.plural === 'nodes') await release.promise
    return patch(type, ...call)
  }
  connect('edge-1', { skerry: false }).say(register, {})
  await settle()
  hub.remove('edge-1')
  release.resolve()
  await settle()
  assert.deepEqual(handed, [])
  await stop()
})

test('one process of an original edge that registers again and again in one session costs one mark', async () => {
  const { hub, kubernetes, connect, settle, stop } = await startCloud()
  await kubernetes.create(NODES, undefined, { metadata: { name: 'edge-1' } })
  await settle()
  const handed: unknown[] = []
  hub.onUpstream('edge', ({ frame }) => void handed.push(frame.route.operation))
  const edge = connect('edge-1', { skerry: false })
  for (let count = 0; count < 20; count++) edge.say(register, {})
  await settle()
  assert.equal(handed.length, 20)
  assert.deepEqual(
    kubernetes.writes.filter((call) => call.startsWith('PATCH nodes')),
    ['PATCH nodes edge-1'],
  )
  await stop()
})

test('a person has everything sent again by an annotation of the Node, to an edge of either kind', async () => {
  for (const skerry of [true, false]) {
    const source = objectSource()
    const { hub, kubernetes, connect, settle, stop } = await startCloud()
    hub.addSource(source)
    await kubernetes.create(NODES, undefined, { metadata: { name: 'edge-1' } })
    source.want('edge-1', 'a', '1')
    const edge = connect('edge-1', { skerry })
    await settle(2000)
    const annotations = { 'skerry.dev/resync': 'please' }
    await kubernetes.patch(NODES, { name: 'edge-1' }, { metadata: { annotations } }, { type: 'merge' })
    await settle(2000)
    assert.deepEqual(resources(edge), ['insert shop/configmap/a', 'insert shop/configmap/a'])
    await stop()
  }
})

test('what a node acknowledged is forgotten when its Node is gone and nothing is meant for it', async () => {
  const source = objectSource()
  const { hub, kubernetes, connect, settle, stop } = await startCloud()
  hub.addSource(source)
  const nodes = ['gone', 'wanted', 'present', 'here']
  for (const node of nodes) {
    source.want(node, `cm-${node}`, '1')
    const edge = connect(node)
    await settle(1500)
    if (node !== 'here') edge.disconnect()
    if (node !== 'wanted') source.unwant(node, `cm-${node}`)
  }
  await kubernetes.create(NODES, undefined, { metadata: { name: 'present' } })
  for (let count = 0; count < 25; count++) await settle(25_000)
  assert.deepEqual(
    nodes.map((node) => hub.isKnown(node)),
    [false, true, true, true],
  )
  await stop()
})
