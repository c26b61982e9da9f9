import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { Frame } from '../../../schemas/index.ts'
import { countingRandom } from '../testing/harness.ts'
import { Outbox, type OutboxItem } from './outbox.ts'

function setup(window: number) {
  const clock = new FakeClock()
  const sent: string[] = []
  const acked: string[] = []
  const outbox = new Outbox({
    window,
    clock,
    random: countingRandom(),
    send: (frame) => void sent.push(frame.header.msg_id),
    onAcknowledged: (item) => void acked.push(`${item.key}@${item.version}`),
  })
  return { clock, sent, acked, outbox }
}

function item(key: string, version: string): OutboxItem {
  const frame: Frame = { header: { msg_id: `${key}@${version}`, timestamp: 0 }, route: {}, content: null }
  return { key, version, frame, isDeletion: false }
}

test('an original edge gets one object at a time, the next after the receipt', () => {
  const { sent, acked, outbox } = setup(1)
  outbox.put(item('a', '1'))
  outbox.put(item('b', '1'))
  assert.deepEqual(sent, ['a@1'])
  assert.equal(outbox.acknowledge('a@1'), true)
  assert.deepEqual(sent, ['a@1', 'b@1'])
  assert.deepEqual(acked, ['a@1'])
})

test('a newer version replaces one that waits, and follows one that is under way', () => {
  const { sent, outbox } = setup(1)
  for (const [key, version] of [
    ['a', '1'],
    ['b', '1'],
    ['b', '2'],
    ['a', '2'],
    ['a', '3'],
  ] as const) {
    outbox.put(item(key, version))
  }
  outbox.acknowledge('a@1')
  outbox.acknowledge('b@2')
  assert.deepEqual(sent, ['a@1', 'b@2', 'a@3'])
  assert.equal(outbox.pending('b'), undefined)
})

test('the same frame is sent again each 5 s, five times, then it waits and lets others pass', async () => {
  const { clock, sent, outbox } = setup(1)
  outbox.put(item('a', '1'))
  outbox.put(item('b', '1'))
  await clock.advance(seconds(20))
  assert.deepEqual(sent, Array(5).fill('a@1'))
  await clock.advance(seconds(5))
  assert.deepEqual(sent.slice(5), ['b@1'])
  outbox.acknowledge('b@1')
  await clock.advance(seconds(5))
  assert.deepEqual(sent.slice(6), ['a@1'], 'the requeued object begins a new round')
})

test('a silent object is overtaken by its own newer version at the next resend', async () => {
  const { clock, sent, outbox } = setup(4)
  outbox.put(item('a', '1'))
  outbox.put(item('a', '2'))
  await clock.advance(seconds(5))
  assert.deepEqual(sent, ['a@1', 'a@2'])
  assert.equal(
    outbox.acknowledge('a@1'),
    false,
    'a late receipt for the overtaken version says nothing about the new one',
  )
  assert.equal(outbox.depth, 1)
})

test('late and repeated receipts do no harm', () => {
  const { acked, outbox } = setup(4)
  outbox.put(item('a', '1'))
  outbox.acknowledge('a@1')
  assert.equal(outbox.acknowledge('a@1'), false)
  assert.equal(outbox.acknowledge('never-sent'), false)
  assert.deepEqual(acked, ['a@1'])
})

test('nothing is sent after the end of the session', async () => {
  const { clock, sent, outbox } = setup(4)
  outbox.put(item('a', '1'))
  outbox[Symbol.dispose]()
  outbox.put(item('b', '1'))
  await clock.advance(seconds(60))
  assert.deepEqual(sent, ['a@1'])
  assert.equal(clock.waiting, 0)
})
