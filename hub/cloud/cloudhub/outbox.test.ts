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
  const refused: string[] = []
  const took: number[] = []
  const outbox = new Outbox({
    window,
    clock,
    random: countingRandom(),
    send: (frame) => void sent.push(frame.header.msg_id),
    onAcknowledged: (item, { milliseconds }) => {
      acked.push(`${item.key}@${item.version}`)
      took.push(milliseconds)
    },
    onRefused: (item, reason) => void refused.push(`${item.key}: ${reason}`),
  })
  return { clock, sent, acked, refused, took, outbox }
}

function item(key: string, version: string): OutboxItem {
  const frame: Frame = { header: { msg_id: `${key}@${version}`, timestamp: 0 }, route: {}, content: null }
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: key, namespace: 'a', uid: key } }
  return {
    key,
    object,
    resource: `a/configmap/${key}`,
    version,
    make: () => frame,
    isDeletion: false,
    isUnrecorded: false,
  }
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

test('what was sent stays uncertain also when a newer version has overtaken it and waits for its turn', async () => {
  const { clock, sent, outbox } = setup(1)
  outbox.put(item('a', '1'))
  outbox.put(item('b', '1'))
  outbox.put(item('c', '1'))
  outbox.put(item('a', '2'))
  await clock.advance(seconds(5))
  assert.deepEqual(sent, ['a@1', 'b@1'])
  const uncertain = () => outbox.uncertain().map(({ key }) => key)
  assert.deepEqual(uncertain(), ['a', 'b'], 'the node may have a@1')
  outbox.acknowledge('b@1')
  assert.deepEqual(uncertain(), ['a', 'c'])
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

test('an object that the node cannot take gives its place to others at once, and waits longer each time', async () => {
  const { clock, sent, refused, outbox } = setup(1)
  outbox.put(item('a', '1'))
  outbox.put(item('b', '1'))
  assert.equal(outbox.refuse('a@1', 'a/configmap/a', 'disk full'), true)
  assert.deepEqual([sent, refused], [['a@1', 'b@1'], ['a: disk full']])
  outbox.acknowledge('b@1')
  const waits: number[] = []
  for (let round = 0; round < 9; round++) {
    const before = sent.length
    let waited = 0
    for (; sent.length === before; waited++) await clock.advance(seconds(1))
    waits.push(waited)
    outbox.refuse('a@1', undefined, 'disk full')
  }
  assert.ok(
    waits.every((wait, at) => at === 0 || wait >= (waits[at - 1] ?? 0)),
    String(waits),
  )
  assert.deepEqual([waits[0], waits.at(-1)], [4, 225])
})

test('an error that names no frame means the resource under way, and one for nothing under way changes nothing', () => {
  const { sent, outbox } = setup(1)
  outbox.put(item('a', '1'))
  outbox.put(item('b', '1'))
  assert.equal(outbox.refuse(undefined, 'a/configmap/b', 'no'), false)
  assert.equal(outbox.refuse('other', 'a/configmap/a', 'no'), false)
  assert.deepEqual(sent, ['a@1'])
  assert.equal(outbox.refuse(undefined, 'a/configmap/a', 'no'), true)
  assert.deepEqual(sent, ['a@1', 'b@1'])
})

test('a refused object is tried at once in its next version', () => {
  const { sent, outbox } = setup(1)
  outbox.put(item('a', '1'))
  outbox.put(item('a', '2'))
  outbox.refuse('a@1', undefined, 'too large')
  assert.deepEqual(sent, ['a@1', 'a@2'])
})

test('a node that takes longer than a round to store an object has it acknowledged all the same', async () => {
  const { clock, sent, acked, took, outbox } = setup(1)
  outbox.put(item('a', '1'))
  await clock.advance(seconds(26))
  assert.equal(sent.length, 5)
  assert.equal(outbox.acknowledge('a@1'), true)
  assert.deepEqual([acked, took], [['a@1'], [26_000]])
  await clock.advance(seconds(600))
  assert.deepEqual([sent.length, outbox.depth, outbox.inFlight], [5, 0, 0])
})

test('what waits for its next round leaves room, and what waits at all is not made into a frame', async () => {
  const { clock, outbox } = setup(2)
  let made = 0
  for (const key of ['a', 'b', 'c']) {
    const each = item(key, '1')
    outbox.put({
      ...each,
      make: () => {
        made++
        return each.make()
      },
    })
  }
  assert.deepEqual([made, outbox.active, outbox.depth], [2, 3, 3])
  await clock.advance(seconds(25))
  assert.deepEqual([made, outbox.active, outbox.depth], [3, 1, 3])
})
