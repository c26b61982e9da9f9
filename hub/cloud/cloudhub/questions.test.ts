import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import type { Frame } from '../../../schemas/index.ts'
import { startCloud } from '../testing/harness.ts'

const route = { source: 'router_servicebus', group: 'user', operation: 'GET', resource: '8080:/state' }
const question = { route, content: { method: 'GET' } }
const deadline = seconds(10)

async function start() {
  const cloud = await startCloud()
  const edge = cloud.connect('edge-1')
  await cloud.settle(1000)
  const asked = () => edge.received.filter(({ route }) => route.source === 'router_servicebus')
  const last = (): Frame => {
    const frame = asked().at(-1)
    assert.ok(frame)
    return frame
  }
  return { ...cloud, cloud, edge, asked, last }
}

test('the answer is the frame that names the question as its parent, of an upload as of a response', async () => {
  const { cloud, edge, last, asked } = await start()
  for (const operation of ['upload', 'response']) {
    const asking = cloud.hub.ask('edge-1', question, { deadline })
    await cloud.settle()
    assert.deepEqual([last().route, last().content], [route, question.content])
    edge.answer(last(), { status_code: 200 }, { operation })
    assert.deepEqual((await asking).content, { status_code: 200 })
  }
  assert.equal(asked().length, 2)
  await cloud.stop()
})

test('a node that is away, leaves, or begins another session meanwhile rejects at once', async () => {
  const { cloud, edge } = await start()
  const wasSent = (expected: boolean) => (error: unknown) =>
    error instanceof Error && Reflect.get(Reflect.get(error, 'fields'), 'wasSent') === expected
  await assert.rejects(cloud.hub.ask('edge-2', question, { deadline }), { code: 'HUB_NODE_AWAY' })
  await assert.rejects(cloud.hub.ask('edge-2', question, { deadline }), wasSent(false))
  const leaving = cloud.hub.ask('edge-1', question, { deadline })
  await cloud.settle()
  edge.disconnect()
  await assert.rejects(leaving, { code: 'HUB_NODE_AWAY' })
  await assert.rejects(leaving, wasSent(true))
  cloud.connect('edge-1')
  const replaced = cloud.hub.ask('edge-1', question, { deadline })
  cloud.connect('edge-1')
  await assert.rejects(replaced, { code: 'HUB_NODE_AWAY' })
  await cloud.stop()
})

test('an answer after the deadline is counted and nothing else: not a message of an MQTT client', async () => {
  const { cloud, edge, last } = await start()
  const messages: string[] = []
  cloud.hub.onUserMessage(async ({ topic }) => {
    messages.push(topic)
    return 'done'
  })
  const asking = cloud.hub.ask('edge-1', question, { deadline })
  const rejected = assert.rejects(asking, { code: 'HUB_NODE_SILENT' })
  await cloud.settle(9_999)
  edge.say({ source: 'websocket', group: 'resource', operation: 'keepalive', resource: 'node' }, 'ping')
  await cloud.settle(2)
  await rejected
  edge.answer(last(), { status_code: 200 }, { operation: 'upload' })
  await cloud.settle()
  assert.deepEqual([messages, cloud.hub.snapshot().dropped], [[], { 'late-answer': 1 }])
  await cloud.stop()
})

test('an error of the node rejects with its text', async () => {
  const { cloud, edge, last } = await start()
  const asking = cloud.hub.ask('edge-1', question, { deadline })
  await cloud.settle()
  edge.answer(last(), 'no such service', { operation: 'error' })
  await assert.rejects(asking, { code: 'HUB_NODE_REFUSED', fields: { reason: 'no such service' } })
  await cloud.stop()
})

test('another node cannot answer', async () => {
  const { cloud, edge, last } = await start()
  const other = cloud.connect('edge-2')
  const asking = cloud.hub.ask('edge-1', question, { deadline })
  await cloud.settle()
  other.answer(last(), 'forged', { operation: 'upload' })
  edge.answer(last(), 'true', { operation: 'upload' })
  assert.equal((await asking).content, 'true')
  await cloud.stop()
})

test('more than 128 for one node are refused at once, and other nodes are asked all the same', async () => {
  const { cloud } = await start()
  const other = cloud.connect('edge-2')
  const waiting = Array.from({ length: 128 }, () => cloud.hub.ask('edge-1', question, { deadline }))
  const settled = Promise.allSettled(waiting)
  await assert.rejects(cloud.hub.ask('edge-1', question, { deadline }), { code: 'HUB_NODE_BUSY' })
  const asking = cloud.hub.ask('edge-2', question, { deadline })
  await cloud.settle()
  const asked = other.received.at(-1)
  assert.ok(asked)
  other.answer(asked, 'here', { operation: 'upload' })
  assert.equal((await asking).content, 'here')
  cloud.hub.cutOff('edge-1', 'test')
  assert.ok((await settled).every(({ status }) => status === 'rejected'))
  await cloud.stop()
})

test('whoever gives up waiting hears the reason of the signal, and leaves nothing behind', async () => {
  const { cloud, asked } = await start()
  const caller = new AbortController()
  const asking = cloud.hub.ask('edge-1', question, { deadline, signal: caller.signal })
  caller.abort(new Error('the caller has gone'))
  await assert.rejects(asking, /the caller has gone/)
  const before = asked().length
  await assert.rejects(cloud.hub.ask('edge-1', question, { deadline, signal: caller.signal }), /gone/)
  await cloud.settle()
  assert.equal(asked().length, before)
  await cloud.stop()
})
