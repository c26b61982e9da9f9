import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pumpDevice, pumpModel, startCloud } from '../testing/harness.ts'
import { objectSource } from '../testing/object-source.ts'

const keepalive = { source: 'websocket', group: 'resource', operation: 'keepalive', resource: 'node' }

test('a session ends after 30 s without keepalive, and lives on with one each 15 s; a keepalive gets no reply', async () => {
  const cloud = await startCloud()
  const edge = cloud.connect('edge-1')
  for (let count = 0; count < 8; count++) {
    await cloud.settle(15_000)
    edge.say(keepalive, 'ping')
  }
  assert.equal(edge.closed, undefined)
  assert.deepEqual(edge.received, [])
  await cloud.settle(29_000)
  assert.equal(edge.closed, undefined)
  await cloud.settle(2_000)
  assert.equal(edge.closed, 'no keepalive for 30 s')
  await cloud.stop()
})

test('a second session of a node replaces the first, whose late end does not disturb it', async () => {
  const cloud = await startCloud()
  const first = cloud.connect('edge-1')
  const second = cloud.connect('edge-1')
  assert.match(first.closed ?? '', /replaced/)
  first.disconnect()
  assert.equal(cloud.hub.isConnected('edge-1'), true)
  assert.equal(second.closed, undefined)
  await cloud.stop()
})

test('who begins to listen, or to give, meets the sessions that are there already', async () => {
  const cloud = await startCloud()
  const edge = cloud.connect('edge-1')
  await cloud.settle(1000)
  const told: string[] = []
  cloud.hub.onConnection(({ node }, connected) => told.push(`${node} ${connected}`))
  assert.deepEqual(told, ['edge-1 true'])
  const source = objectSource()
  source.want('edge-1', 'a', '1')
  cloud.hub.addSource(source)
  await cloud.settle(1000)
  assert.deepEqual(
    edge.received.map(({ route }) => route.resource),
    ['shop/configmap/a'],
  )
  await cloud.stop()
})

test('a frame in the name of a cloud module is dropped', async () => {
  const cloud = await startCloud()
  const edge = cloud.connect('edge-1')
  const got: string[] = []
  cloud.hub.onUpstream('edge', ({ frame }) => void got.push(frame.route.source ?? ''))
  for (const source of ['edgecontroller', 'devicecontroller', 'cloudhub', 'synccontroller', 'edged']) {
    edge.say({ source, group: 'resource', operation: 'update', resource: 'null/node/edge-1' }, null)
  }
  assert.deepEqual(got, ['edged'])
  await cloud.stop()
})

test('unknown operations and errors of an edge end nothing', async () => {
  const cloud = await startCloud()
  const edge = cloud.connect('edge-1')
  edge.say({}, null)
  edge.say({ operation: 'dance', source: 'x' }, [1])
  edge.say({ operation: 'error', source: 'metamanager' }, 'disk full')
  edge.say({ operation: 'upload', group: 'user', resource: 'topic' }, 'x')
  edge.say({ source: 'twin', operation: 'update', resource: 'device/a/b/twin/edge_updated' }, 'no json')
  await cloud.settle()
  assert.equal(edge.closed, undefined)
  await cloud.stop()
})

test('an error of the edge is no receipt: the object is sent again, the same frame', async () => {
  const cloud = await startCloud()
  await cloud.apply(pumpModel())
  const edge = cloud.connect('edge-1')
  edge.deaf.add('default/device/pump-1')
  await cloud.apply(pumpDevice())
  const sent = () => edge.received.filter(({ route }) => route.resource === 'default/device/pump-1')
  edge.say({ operation: 'error', source: 'metamanager', group: 'meta' }, 'disk full')
  await cloud.settle(5_000)
  assert.deepEqual(
    sent().map(({ header }) => header.msg_id),
    Array(2).fill(sent()[0]?.header.msg_id),
  )
  await cloud.stop()
})

test('a node that never acknowledges delays no other node', async () => {
  const cloud = await startCloud()
  await cloud.apply(pumpModel())
  const deaf = cloud.connect('edge-1', { skerry: false })
  for (const name of ['a', 'b', 'c']) deaf.deaf.add(`default/device/${name}`)
  deaf.deaf.add('default/devicemodel/pump')
  const healthy = cloud.connect('edge-2')
  for (const name of ['a', 'b', 'c']) await cloud.apply(pumpDevice(name, '1', 'edge-1'))
  await cloud.apply(pumpDevice('d', '1', 'edge-2'))
  assert.ok(healthy.received.some(({ route }) => route.resource === 'default/device/d'))
  await cloud.stop()
})

test('a node that is deleted is cut off, and its records go', async () => {
  const cloud = await startCloud()
  await cloud.apply(pumpModel())
  await cloud.apply(pumpDevice())
  const edge = cloud.connect('edge-1')
  await cloud.settle()
  assert.equal(cloud.hub.isKnown('edge-1'), true)
  cloud.hub.remove('edge-1')
  await cloud.settle()
  assert.match(edge.closed ?? '', /deleted/)
  assert.equal(cloud.hub.isKnown('edge-1'), false)
  assert.ok(cloud.kubernetes.writes.some((call) => call.startsWith('DELETE objectsyncs')))
  await cloud.stop()
})

test('records that could not be written are written later, and nothing is sent twice for it', async () => {
  const cloud = await startCloud()
  await cloud.apply(pumpModel())
  cloud.kubernetes.fail('PATCH objectsyncs', 500, 4)
  const edge = cloud.connect('edge-1')
  await cloud.apply(pumpDevice())
  await cloud.settle(10_000)
  cloud.hub.sync('edge-1')
  await cloud.settle(10)
  assert.equal(edge.received.filter(({ route }) => route.resource === 'default/device/pump-1').length, 1)
  await cloud.stop()
  const again = await startCloud(cloud.kubernetes, cloud.clock)
  const same = again.connect('edge-1')
  await again.settle()
  assert.deepEqual(
    same.received.map(({ route }) => route.resource),
    ['membership'],
  )
  await again.stop()
})

test('a node that claims what is another’s is told so and its connection is closed', async () => {
  const cloud = await startCloud()
  const edge = cloud.connect('edge-1')
  cloud.hub.onUpstream('edge', ({ expel }) => expel('pods of edge-2 are not yours'))
  const claim = edge.say({ source: 'edged', group: 'meta', operation: 'update', resource: 'a/podstatus/b' }, null)
  assert.deepEqual(
    edge.received.map(({ header, route, content }) => [header.parent_msg_id, route.operation, content]),
    [[claim.header.msg_id, 'error', 'pods of edge-2 are not yours']],
  )
  assert.equal(edge.closed, 'pods of edge-2 are not yours')
  assert.equal(cloud.hub.isConnected('edge-1'), false)
  await cloud.stop()
})

test('a node that is cut off loses its session and nothing else', async () => {
  const cloud = await startCloud()
  await cloud.apply(pumpModel())
  await cloud.apply(pumpDevice())
  const edge = cloud.connect('edge-1')
  await cloud.settle()
  cloud.hub.cutOff('edge-1', 'its certificate was revoked')
  cloud.hub.cutOff('edge-2', 'never seen')
  assert.equal(edge.closed, 'its certificate was revoked')
  assert.equal(cloud.hub.isKnown('edge-1'), true)
  await cloud.stop()
})

test('a node whose frames are not worked off is not read further, and is not taken for dead', async () => {
  const cloud = await startCloud()
  const working: PromiseWithResolvers<void>[] = []
  cloud.hub.onUpstream('edge', () => {
    working.push(Promise.withResolvers())
    return working.at(-1)?.promise
  })
  const edge = cloud.connect('edge-1')
  for (let count = 0; count < 64; count++) edge.say({ source: 'edged', operation: 'query', resource: 'a/b/c' }, null)
  let isRead = false
  const read = edge.room()?.then(() => {
    isRead = true
  })
  await cloud.settle(100_000)
  assert.deepEqual([isRead, edge.closed], [false, undefined])
  working[5]?.reject(new Error('the API is away'))
  await read
  await cloud.settle(31_000)
  assert.equal(edge.closed, 'no keepalive for 30 s')
  await cloud.stop()
})

test('the snapshot says who is connected, what waits since when, and when something was acknowledged', async () => {
  const cloud = await startCloud()
  await cloud.apply(pumpModel())
  const connectedAt = cloud.clock.now()
  const edge = cloud.connect('edge-1')
  edge.deaf.add('default/device/pump-1')
  await cloud.settle(1000)
  const waitingSince = cloud.clock.now()
  await cloud.apply(pumpDevice())
  const [node] = cloud.hub.snapshot().nodes
  const { acknowledgedAt = 0, ...rest } = node ?? { acknowledgedAt: 0 }
  assert.deepEqual(rest, { node: 'edge-1', skerry: true, connectedAt, waiting: 1, waitingSince, dropped: 0 })
  assert.ok(acknowledgedAt >= waitingSince)
  edge.say({ source: 'cloudhub', operation: 'update' }, null)
  assert.deepEqual(cloud.hub.snapshot().dropped, { 'forged-source': 1 })
  await cloud.stop()
})
