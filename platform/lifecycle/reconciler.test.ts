import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryLogger } from '../log/testing/index.ts'
import { ms, seconds } from '../time/index.ts'
import { FakeClock } from '../time/testing/index.ts'
import { createReconciler, type ReconcilerOptions } from './reconciler.ts'

test('reconciles a key once however often it is asked', async () => {
  const { queue, clock, seen, start } = setup()
  queue.enqueue('a')
  queue.enqueue('b')
  queue.enqueue('a')
  assert.equal(queue.depth, 2)
  void start()
  await clock.advance(ms(0))
  assert.deepEqual(seen, ['a', 'b'])
  assert.ok(queue.idle)
})

test('a key that is asked for while at work runs once more, never beside itself', async () => {
  const gate = Promise.withResolvers<void>()
  const { queue, clock, seen, start } = setup({}, () => gate.promise)
  void start()
  queue.enqueue('a')
  queue.enqueue('a')
  queue.enqueue('a')
  await clock.advance(ms(0))
  assert.deepEqual(seen, ['a'])
  gate.resolve()
  await clock.advance(ms(0))
  assert.deepEqual(seen, ['a', 'a'])
})

test('works on no more keys at a time than it has workers', async () => {
  const gates = new Map<string, () => void>()
  const { queue, clock, seen, start } = setup({ workers: 2 }, (key) => new Promise((done) => gates.set(key, done)))
  void start()
  for (const key of ['a', 'b', 'c']) queue.enqueue(key)
  await clock.advance(ms(0))
  assert.deepEqual(seen, ['a', 'b'])
  assert.equal(queue.depth, 1)
  gates.get('b')?.()
  await clock.advance(ms(0))
  assert.deepEqual(seen, ['a', 'b', 'c'])
})

test('a failing key waits longer each time, others do not, and success clears its record', async () => {
  let broken = true
  const { queue, clock, seen, start } = setup({}, async (key) => {
    if (key === 'bad' && broken) throw new Error('no')
  })
  void start()
  queue.enqueue('bad')
  queue.enqueue('good')
  await clock.advance(ms(75))
  assert.deepEqual(seen, ['bad', 'good', 'bad'])
  await clock.advance(ms(149))
  assert.equal(seen.length, 3)
  broken = false
  await clock.advance(ms(1))
  assert.equal(seen.length, 4)
  broken = true
  queue.enqueue('bad')
  await clock.advance(ms(75))
  assert.equal(seen.length, 6)
})

test('asking for a key that backs off runs it at once', async () => {
  const { queue, clock, seen, start } = setup({}, () => Promise.reject(new Error('no')))
  void start()
  queue.enqueue('a')
  await clock.advance(ms(0))
  queue.enqueue('a')
  await clock.advance(ms(0))
  assert.deepEqual(seen, ['a', 'a'])
})

test('keeps the earlier of two appointments', async () => {
  const { queue, clock, seen, start } = setup()
  void start()
  queue.enqueueAfter('a', seconds(5))
  queue.enqueueAfter('a', seconds(2))
  queue.enqueueAfter('a', seconds(9))
  await clock.advance(seconds(2))
  assert.deepEqual(seen, ['a'])
  await clock.advance(seconds(20))
  assert.deepEqual(seen, ['a'])
})

test('a run past its deadline is aborted and frees its worker, but its key stays alone until it settles', async () => {
  const gate = Promise.withResolvers<void>()
  let aborted = false
  const { queue, clock, seen, start } = setup({ workers: 1, deadline: seconds(1) }, (key, signal) => {
    if (key !== 'slow') return Promise.resolve()
    signal.addEventListener('abort', () => {
      aborted = true
    })
    return gate.promise
  })
  void start()
  queue.enqueue('slow')
  queue.enqueue('other')
  await clock.advance(seconds(1))
  assert.ok(aborted)
  assert.deepEqual(seen, ['slow', 'other'])
  queue.enqueue('slow')
  await clock.advance(seconds(5))
  assert.equal(seen.length, 2)
  gate.resolve()
  await clock.advance(seconds(0))
  assert.deepEqual(seen, ['slow', 'other', 'slow'])
})

test('what a run left undone the next one does: keys that waited, that failed, and that were at work', async () => {
  let isStuck = true
  const { queue, clock, seen, start } = setup({}, async (key, signal) => {
    if (!isStuck) return
    if (key === 'failing') throw new Error('no')
    if (key === 'working')
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })
  const first = new AbortController()
  const ran = start(first.signal)
  for (const key of ['failing', 'working', 'done']) queue.enqueue(key)
  queue.enqueueAfter('later', seconds(60))
  await clock.advance(ms(1))
  first.abort(new Error('the module crashed'))
  await ran
  assert.equal(clock.waiting, 0)
  isStuck = false
  seen.length = 0
  void start()
  await clock.advance(ms(1))
  assert.deepEqual(seen.toSorted(), ['failing', 'later', 'working'])
})

test('refuses keys beyond its bound and says so', async () => {
  const { queue, log } = setup({ bound: 2 })
  assert.deepEqual(
    ['a', 'b', 'c', 'a'].map((key) => queue.enqueue(key)),
    [true, true, false, true],
  )
  assert.deepEqual(log.messages('error'), ['A work queue is full'])
})

test('stops when aborted, after what is under way has settled, and leaves no timer', async () => {
  const gate = Promise.withResolvers<void>()
  const { queue, clock, seen, start, stop } = setup({ workers: 1 }, () => gate.promise)
  let ended = false
  void start().then(() => {
    ended = true
  })
  queue.enqueue('a')
  queue.enqueue('b')
  queue.enqueueAfter('c', seconds(1))
  stop()
  await clock.advance(ms(0))
  assert.equal(ended, false)
  gate.resolve()
  await clock.advance(seconds(10))
  assert.equal(ended, true)
  assert.deepEqual(seen, ['a'])
  assert.equal(clock.waiting, 0)
})

function setup(
  overrides: Partial<ReconcilerOptions> = {},
  reconcile: ReconcilerOptions['reconcile'] = () => Promise.resolve(),
) {
  const clock = new FakeClock()
  const log = memoryLogger()
  const seen: string[] = []
  const controller = new AbortController()
  const queue = createReconciler({
    name: 'devices',
    clock,
    log,
    workers: 4,
    random: { next: () => 0.5, bytes: (count) => new Uint8Array(count), uuid: () => '' },
    reconcile: (key, signal) => {
      seen.push(key)
      return reconcile(key, signal)
    },
    ...overrides,
  })
  return {
    queue,
    clock,
    log,
    seen,
    start: (signal = controller.signal) => queue.run(signal),
    stop: () => controller.abort(),
  }
}
