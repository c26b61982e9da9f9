import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeConditions } from '../../../schemas/index.ts'
import { type BenchOptions, type EdgeBench, startEdge } from '../testing/edge-bench.ts'

const TOPIC = 'room/user/door'
const WEEK = 7 * 24 * 3_600_000
const LIMITS = { maxMessages: 10, maxBytes: 1_000_000, maxAgeHours: 24 * 365 }
const offline = (options: BenchOptions = {}) => startEdge({ userMessages: LIMITS, isReachable: false, ...options })
const condition = (edge: EdgeBench) => edge.bus.get(nodeConditions, 'UserMessagesDropped')

test('a node that drops nothing has no condition about it', async () => {
  const edge = await offline()
  await edge.mqtt.send(TOPIC, '1')
  await edge.advance(120_000)
  assert.equal(condition(edge), undefined)
  await edge.stop()
})

test('what a bound dropped is told as a condition of the Node, at most once a minute, and said to be over after an hour', async () => {
  const edge = await offline()
  let told = 0
  edge.bus.watch(nodeConditions, () => void told++)
  for (let count = 0; count < 12; count++) await edge.mqtt.send(TOPIC, String(count))
  const first = '1 by count, since this node was set up'
  assert.deepEqual(condition(edge), {
    status: 'True',
    reason: 'Dropping',
    message: `Messages of MQTT clients were dropped: ${first}`,
  })
  await edge.advance(60_000)
  assert.match(condition(edge)?.message ?? '', /: 2 by count,/)
  assert.equal(told, 2)
  await edge.advance(3_600_000)
  assert.deepEqual(condition(edge), {
    status: 'False',
    reason: 'NoneRecently',
    message: 'Messages of MQTT clients were dropped earlier: 2 by count, since this node was set up',
  })
  await edge.stop()
})

test('how many were dropped is on disk, and counted on after a restart', async () => {
  const first = await offline()
  for (let count = 0; count < 15; count++) await first.mqtt.send(TOPIC, String(count))
  await first.mqtt.send(TOPIC, 'x'.repeat(1_000_001))
  assert.deepEqual(first.hub.status().userMessages.dropped, { count: 5, size: 1 })
  await first.stop()
  const second = await offline({ after: first })
  assert.deepEqual(
    condition(second),
    {
      status: 'False',
      reason: 'NoneRecently',
      message: 'Messages of MQTT clients were dropped earlier: 5 by count, 1 by size, since this node was set up',
    },
    'what the first run said of it does not stand for ever',
  )
  await second.mqtt.send(TOPIC, 'more')
  assert.deepEqual(second.hub.status().userMessages.dropped, { count: 6, size: 1 })
  await second.stop()
})

test('a disk that takes nothing costs none of what it has, however often a message is offered', async () => {
  const edge = await offline()
  for (let count = 0; count < 10; count++) await edge.mqtt.send(TOPIC, String(count))
  edge.store.failure = 'disk full'
  const offers = Array.from({ length: 20 }, () => edge.mqtt.send(TOPIC, 'lost'))
  for (const offer of offers) await assert.rejects(offer, { code: 'PLATFORM_STORE_FULL' })
  assert.deepEqual(edge.hub.status().userMessages.dropped, {})
  edge.store.failure = undefined
  await edge.mqtt.send(TOPIC, 'kept')
  assert.deepEqual(edge.hub.status().userMessages.dropped, { count: 1 })
  assert.equal((await edge.store.read({ statement: 'user.index', parameters: [] })).length, 10)
  edge.dialer.isReachable = true
  await edge.advance(31_000)
  const arrived = edge.cloud.received.filter(({ route }) => route.operation === 'upload').map(({ content }) => content)
  assert.deepEqual(arrived, [...'123456789', 'kept'])
  await edge.stop()
})

test('messages that are too old by the time the disk takes nothing go when it does', async () => {
  const edge = await offline({ userMessages: { ...LIMITS, maxAgeHours: 1 } })
  await edge.mqtt.send(TOPIC, 'old')
  await edge.advance(3_600_001)
  edge.store.failure = 'disk full'
  edge.dialer.isReachable = true
  await edge.advance(31_000)
  edge.store.failure = undefined
  await edge.advance(61_000)
  assert.deepEqual(edge.hub.status().userMessages, { waiting: 0, bytes: 0, kept: 0, dropped: { age: 1 } })
  assert.deepEqual(await edge.store.read({ statement: 'user.index', parameters: [] }), [])
  await edge.stop()
})

test('after a week offline the newest within the bounds arrive, in their order and once, and the rest is counted', async () => {
  const offered = 8000
  const edge = await offline({ userMessages: { ...LIMITS, maxMessages: 1000 } })
  for (let count = 0; count < offered; count++) {
    await edge.mqtt.send(TOPIC, String(count))
    if (count % 80 === 0) await edge.advance(WEEK / 100)
  }
  assert.deepEqual(edge.hub.status().userMessages.dropped, { count: offered - 1000 })
  edge.dialer.isReachable = true
  await edge.advance(60_000)
  const arrived = edge.cloud.received.filter(({ route }) => route.operation === 'upload').map(({ content }) => content)
  assert.deepEqual(
    arrived,
    Array.from({ length: 1000 }, (_, at) => String(offered - 1000 + at)),
  )
  await edge.stop()
})
