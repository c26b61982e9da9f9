import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../../platform/health/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { Frame, Json } from '../../../schemas/index.ts'
import { createFrameFactory } from '../../link/index.ts'
import { countingRandom } from '../testing/harness.ts'
import type { UserMessage } from './delivery.ts'
import { UserMessages } from './user-messages.ts'

const SKERRY = { node: 'edge-1', session: 's', skerry: true, epoch: 'e' }

function start() {
  const metrics = createMetrics()
  const users = new UserMessages(
    createFrameFactory({ clock: new FakeClock(), random: countingRandom() }),
    silentLogger,
    metrics,
  )
  const replies: Frame[] = []
  const say = async (id: string, content: Json, peer = SKERRY) => {
    const route = { source: 'bus', group: 'user', operation: 'upload', resource: 'room/user/door' }
    void users.take(peer, { header: { msg_id: id, timestamp: 1 }, route, content }, (frame) => void replies.push(frame))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const counted = async (outcome: string) => {
    const found = (await metrics.text()).match(new RegExp(`user_messages_total\\{outcome="${outcome}"\\} (\\d+)`))
    return Number(found?.[1] ?? 0)
  }
  return { users, replies, say, counted, receipts: () => replies.map(({ header }) => header.parent_msg_id) }
}

test('nobody wants them: they are counted as without a rule and get their receipt', async () => {
  const { say, counted, replies } = start()
  await say('1', 'open')
  assert.equal(await counted('no-rule'), 1)
  assert.deepEqual(replies[0]?.route, { source: 'cloudhub', group: 'user', operation: 'response', resource: 'user' })
  assert.equal(replies[0]?.header.parent_msg_id, '1')
})

test('an original edge, which awaits no receipt, gets none', async () => {
  const { say, replies, counted } = start()
  await say('1', 'open', { ...SKERRY, skerry: false, epoch: '' })
  assert.deepEqual([replies, await counted('no-rule')], [[], 1])
})

test('the handler gets topic, resource with the node, and the bytes as they were published', async () => {
  const { users, say, counted } = start()
  const got: UserMessage[] = []
  users.handle(async (message) => {
    got.push(message)
    return 'done'
  })
  await say('1', '{"a": 1}')
  await say('2', { skerry: { base64: 'AP+A' } })
  await say('3', null)
  await say('4', { a: [1] })
  assert.deepEqual(
    got.map(({ payload }) => Buffer.from(payload).toString('latin1')),
    ['{"a": 1}', '\u0000\u00ff\u0080', '', '{"a":[1]}'],
  )
  assert.deepEqual([got[0]?.topic, got[0]?.resource], ['room/user/door', 'node/edge-1/room/user/door'])
  assert.equal(await counted('done'), 4)
})

test('what comes again is acknowledged and not handed on again, also while the first is still worked on', async () => {
  const { users, say, counted, receipts } = start()
  const working = Promise.withResolvers<void>()
  let handed = 0
  users.handle(async () => {
    handed++
    await working.promise
    return 'done'
  })
  await say('1', 'open')
  await say('1', 'open')
  assert.deepEqual(receipts(), [])
  working.resolve()
  await say('1', 'open')
  assert.deepEqual([handed, receipts(), await counted('repeated')], [1, ['1', '1', '1'], 2])
  for (let count = 0; count < 256; count++) await say(`x${count}`, 'x')
  await say('1', 'open')
  assert.equal(handed, 258)
})

test('what the handler fails to take gets no receipt, and is handed on when it comes again', async () => {
  const { users, say, counted, receipts } = start()
  let isWell = false
  users.handle(async () => {
    if (!isWell) throw new Error('the target is away')
    return 'done'
  })
  await say('1', 'open')
  assert.deepEqual([receipts(), await counted('failed')], [[], 1])
  isWell = true
  await say('1', 'open')
  assert.deepEqual(receipts(), ['1'])
})

test('after a message that was not taken, none that follows is handed on before it has come again', async () => {
  const { users, say, receipts } = start()
  const handed: string[] = []
  let failing = '2'
  users.handle(async ({ payload }) => {
    const text = Buffer.from(payload).toString()
    if (text === failing) throw new Error('not now')
    handed.push(text)
    return 'done'
  })
  for (const id of ['1', '2', '3', '4']) await say(id, id)
  assert.deepEqual([handed, receipts()], [['1'], ['1']])
  failing = ''
  for (const id of ['2', '3', '4']) await say(id, id)
  assert.deepEqual(handed, ['1', '2', '3', '4'])
  // The edge may have dropped the first of them meanwhile.
  failing = '5'
  for (const id of ['5', '6', '7']) await say(id, id)
  for (const id of ['6', '7']) await say(id, id)
  // A new session begins anew.
  for (const id of ['5', '8']) await say(id, id)
  await say('9', '9', { ...SKERRY, session: 't' })
  assert.deepEqual(handed, ['1', '2', '3', '4', '6', '7', '9'])
})

test('what was taken is said to be so, and is handed on when it comes again: the handler knows what became of it', async () => {
  const { users, say, replies } = start()
  const outcomes = ['taken', 'done'] as const
  let handed = 0
  users.handle(async () => outcomes[handed++] ?? 'no-rule')
  await say('1', 'open')
  await say('1', 'open')
  assert.deepEqual(
    replies.map(({ content }) => content),
    [{ skerry: { taken: true } }, 'OK'],
  )
})

test('while the Router begins anew nothing is taken for a message that nobody wants', async () => {
  const { users, say, counted, receipts } = start()
  users.handle(async () => 'done')[Symbol.dispose]()
  await say('1', 'open')
  assert.deepEqual([receipts(), await counted('failed'), await counted('no-rule')], [[], 1, 0])
  users.handle(async () => 'done')
  await say('1', 'open')
  assert.deepEqual(receipts(), ['1'])
})
