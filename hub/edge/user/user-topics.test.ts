import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../../schemas/index.ts'
import { type BenchOptions, type EdgeBench, startEdge } from '../testing/edge-bench.ts'

const LIMITS = { maxMessages: 1000, maxBytes: 1_000_000, maxAgeHours: 24 }
const start = (options: BenchOptions = {}) => startEdge({ userMessages: LIMITS, ...options })
const original = (options: BenchOptions = {}) => start({ isSkerry: false, ...options })
const uploads = (edge: EdgeBench) =>
  edge.cloud.received
    .filter(({ route }) => route.operation === 'upload')
    .map(({ route, content }) => `${route.resource} ${content}`)
const stored = async (edge: EdgeBench) =>
  (await edge.store.read({ statement: 'user.topics', parameters: [] })).map(({ topic }) => topic)

async function say(edge: EdgeBench, operation: string, resource: string, content: Json = null): Promise<void> {
  edge.cloud.say({ group: 'user', source: 'router_eventbus', operation, resource }, content)
  await edge.advance(10)
}

async function sayRule(edge: EdgeBench, operation: string, name: string, source: object): Promise<Json | undefined> {
  const rule: Json = JSON.parse(
    JSON.stringify({
      apiVersion: 'rules.kubeedge.io/v1',
      kind: 'Rule',
      metadata: { name, namespace: 'shop', uid: `u-${name}` },
      spec: { source: 'bus', sourceResource: source, target: 'rest', targetResource: { resource: 'http://x' } },
    }),
  )
  const route = { source: 'edgecontroller', group: 'resource', operation, resource: `shop/rule/${name}` }
  const frame = edge.cloud.say(route, rule)
  await edge.advance(10)
  return edge.cloud.received.find(({ header }) => header.parent_msg_id === frame.header.msg_id)?.content
}

const AT_EDGE = { node_name: 'edge-1', topic: 'lights' }

test('what a KubeEdge cloud publishes comes out of the broker of this node', async () => {
  const edge = await original()
  await say(edge, 'publish', 'shop/lights/cmd', '{"on":true}')
  await say(edge, 'publish', 'shop/lights/cmd', { on: false })
  await say(edge, 'publish', 'shop/+/cmd', '{}')
  await say(edge, 'publish', '', '{}')
  assert.deepEqual(edge.mqtt.said, [
    { topic: 'shop/lights/cmd', message: { on: true } },
    { topic: 'shop/lights/cmd', message: { on: false } },
  ])
  assert.equal(edge.hub.isConnected, true)
  await edge.stop()
})

test('71: what a Skerry cloud publishes is confirmed when the broker has it, byte for byte', async () => {
  const edge = await start()
  await edge.advance(100)
  edge.cloud.forget()
  const bytes = Buffer.from([0, 255, 128, 65])
  await say(edge, 'publish', 'shop/cmd', { skerry: { base64: bytes.toString('base64') } })
  await say(edge, 'publish', 'shop/cmd', 'text')
  assert.deepEqual(
    edge.mqtt.publications.map(({ topic, payload, options }) => [topic, [...Buffer.from(payload)], options]),
    [
      ['shop/cmd', [...bytes], { qos: 1 }],
      ['shop/cmd', [...Buffer.from('text')], { qos: 1 }],
    ],
  )
  assert.deepEqual(
    edge.cloud.received.map(({ route, content }) => [route.operation, content]),
    [
      ['response', 'OK'],
      ['response', 'OK'],
    ],
  )
  await edge.stop()
})

test('what is not published is said at once to a Skerry cloud, with the reason', async () => {
  const edge = await start()
  await edge.advance(100)
  edge.cloud.forget()
  for (const topic of [
    'shop/+/cmd',
    '$hw/events/device/default/pump-1/twin/update/delta',
    'SYS/a',
    'twins/default/pump-1',
    '',
  ])
    await say(edge, 'publish', topic, 'x')
  edge.mqtt.failure = 'the broker is gone'
  await say(edge, 'publish', 'shop/cmd', 'x')
  const answers = edge.cloud.received.map(({ route, content }) => [route.operation, String(content).split(':', 1)[0]])
  assert.deepEqual(answers, [...Array(5).fill(['error', 'HUB_TOPIC_REFUSED']), ['error', 'HUB_PUBLISH_FAILED']])
  assert.deepEqual(edge.mqtt.publications, [])
  await edge.stop()
})

test('104: a topic that a KubeEdge cloud subscribed to goes up, also after a restart, until it is unsubscribed', async () => {
  const first = await original()
  await first.mqtt.send('shop/lights', '0')
  await say(first, 'subscribe', 'shop/lights')
  await say(first, 'subscribe', 'shop/lights')
  await first.mqtt.send('shop/lights', '1')
  await first.advance(100)
  await first.stop()
  const second = await original({ after: first, isReachable: false })
  await second.mqtt.send('shop/lights', '2')
  second.dialer.isReachable = true
  await second.advance(31_000)
  await say(second, 'unsubscribe', 'shop/lights')
  await second.mqtt.send('shop/lights', '3')
  await second.advance(100)
  assert.deepEqual(uploads(second), ['shop/lights 1', 'shop/lights 2'])
  assert.deepEqual(await stored(second), [])
  await second.stop()
})

test('a rule of this node has its topic uploaded, follows its changes, and ends with it', async () => {
  const edge = await start()
  assert.equal(await sayRule(edge, 'insert', 'lights', AT_EDGE), 'OK')
  await edge.mqtt.send('shop/lights', '1')
  await sayRule(edge, 'update', 'lights', { ...AT_EDGE, topic: 'lamps/+' })
  await edge.mqtt.send('shop/lights', '2')
  await edge.mqtt.send('shop/lamps/a', '3')
  await sayRule(edge, 'delete', 'lights', AT_EDGE)
  await edge.mqtt.send('shop/lamps/a', '4')
  await edge.advance(100)
  assert.deepEqual(uploads(edge), ['shop/lights 1', 'shop/lamps/a 3'])
  assert.deepEqual(await stored(edge), [])
  await edge.stop()
})

test('a rule of another node, of another source or of no form is kept and uploads nothing', async () => {
  const edge = await start()
  await sayRule(edge, 'insert', 'far', { ...AT_EDGE, node_name: 'edge-2' })
  await sayRule(edge, 'insert', 'rest', { path: '/lights' })
  await sayRule(edge, 'insert', 'devices', { node_name: 'edge-1', topic: 'a/#/b' })
  assert.equal(await sayRule(edge, 'insert', 'none', { node_name: 7 }), 'OK')
  await edge.mqtt.send('shop/lights', '1')
  await edge.advance(100)
  assert.deepEqual(uploads(edge), [])
  assert.ok(edge.meta.stored('shop/rule/far'))
  await edge.stop()
})

test('topics of rules are served before the rules are listed, and those of rules that went meanwhile are let go', async () => {
  const first = await start()
  await sayRule(first, 'insert', 'lights', AT_EDGE)
  await sayRule(first, 'insert', 'lamps', { ...AT_EDGE, topic: 'lamps' })
  await first.stop()
  assert.deepEqual(await stored(first), ['shop/lights', 'shop/lamps'])
  first.store.database.exec(`DELETE FROM meta WHERE key = 'shop/rule/lamps'`)
  const second = await start({ after: first, isReachable: false })
  await second.mqtt.send('shop/lights', '1')
  await second.mqtt.send('shop/lamps', '2')
  second.dialer.isReachable = true
  await second.advance(31_000)
  assert.deepEqual(uploads(second), ['shop/lights 1'])
  assert.deepEqual(await stored(second), ['shop/lights'])
  await second.stop()
})

test('a message goes up once, however many rules and fixed filters cover its topic', async () => {
  const edge = await start()
  await sayRule(edge, 'insert', 'a', { ...AT_EDGE, topic: '#' })
  await sayRule(edge, 'insert', 'b', { ...AT_EDGE, topic: 'lights' })
  await sayRule(edge, 'insert', 'c', { ...AT_EDGE, topic: 'lights' })
  await sayRule(edge, 'insert', 'd', { ...AT_EDGE, topic: 'user/door' })
  for (const topic of ['shop/lights', 'shop/user/door', 'shop/other']) await edge.mqtt.send(topic, '1')
  await edge.advance(100)
  assert.deepEqual(uploads(edge), ['shop/lights 1', 'shop/user/door 1', 'shop/other 1'])
  await sayRule(edge, 'delete', 'b', AT_EDGE)
  await edge.mqtt.send('shop/lights', '2')
  await edge.advance(100)
  assert.equal(uploads(edge).at(-1), 'shop/lights 2')
  await edge.stop()
})

test('subscriptions of a KubeEdge cloud end with a cloud that sends rules', async () => {
  const first = await original()
  await say(first, 'subscribe', 'shop/lights')
  await first.stop()
  const second = await start({ after: first })
  await second.advance(1000)
  await second.mqtt.send('shop/lights', '1')
  await second.advance(100)
  assert.deepEqual([uploads(second), await stored(second)], [[], []])
  await second.stop()
})

test('topics of devices and of the broker, malformed ones and more than a thousand are refused', async () => {
  const edge = await original()
  for (const topic of ['$hw/events/device/+/+/twin/+', '$SYS/#', 'a/#/b', '', 'a\0b'])
    await say(edge, 'subscribe', topic)
  assert.deepEqual(await stored(edge), [])
  for (let at = 0; at < 1002; at++)
    edge.cloud.say({ group: 'user', source: 'router_eventbus', operation: 'subscribe', resource: `shop/t${at}` }, null)
  await edge.advance(100)
  assert.equal((await stored(edge)).length, 1000)
  assert.equal(edge.hub.isConnected, true)
  await edge.stop()
})

test('a topic that the disk did not take is served, and written when it is said again; one is let go when that is on disk', async () => {
  const edge = await original()
  edge.store.failure = 'disk full'
  await say(edge, 'subscribe', 'shop/lights')
  await edge.advance(100)
  edge.store.failure = undefined
  assert.deepEqual(await stored(edge), [])
  await say(edge, 'subscribe', 'shop/lights')
  assert.deepEqual(await stored(edge), ['shop/lights'])
  await edge.mqtt.send('shop/lights', '1')
  edge.store.failure = 'disk full'
  await say(edge, 'unsubscribe', 'shop/lights')
  edge.store.failure = undefined
  await say(edge, 'unsubscribe', 'shop/lights')
  assert.deepEqual(await stored(edge), [])
  await edge.mqtt.send('shop/lights', '2')
  await edge.advance(100)
  assert.deepEqual(uploads(edge), ['shop/lights 1'])
  await edge.stop()
})
