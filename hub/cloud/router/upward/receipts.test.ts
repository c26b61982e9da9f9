import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../../../platform/health/index.ts'
import { UnavailableError } from '../../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../../platform/log/index.ts'
import { seconds } from '../../../../platform/time/index.ts'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import { type Frame, messagesContent, parseMessages } from '../../../../schemas/index.ts'
import { createFrameFactory } from '../../../link/index.ts'
import type { Question } from '../../cloudhub/delivery.ts'
import { countingRandom } from '../../testing/harness.ts'
import { Receipts } from './receipts.ts'

const PEER = { node: 'edge-1', session: 's-1', skerry: true, epoch: 'e' }
const part = (message: string, rule = 'shop/doors', isCall = false) => ({ node: 'edge-1', message, rule, isCall })

function start(bounds?: { readonly ofNode: number; readonly altogether: number }) {
  const clock = new FakeClock()
  const random = countingRandom()
  const metrics = createMetrics()
  const asked: Question[] = []
  let failure: string | undefined
  let gate: Promise<void> = Promise.resolve()
  const frames = createFrameFactory({ clock, random })
  let peer: typeof PEER | undefined = PEER
  const hub = {
    peerOf: () => peer,
    async ask(_node: string, question: Question): Promise<Frame> {
      asked.push(question)
      // Who asks on without a pause would let nothing else run: here it stops, and is found out.
      if (asked.length > 20) await new Promise(() => undefined)
      await gate
      if (failure !== undefined) throw new UnavailableError('not now', { code: failure })
      return frames.make({}, 'OK')
    },
  }
  const receipts = new Receipts({ hub, frames, clock, random, log: silentLogger, metrics }, bounds)
  const stopping = new AbortController()
  void receipts.run(stopping.signal)
  return {
    ...{ receipts, asked, metrics },
    settle: () => clock.advance(seconds(0)),
    advance: (count: number) => clock.advance(seconds(count)),
    told: () => asked.map(({ content }) => parseMessages(content)),
    fail(code: string | undefined) {
      failure = code
    },
    leave() {
      peer = undefined
      receipts.left('edge-1')
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      return resolve
    },
    compare(...messages: readonly string[]) {
      const replies: Frame[] = []
      const frame = frames.make({ source: 'bus', group: 'user', operation: 'query' }, messagesContent(messages))
      receipts.compare({ peer: PEER, frame, reply: (reply) => void replies.push(reply), expel: () => undefined })
      return replies[0]?.content
    },
  }
}

test('a message is done when every rule is through with it, and nobody is told who has not asked', async () => {
  const { receipts, compare, settle, told } = start()
  receipts.taken([part('1'), part('1', 'shop/other'), part('2')])
  receipts.settled(part('1'))
  receipts.settled(part('1'))
  assert.equal(receipts.state('edge-1', '1'), 'taken')
  receipts.settled(part('1', 'shop/other'))
  assert.equal(receipts.state('edge-1', '1'), 'done')
  await settle()
  assert.deepEqual(told(), [])
  assert.deepEqual(compare('1', '2', '3'), { skerry: { missing: ['3'] } })
  await settle()
  assert.deepEqual(told(), [['1']])
  assert.equal(receipts.state('edge-1', '1'), undefined)
})

test('one frame is under way at a time, what becomes done meanwhile goes with the next, and calls go to their own outbox', async () => {
  const { receipts, compare, settle, told, asked, hold } = start()
  compare()
  const release = hold()
  const messages = Array.from({ length: 700 }, (_, at) => String(at))
  receipts.taken([...messages.map((message) => part(message)), part('call', 'shop/orders', true)])
  receipts.settled(part('call', 'shop/orders', true))
  for (const message of messages) receipts.settled(part(message))
  await settle()
  assert.deepEqual(told(), [['call']])
  release()
  await settle()
  assert.deepEqual(
    asked.map(({ route, content }) => [route.source, parseMessages(content)?.length]),
    [
      ['router_servicebus', 1],
      ['router_eventbus', 500],
      ['router_eventbus', 200],
    ],
  )
})

test('a node that cannot write is told again after a wait, and one that went away when it has asked again', async () => {
  const { receipts, compare, settle, advance, told, fail } = start()
  compare()
  fail('HUB_NODE_REFUSED')
  receipts.taken([part('1')])
  receipts.settled(part('1'))
  await settle()
  assert.equal(receipts.state('edge-1', '1'), 'done')
  fail(undefined)
  await advance(2)
  assert.deepEqual([told(), receipts.state('edge-1', '1')], [[['1'], ['1']], undefined])
})

test('what nodes cannot be told is bounded, and what is forgotten of it is counted', async () => {
  const { receipts, metrics, compare } = start({ ofNode: 2, altogether: 100 })
  for (const message of ['1', '2', '3']) {
    receipts.taken([part(message)])
    receipts.settled(part(message))
  }
  assert.match(await metrics.text(), /skerry_router_receipts_forgotten_total 1/)
  assert.deepEqual(compare('1', '2', '3'), { skerry: { missing: ['1'] } })
})

test('a session that has ended while its link is still open is asked once, and the next one is told', async () => {
  const { receipts, compare, settle, advance, told, fail } = start()
  compare()
  fail('HUB_NODE_AWAY')
  receipts.taken([part('1')])
  receipts.settled(part('1'))
  await settle()
  await advance(120)
  assert.deepEqual(told(), [['1']])
  fail(undefined)
  compare('1')
  await settle()
  assert.deepEqual([told(), receipts.state('edge-1', '1')], [[['1'], ['1']], undefined])
})

test('of a node that left nothing is kept, and of one that has to be told what is done all of it', async () => {
  const { receipts, compare, leave } = start()
  compare()
  leave()
  assert.equal(receipts.nodes, 0)
  receipts.taken([part('1')])
  leave()
  receipts.settled(part('1'))
  assert.deepEqual([receipts.nodes, receipts.state('edge-1', '1')], [1, 'done'])
})

test('of a node that never asked nothing is kept either, once all that it said is done and known', async () => {
  const { receipts, compare, settle, leave, fail } = start()
  compare()
  receipts.taken([part('1')])
  fail('HUB_NODE_AWAY')
  receipts.settled(part('1'))
  await settle()
  fail(undefined)
  compare()
  await settle()
  leave()
  assert.equal(receipts.nodes, 0)
})
