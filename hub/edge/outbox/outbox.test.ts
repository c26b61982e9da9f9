import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messagesContent, takenContent } from '../../../schemas/index.ts'
import { createFrameFactory } from '../../link/index.ts'
import { type BenchOptions, countingRandom, type EdgeBench, startEdge } from '../testing/edge-bench.ts'

const TOPIC = 'room/user/door'
const LIMITS = { maxMessages: 6, maxBytes: 1_000_000, maxAgeHours: 1000 }

/** A cloud that takes everything, and says nothing to be done by itself. */
async function startTaking(options: BenchOptions = {}): Promise<EdgeBench> {
  const edge = await startEdge({ userMessages: LIMITS, ...options })
  const frames = createFrameFactory({ clock: edge.clock, random: countingRandom(90_000) })
  const usual = edge.cloud.answers
  edge.cloud.answers = (frame) =>
    frame.route.operation === 'upload' ? frames.reply(frame, takenContent()) : usual(frame)
  return edge
}

const uploads = (edge: EdgeBench) => edge.cloud.received.filter(({ route }) => route.operation === 'upload')
const contents = (edge: EdgeBench) => uploads(edge).map(({ content }) => content)
const idOf = (edge: EdgeBench, text: string) =>
  uploads(edge).find(({ content }) => content === text)?.header.msg_id ?? 'none'
const status = (edge: EdgeBench) => edge.hub.status().userMessages
const rows = async (edge: EdgeBench) => (await edge.store.read({ statement: 'user.index', parameters: [] })).length
const done = (edge: EdgeBench, ...ids: readonly string[]) =>
  edge.cloud.say(
    { source: 'router_eventbus', group: 'user', operation: 'done', resource: 'messages/done' },
    messagesContent(ids),
  )
const send = async (edge: EdgeBench, ...texts: readonly string[]) => {
  for (const text of texts) await edge.mqtt.send(TOPIC, text)
  await edge.advance()
}
const replies = (edge: EdgeBench, id: string) =>
  edge.cloud.received.filter(({ header }) => header.parent_msg_id === id).map(({ route }) => route.operation)

test('what is taken stays on disk until it is done, in whatever order, and holds up nothing', async () => {
  const edge = await startTaking()
  await send(edge, '1', '2', '3')
  assert.deepEqual(
    [contents(edge), status(edge).waiting, status(edge).kept, await rows(edge)],
    [['1', '2', '3'], 0, 3, 3],
  )
  const told = done(edge, idOf(edge, '2'), 'of another life')
  await edge.advance()
  assert.deepEqual([status(edge).kept, await rows(edge), replies(edge, told.header.msg_id)], [2, 2, ['response']])
  await send(edge, '4')
  assert.deepEqual(contents(edge), ['1', '2', '3', '4'])
  done(edge, ...['1', '3', '4'].map((text) => idOf(edge, text)))
  await edge.advance()
  assert.deepEqual([status(edge).kept, await rows(edge)], [0, 0])
  await edge.stop()
})

test('after a reconnect and after a restart the cloud is asked first, and what it lacks goes before all that came later', async () => {
  const edge = await startTaking()
  await send(edge, '1', '2', '3')
  edge.dialer.isReachable = false
  edge.dialer.pair?.cut('the cable')
  await edge.advance(10)
  await send(edge, '4')
  const taking = edge.cloud.answers
  const frames = createFrameFactory({ clock: edge.clock, random: countingRandom(95_000) })
  edge.cloud.answers = (frame) =>
    frame.route.resource === 'messages/held'
      ? frames.reply(frame, { skerry: { missing: [idOf(edge, '2')] } })
      : taking(frame)
  edge.dialer.isReachable = true
  await edge.advance(31_000)
  assert.deepEqual(contents(edge), ['1', '2', '3', '2', '4'])
  assert.equal(new Set(uploads(edge).map(({ header }) => header.msg_id)).size, 4)
  edge.dialer.pair?.cut('kill -9')
  edge.dialer.isReachable = false
  const next = await startEdge({ userMessages: LIMITS, after: edge })
  await next.advance(31_000)
  const asked = next.cloud.received.findLast(
    ({ route }) => route.resource === 'messages/held' && route.source === 'bus',
  )
  assert.deepEqual(asked?.content, messagesContent(['1', '2', '3', '4'].map((text) => idOf(next, text))))
  assert.deepEqual(contents(next).slice(5), ['2'])
  await next.stop()
})

test('a KubeEdge cloud after a Skerry one is sent what was taken there, because it knows nothing of it', async () => {
  const edge = await startTaking()
  await send(edge, '1')
  edge.dialer.isSkerry = false
  edge.dialer.pair?.cut('the cable')
  await edge.advance(31_000)
  assert.deepEqual([contents(edge), await rows(edge)], [['1', '1'], 0])
  await edge.stop()
})

test('beyond the bounds copies of what is taken go first, which is no drop, and only then what waits', async () => {
  const edge = await startTaking()
  await send(edge, '1', '2', '3', '4')
  edge.dialer.isReachable = false
  edge.dialer.pair?.cut('the cable')
  await edge.advance(10)
  await send(edge, '5', '6', '7', '8')
  assert.deepEqual([status(edge).kept, status(edge).waiting, status(edge).dropped], [2, 4, {}])
  assert.ok(edge.log.lines.some(({ message }) => message.endsWith('are not kept here any more')))
  await send(edge, '9', '10', '11')
  assert.deepEqual([status(edge).kept, status(edge).waiting, status(edge).dropped], [0, 6, { count: 1 }])
  await edge.stop()
})

test('a disk that takes nothing when messages are done is told to the cloud, which says it again', async () => {
  const edge = await startTaking()
  await send(edge, '1')
  edge.store.failure = 'disk full'
  const told = done(edge, idOf(edge, '1'))
  await edge.advance()
  assert.deepEqual([replies(edge, told.header.msg_id), await rows(edge)], [['error'], 1])
  edge.store.failure = undefined
  const again = done(edge, idOf(edge, '1'))
  await edge.advance()
  assert.deepEqual([replies(edge, again.header.msg_id), await rows(edge)], [['response'], 0])
  const wrong = edge.cloud.say({ source: 'router_eventbus', group: 'user', operation: 'done' }, { skerry: {} })
  await edge.advance()
  assert.deepEqual(replies(edge, wrong.header.msg_id), ['error'])
  await edge.stop()
})
