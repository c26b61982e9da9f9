import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assignedPods, type Frame, type Json, links, podReports } from '../../../schemas/index.ts'
import { type BenchOptions, type EdgeBench, setTwin, startEdge, twinOf } from '../testing/edge-bench.ts'

const LIMITS = { maxMessages: 1000, maxBytes: 1_000_000, maxAgeHours: 24 }

/** An edge that was away, with something of everything to say. */
async function eventful(options: BenchOptions = {}): Promise<EdgeBench> {
  const edge = await startEdge({ userMessages: LIMITS, isReachable: false, ...options })
  edge.bus.set(assignedPods, 'shop/till', { uid: 'u-1', pod: {} })
  edge.bus.set(podReports, 'shop/till', { uid: 'u-1', status: { phase: 'Running' } })
  setTwin(edge.bus, twinOf('pump-1', 3))
  await edge.mqtt.send('room/user/door', 'open')
  return edge
}

const IN_ORDER = [
  'keepalive node',
  'insert null/node/edge-1',
  'patch null/nodepatch/edge-1',
  'query kube-node-lease/lease/edge-1',
  'insert kube-node-lease/lease/edge-1',
  'patch shop/podpatch/till',
  'update device/default/pump-1/state/update',
  'update device/default/pump-1/twin/edge_updated',
  'upload room/user/door',
]

test('110: at connect a keepalive goes first, then the Node and its status, the Lease, pods, twins, user messages', async () => {
  for (const isSkerry of [true, false]) {
    const edge = await eventful({ isSkerry })
    edge.dialer.isReachable = true
    await edge.advance(31_000)
    const said = edge.cloud.summary().filter((each) => each !== 'keepalive node')
    const order = IN_ORDER.map((each) => said.findIndex((one) => one.replace(/^\w+ device/, 'update device') === each))
    assert.equal(edge.cloud.summary()[0], 'keepalive node')
    assert.ok(
      order.slice(1).every((at) => at >= 0),
      said.join('\n'),
    )
    assert.deepEqual(
      order.slice(1),
      order.slice(1).toSorted((a, b) => a - b),
      said.join('\n'),
    )
    await edge.stop()
  }
})

test('a cloud that does not get on with the Node is told the rest after five seconds', async () => {
  const edge = await eventful()
  const usual = edge.cloud.answers
  edge.cloud.answers = (frame) => (frame.route.resource?.includes('/node/') ? undefined : usual(frame))
  edge.dialer.isReachable = true
  await edge.hub.reconnect('now')
  while (!edge.hub.isConnected) await edge.advance(100)
  await edge.advance(4800)
  assert.ok(!edge.cloud.summary().includes('upload room/user/door'))
  await edge.advance(400)
  assert.ok(edge.cloud.summary().includes('upload room/user/door'))
  await edge.stop()
})

test('a cloud with another memory is told everything again, once, and the same one is not', async () => {
  const first = await startEdge()
  setTwin(first.bus, twinOf('pump-1', 3))
  await first.advance(1000)
  const reports = (edge: EdgeBench) =>
    edge.cloud.reports().filter(({ route }) => route.resource?.endsWith('edge_updated')).length
  const again = async (edge: EdgeBench, cloudEpoch: string) => {
    edge.dialer.cloudEpoch = cloudEpoch
    edge.dialer.pair?.cut('the cable')
    await edge.advance(10_000)
    return reports(edge)
  }
  assert.equal(reports(first), 1)
  assert.equal(await again(first, 'cloud-1'), 1)
  assert.equal(await again(first, 'cloud-2'), 2)
  assert.equal(await again(first, 'cloud-2'), 2)
  await first.stop()
  const prepare = (bus: EdgeBench['bus']) => setTwin(bus, twinOf('pump-1', 3))
  const second = await startEdge({ after: first, prepare, isReachable: false })
  second.dialer.cloudEpoch = 'cloud-2'
  second.dialer.isReachable = true
  await second.advance(31_000)
  assert.equal(reports(second), 2, 'it is known after a restart')
  await second.stop()
})

test('a new memory of the cloud that cannot be noted is met anew, and costs no more than repetition', async () => {
  const edge = await startEdge()
  setTwin(edge.bus, twinOf('pump-1', 3))
  await edge.advance(1000)
  edge.store.failure = 'disk full'
  edge.dialer.cloudEpoch = 'cloud-2'
  for (let at = 0; at < 2; at++) {
    edge.dialer.pair?.cut('the cable')
    await edge.advance(10_000)
  }
  assert.equal(edge.cloud.reports().filter(({ route }) => route.resource?.endsWith('edge_updated')).length, 3)
  assert.equal(edge.hub.isConnected, true)
  await edge.stop()
})

test('frames go by their group; one that nothing serves ends nothing', async () => {
  const edge = await startEdge({ userMessages: LIMITS, isSkerry: false })
  await edge.advance(100)
  edge.cloud.forget()
  const say = (group: string, source: string, operation: string, resource: string, content: Json = null) =>
    edge.cloud.say({ group, source, operation, resource }, content)
  say('func', 'edgecontroller', 'insert', 'a/configmap/b', { metadata: { name: 'b' } })
  say('taskmanager', 'taskmanager', 'Check', 'operations.kubeedge.io/v1alpha2/nodeupgradejob/j/node/edge-1', {})
  say('user', 'somebody', 'publish', 'a/b', 'x')
  say('user', 'router_eventbus', 'dance', 'a/b', 'x')
  await edge.advance(100)
  assert.deepEqual(edge.cloud.summary(), ['response a/configmap/b'])
  assert.equal(edge.hub.isConnected, true)
  await edge.stop()
})

test('the state of the road shows the link, its queues, its last receipt, and why it is down', async () => {
  const edge = await eventful()
  await edge.advance(5000)
  const away = edge.hub.status()
  assert.deepEqual(
    [away.connected, away.peer, away.twinsWaiting, away.podsWaiting, away.userMessages.waiting],
    [false, undefined, 1, 1, 1],
  )
  assert.match(away.detail, /nobody listens/)
  assert.equal(away.userMessages.oldestAge, 5000)
  assert.equal(away.lastReceipt, undefined)
  edge.dialer.isReachable = true
  await edge.advance(31_000)
  const there = edge.hub.status()
  assert.deepEqual(
    [there.connected, there.peer, there.requests, there.twinsWaiting, there.podsWaiting, there.userMessages],
    [true, 'skerry', 0, 0, 0, { waiting: 0, bytes: 0, kept: 0, dropped: {} }],
  )
  assert.ok((there.lastReceipt ?? 0) > away.since)
  edge.dialer.isReachable = false
  edge.dialer.pair?.cut('the peer closed the connection: the node was deleted')
  await edge.advance(1)
  assert.equal(edge.bus.get(links, 'cloud')?.detail, 'the peer closed the connection: the node was deleted')
  await edge.stop()
})

test('a cloud that answers twice, answers what nobody asked, or says nothing sensible, harms nothing', async () => {
  const edge = await startEdge({ userMessages: LIMITS })
  const usual = edge.cloud.answers
  const garbage: Json[] = [null, 7, [], { Object: 3, Err: 4 }, { Err: { ErrStatus: null } }, 'x'.repeat(100_000)]
  let at = 0
  edge.cloud.answers = (frame) => {
    const answer = usual(frame)
    if (!answer) return undefined
    void edge.dialer.pair?.cloud.send({ ...answer, content: garbage[at++ % garbage.length] ?? null })
    return answer
  }
  setTwin(edge.bus, twinOf('pump-1', 3))
  for (let count = 0; count < 20; count++) {
    await edge.mqtt.send('room/user/door', String(count))
    edge.cloud.say({ group: 'resource', operation: 'update', resource: `a/b/c${count}` }, garbage[count % 6] ?? null)
    edge.cloud.say(
      { group: 'twin', operation: 'update', resource: 'device/pump-1/updated' },
      garbage[count % 6] ?? null,
    )
    edge.cloud.say({ group: 'user', source: 'router_eventbus', operation: 'publish', resource: '+/#' }, 'x')
    await edge.advance(3000)
  }
  assert.equal(edge.hub.isConnected, true)
  assert.equal(edge.dialer.attempts.length, 1)
  assert.deepEqual(
    uploads(edge),
    Array.from({ length: 20 }, (_, count) => String(count)),
  )
  assert.ok(edge.log.messages('error').every((message) => message !== 'crashed'))
  await edge.stop()
})

function uploads(edge: EdgeBench): readonly Json[] {
  const frames: readonly Frame[] = edge.cloud.received
  return frames.filter(({ route }) => route.operation === 'upload').map(({ content }) => content)
}
