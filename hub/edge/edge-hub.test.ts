import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Bus } from '../../platform/bus/index.ts'
import { type Frame, links } from '../../schemas/index.ts'
import { type EdgeBench, setTwin, startEdge, twinOf } from './testing/edge-bench.ts'

const keepalives = (edge: EdgeBench) => edge.cloud.received.filter(({ route }) => route.operation === 'keepalive')

test('a start does not wait for the cloud, and says that it is waited for', async () => {
  const edge = await startEdge({ isReachable: false })
  assert.equal(edge.hub.isConnected, false)
  assert.match(edge.bus.get(links, 'cloud')?.detail ?? '', /nobody listens/)
  edge.dialer.isReachable = true
  await edge.advance(2000)
  assert.equal(edge.bus.get(links, 'cloud')?.connected, true)
  await edge.stop()
  assert.equal(edge.bus.get(links, 'cloud')?.connected, false)
})

test('the edge names itself, its project, its use and its database when it dials, the same after a restart', async () => {
  const first = await startEdge()
  const [headers] = first.dialer.attempts
  assert.equal(headers?.['node_id'], 'edge-1')
  assert.equal(headers?.['project_id'], 'e632aba927ea4ac2b575ec1603d56f10')
  assert.equal(headers?.['ConnectionUse'], 'msg')
  const epoch = headers?.['x-skerry-epoch']
  assert.match(epoch ?? '', /^[0-9a-f-]{36}$/)
  await first.stop()
  const second = await startEdge({ after: first })
  assert.equal(second.dialer.attempts[0]?.['x-skerry-epoch'], epoch)
  await second.stop()
})

test('a database that went back is another one: the cloud is told so once, and told everything again', async () => {
  const first = await startEdge()
  setTwin(first.bus, twinOf('pump-1', 42))
  await first.advance(1000)
  const epoch = first.dialer.attempts[0]?.['x-skerry-epoch']
  await first.stop()
  const reports = (edge: EdgeBench) =>
    edge.cloud.received.filter(({ route }) => route.resource?.endsWith('pump-1/twin/edge_updated')).length
  const sent = reports(first)
  assert.ok(sent > 0)

  const prepare = (bus: Bus) => setTwin(bus, twinOf('pump-1', 42))
  const restored = await startEdge({ after: first, incarnation: 7, prepare })
  const attempts = restored.dialer.attempts
  await restored.advance(1000)
  assert.notEqual(attempts[0]?.['x-skerry-epoch'], epoch)
  assert.equal(reports(restored), sent + 1, 'what the lost state had confirmed is not believed')
  await restored.stop()

  const again = await startEdge({ after: restored, incarnation: 7, prepare })
  assert.equal(again.dialer.attempts[0]?.['x-skerry-epoch'], attempts[0]?.['x-skerry-epoch'])
  await again.advance(1000)
  assert.equal(reports(again), sent + 1)
  await again.stop()
})

test('a keepalive goes first, and one each 15 s, in KubeEdge’s form', async () => {
  const edge = await startEdge()
  const [first] = edge.cloud.received
  assert.deepEqual(first?.route, {
    source: 'websocket',
    group: 'resource',
    operation: 'keepalive',
    resource: 'node',
  })
  assert.equal(first?.content, 'ping')
  await edge.advance(45_000)
  assert.equal(keepalives(edge).length, 4)
  await edge.stop()
})

test('after the link it comes back by itself, sooner after a good link than after many failures', async () => {
  const edge = await startEdge()
  await edge.advance(10_000)
  edge.dialer.pair?.cut('the cable')
  await edge.advance(1000)
  assert.equal(edge.dialer.attempts.length, 2)
  edge.dialer.isReachable = false
  edge.dialer.pair?.cut('the cable')
  await edge.advance(600_000)
  const tries = edge.dialer.attempts.length
  assert.ok(tries > 20 && tries < 60, `${tries} attempts in ten minutes`)
  edge.dialer.isReachable = true
  await edge.advance(30_000)
  assert.equal(edge.hub.isConnected, true)
  await edge.stop()
})

test('reconnecting closes the link and dials again', async () => {
  const edge = await startEdge()
  edge.hub.reconnect('the certificate was renewed')
  await edge.advance(1000)
  assert.equal(edge.dialer.attempts.length, 2)
  assert.equal(edge.hub.isConnected, true)
  await edge.stop()
})

test('unknown groups, late answers and notices of membership end nothing and get no reply', async () => {
  const edge = await startEdge()
  await edge.advance(100)
  edge.cloud.forget()
  edge.cloud.say({ source: 'x', group: 'unheard', operation: 'update', resource: 'a/b/c' }, null)
  edge.cloud.say({}, null)
  edge.cloud.say({ source: 'devicecontroller', group: 'twin', operation: 'update', resource: 'membership' }, {})
  await edge.dialer.pair?.cloud.send({
    header: { msg_id: 'late', parent_msg_id: 'unknown', timestamp: 1 },
    route: { group: 'resource', operation: 'response', resource: 'a/b/c' },
    content: {},
  })
  await edge.advance(100)
  assert.deepEqual(edge.cloud.received, [])
  assert.equal(edge.hub.isConnected, true)
  await edge.stop()
})

test('a request fails with an error of the cloud, at its deadline, with the link, and at once without one', async () => {
  const edge = await startEdge()
  const route = { source: 'edged', group: 'meta', operation: 'query', resource: 'a/b/c' }
  edge.cloud.answers = (frame) =>
    frame.route.resource === 'a/b/c' ? reply(frame, 'not here', { operation: 'error' }) : undefined
  const refused = assert.rejects(edge.hub.ask(route, null), { code: 'HUB_REQUEST_FAILED' })
  await edge.advance()
  await refused
  edge.cloud.answers = () => undefined
  const late = assert.rejects(edge.hub.ask(route, null), { code: 'PLATFORM_DEADLINE' })
  await edge.advance(20_000)
  await late
  const cut = assert.rejects(edge.hub.ask(route, null), /the cable/)
  edge.dialer.isReachable = false
  edge.dialer.pair?.cut('the cable')
  await edge.advance()
  await cut
  await assert.rejects(edge.hub.ask(route, null), { code: 'HUB_OFFLINE' })
  await edge.stop()
})

test('an original peer gets at most 60 messages at once and 30 a second, receipts first, keepalives apart', async () => {
  const edge = await startEdge({ isSkerry: false })
  await edge.advance(5000)
  edge.cloud.forget()
  for (let count = 0; count < 200; count++) setTwin(edge.bus, twinOf(`d${count}`, 1))
  await edge.advance(1)
  const burst = edge.cloud.received.length
  assert.ok(burst <= 60, `${burst} at once`)
  const asked = edge.cloud.say({ group: 'resource', operation: 'insert', resource: 'a/configmap/c' }, {}, '1')
  await edge.advance(100)
  assert.ok(edge.cloud.received.some(({ header }) => header.parent_msg_id === asked.header.msg_id))
  await edge.advance(900)
  const second = edge.cloud.received.length - burst
  assert.ok(second >= 28 && second <= 31, `${second} in the next second`)
  await edge.advance(15_000)
  assert.equal(edge.cloud.reports().length, 400)
  assert.ok(keepalives(edge).length >= 1)
  await edge.stop()
})

function reply(frame: Frame, content: Frame['content'], route: Frame['route'], id = 'reply'): Frame {
  return {
    header: { msg_id: id, parent_msg_id: frame.header.msg_id, timestamp: 1, resourceversion: '7' },
    route: { source: 'edgecontroller', group: 'resource', resource: frame.route.resource ?? '', ...route },
    content,
  }
}
