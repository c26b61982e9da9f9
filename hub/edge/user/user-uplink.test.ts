import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes } from '../../../platform/time/index.ts'
import type { Frame } from '../../../schemas/index.ts'
import { createFrameFactory } from '../../link/index.ts'
import { type BenchOptions, countingRandom, type EdgeBench, startEdge } from '../testing/edge-bench.ts'
import { defaultAnswer } from '../testing/scripted-cloud.ts'

const LIMITS = { maxMessages: 1000, maxBytes: 1_000_000, maxAgeHours: 24 }
const TOPIC = 'room/user/door'

const uploads = (edge: EdgeBench) => edge.cloud.received.filter(({ route }) => route.operation === 'upload')
const contents = (edge: EdgeBench) => uploads(edge).map(({ content }) => content)
const rows = async (edge: EdgeBench) =>
  (await edge.store.read({ statement: 'user.index', parameters: [] })).map(({ id }) => Number(id))
const drops = (edge: EdgeBench) =>
  edge.log.lines.filter(({ message }) => message.endsWith('to the cloud were dropped')).map(({ fields }) => fields)
const start = (options: BenchOptions = {}) => startEdge({ userMessages: LIMITS, ...options })

async function offline(options: BenchOptions = {}): Promise<EdgeBench> {
  return start({ isReachable: false, ...options })
}

async function connect(edge: EdgeBench): Promise<void> {
  edge.dialer.isReachable = true
  await edge.advance(31_000)
}

test('C57: user messages go up as KubeEdge writes them, and leave the disk with their receipt', async () => {
  const edge = await start()
  for (const topic of [
    'SYS/dis/upload_records',
    '$hw/events/upload/a/b',
    TOPIC,
    'x/user',
    '$hw/events/upload/x/result',
  ])
    await edge.mqtt.send(topic, `on ${topic}`)
  await edge.advance()
  assert.deepEqual(
    uploads(edge).map(({ route, content }) => [route, content]),
    ['SYS/dis/upload_records', '$hw/events/upload/a/b', TOPIC, 'x/user', '$hw/events/upload/x/result'].map(
      (resource) => [{ source: 'bus', group: 'user', operation: 'upload', resource }, `on ${resource}`],
    ),
  )
  assert.deepEqual(await rows(edge), [])
  await edge.stop()
})

test('text stays as it is, bytes that are no text come whole to Skerry, and to KubeEdge as its own edge would send them', async () => {
  const payloads = ['\uFEFFwith mark\u0000', '{"a": 1}', '']
  const bytes = Buffer.from([0, 255, 128, 65])
  for (const isSkerry of [true, false]) {
    const edge = await start({ isSkerry })
    for (const payload of payloads) await edge.mqtt.send(TOPIC, payload)
    await edge.mqtt.send(TOPIC, bytes)
    await edge.advance(100)
    const binary = isSkerry ? { skerry: { base64: bytes.toString('base64') } } : '\u0000\uFFFD\uFFFDA'
    assert.deepEqual(contents(edge), [...payloads, binary])
    assert.deepEqual(await rows(edge), [])
    await edge.stop()
  }
})

test('what was published offline survives a restart and arrives once and in order', async () => {
  const first = await offline()
  for (let count = 0; count < 300; count++) await first.mqtt.send(TOPIC, String(count))
  await first.stop()
  const second = await offline({ after: first })
  for (let count = 300; count < 400; count++) await second.mqtt.send(TOPIC, String(count))
  await connect(second)
  assert.deepEqual(
    contents(second),
    Array.from({ length: 400 }, (_, count) => String(count)),
  )
  assert.deepEqual(await rows(second), [])
  await second.stop()
})

test('a message is on disk before its receipt, and one that cannot be written gets none', async () => {
  const edge = await offline()
  await edge.mqtt.send(TOPIC, 'kept')
  assert.deepEqual(await rows(edge), [1])
  edge.store.failure = 'disk full'
  await assert.rejects(edge.mqtt.send(TOPIC, 'lost'), { code: 'PLATFORM_STORE_FULL' })
  edge.store.failure = undefined
  await edge.mqtt.send(TOPIC, 'kept too')
  await connect(edge)
  assert.deepEqual(contents(edge), ['kept', 'kept too'])
  await edge.stop()
})

test('without receipts everything from the first message on is sent again, in order and with the same ids', async () => {
  const edge = await start()
  const confirm = edge.cloud.answers
  let isDeaf = true
  edge.cloud.answers = (frame) => (isDeaf && frame.content === '2' ? undefined : confirm(frame))
  for (const value of ['1', '2', '3']) await edge.mqtt.send(TOPIC, value)
  await edge.advance(20_000)
  isDeaf = false
  await edge.advance(60_000)
  assert.deepEqual(contents(edge), ['1', '2', '3', '2', '3'])
  const ids = uploads(edge).map(({ header }) => header.msg_id)
  assert.deepEqual(ids.slice(1, 3), ids.slice(3))
  assert.deepEqual(await rows(edge), [])
  await edge.stop()
})

test('a link that breaks costs a repetition and no message', async () => {
  const edge = await start()
  const confirm = edge.cloud.answers
  edge.cloud.answers = (frame) => (frame.route.operation === 'upload' ? undefined : confirm(frame))
  await edge.mqtt.send(TOPIC, '1')
  await edge.advance()
  edge.cloud.answers = confirm
  edge.dialer.pair?.cut('the cable')
  await edge.mqtt.send(TOPIC, '2')
  await edge.advance(5000)
  assert.deepEqual(contents(edge), ['1', '1', '2'])
  await edge.stop()
})

test('what the cloud refuses is dropped and does not hold up the rest', async () => {
  const edge = await start()
  const confirm = edge.cloud.answers
  edge.cloud.answers = (frame) => (frame.content === 'bad' ? refusal(frame) : confirm(frame))
  for (const value of ['bad', 'good']) await edge.mqtt.send(TOPIC, value)
  await edge.advance()
  assert.deepEqual(contents(edge), ['bad', 'good'])
  assert.deepEqual(await rows(edge), [])
  assert.deepEqual(drops(edge), [{ refused: 1 }])
  await edge.stop()
})

test('beyond the bounds the oldest are dropped, counted by reason and named once a minute', async () => {
  const userMessages = { maxMessages: 5, maxBytes: 1000, maxAgeHours: 1 }
  const edge = await offline({ userMessages })
  for (let count = 0; count < 8; count++) await edge.mqtt.send(TOPIC, String(count))
  assert.equal((await rows(edge)).length, 5)
  await edge.mqtt.send(TOPIC, 'x'.repeat(975))
  await edge.mqtt.send(TOPIC, 'y'.repeat(1000))
  assert.equal((await rows(edge)).length, 1)
  await edge.advance(61_000)
  await edge.mqtt.send(TOPIC, 'z'.repeat(975))
  const said = drops(edge)
  assert.deepEqual(said, [{ count: 1 }, { count: 3, bytes: 4, size: 1 }])
  await edge.advance(3_600_001)
  await edge.mqtt.send(TOPIC, 'young')
  await connect(edge)
  assert.deepEqual(contents(edge), ['young'])
  await edge.stop()
})

test('an original cloud gets no more than its rate, and what the socket took counts as sent', async () => {
  const edge = await start({ isSkerry: false })
  const confirm = edge.cloud.answers
  edge.cloud.answers = (frame) => (frame.route.operation === 'upload' ? undefined : confirm(frame))
  await edge.advance(5000)
  for (let count = 0; count < 200; count++) await edge.mqtt.send(TOPIC, String(count))
  await edge.advance(1)
  assert.ok(contents(edge).length <= 60)
  await edge.advance(10_000)
  assert.equal(contents(edge).length, 200)
  assert.deepEqual(await rows(edge), [])
  await edge.stop()
})

test('a clock that is set does not make messages old', async () => {
  const edge = await offline()
  await edge.mqtt.send(TOPIC, 'from 1970')
  edge.clock.jump(minutes(50 * 365 * 24 * 60))
  await edge.mqtt.send(TOPIC, 'now')
  await connect(edge)
  assert.deepEqual(contents(edge), ['from 1970', 'now'])
  await edge.stop()
})

function refusal(frame: Frame): Frame {
  return {
    header: { msg_id: 'no', parent_msg_id: frame.header.msg_id, timestamp: 1 },
    route: { ...frame.route, operation: 'error' },
    content: 'not wanted',
  }
}

for (const { name, breaks } of [
  { name: 'without another message', breaks: false },
  { name: 'also over another link', breaks: true },
]) {
  test(`what the cloud has got leaves the disk once that can be written again, ${name}`, async () => {
    const edge = await offline()
    await edge.mqtt.send(TOPIC, 'one')
    edge.cloud.answers = (frame) => {
      if (frame.route.operation === 'upload') edge.store.failure = 'The disk is full'
      return defaultAnswer(createFrameFactory({ clock: edge.clock, random: countingRandom(9000) }), frame)
    }
    await connect(edge)
    if (breaks) edge.dialer.pair?.cut('the cable')
    await edge.advance(31_000)
    assert.deepEqual([uploads(edge).length, await rows(edge)], [1, [1]])
    edge.store.failure = undefined
    await edge.advance(61_000)
    assert.deepEqual([uploads(edge).length, await rows(edge)], [1, []])
    await edge.stop()
  })
}
