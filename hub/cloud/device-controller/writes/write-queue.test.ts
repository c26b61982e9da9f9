import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryLogger } from '../../../../platform/log/testing/index.ts'
import { ms } from '../../../../platform/time/index.ts'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import { errorOfStatus } from '../../kubernetes/errors.ts'
import { countingRandom } from '../../testing/harness.ts'
import { controllerLimits } from '../limits.ts'
import type { Urgency } from './fair-queue.ts'
import { type WriteLimits, type WriteOutcome, WriteQueue } from './write-queue.ts'

const FREE: WriteLimits = {
  server: { perSecond: 1e6, burst: 1e6 },
  mirrors: { perSecond: 1e6, burst: 1e6 },
  atOnce: 16,
  device: {
    state: { perSecond: 1e6, burst: 1e6 },
    reading: { perSecond: 1e6, burst: 1e6 },
    mirror: { perSecond: 1e6, burst: 1e6 },
  },
}

/** A server that takes `latency` ms for each write, and devices that are offered to the queue. */
function start(limits: Partial<WriteLimits> = {}, latency = 0) {
  const clock = new FakeClock()
  const stopping = new AbortController()
  const written: { readonly key: string; readonly at: number }[] = []
  const world = {
    clock,
    written,
    underWay: new Map<string, number>(),
    most: 0,
    answer: async (_key: string): Promise<WriteOutcome> => 'written',
    keys: () => written.map(({ key }) => key),
    async stop() {
      stopping.abort(new Error('stop'))
      await clock.advance(ms(latency + 1))
      await running
    },
  }
  const queue = new WriteQueue({
    limits: { ...FREE, ...limits },
    ...{ clock, random: countingRandom(), log: memoryLogger() },
    async write(key) {
      const mine = (world.underWay.get(key) ?? 0) + 1
      world.underWay.set(key, mine)
      assert.equal(mine, 1, 'one write of a device at a time')
      world.most = Math.max(world.most, world.underWay.size)
      written.push({ key, at: clock.monotonic() })
      if (latency > 0) await clock.sleep(ms(latency))
      world.underWay.delete(key)
      return world.answer(key)
    },
  })
  const running = queue.run(stopping.signal)
  return Object.assign(world, {
    queue,
    offer: (key: string, urgency: Urgency = 'reading', node = 'edge-1') => queue.offer(key, node, urgency),
  })
}

test('a device is written once however often it is offered, and again when it is offered while it is written', async () => {
  const world = start({}, 10)
  for (let count = 0; count < 50; count++) world.offer('a')
  await world.clock.advance(ms(5))
  for (let count = 0; count < 50; count++) world.offer('a')
  await world.clock.advance(ms(100))
  assert.deepEqual(world.keys(), ['a', 'a'])
  await world.stop()
})

test('values of a device are written at its rate, a change of its state at once', async () => {
  const world = start({ device: controllerLimits().writes.device })
  for (let count = 0; count < 100; count++) {
    world.offer('a')
    await world.clock.advance(ms(100))
  }
  assert.ok(world.written.length >= 11 && world.written.length <= 14, `${world.written.length} in ten seconds`)
  const before = world.written.length
  world.offer('a')
  world.offer('a', 'state')
  await world.clock.advance(ms(0))
  assert.equal(world.written.length, before + 1)
  await world.stop()
})

test('a device that reports each second never waits for its rate', async () => {
  const world = start({ device: controllerLimits().writes.device })
  for (let count = 0; count < 300; count++) {
    const at = world.clock.monotonic()
    // A little early, a little late.
    await world.clock.advance(ms(1000 + ((count * 37) % 101) - 50))
    world.offer('a')
    await world.clock.advance(ms(0))
    assert.equal(world.written.length, count + 1)
    assert.ok(world.clock.monotonic() > at)
  }
  await world.stop()
})

test('the API server gets no more than its rate, changes of state before values and values before copies', async () => {
  const world = start({ server: { perSecond: 10, burst: 1 } })
  for (let count = 0; count < 10; count++) {
    world.offer(`mirror-${count}`, 'mirror')
    world.offer(`reading-${count}`, 'reading')
    world.offer(`state-${count}`, 'state')
  }
  await world.clock.advance(ms(950))
  assert.ok(world.written.length <= 11, `${world.written.length} in a second`)
  const of = (what: string) => world.keys().filter((key) => key.startsWith(what)).length
  assert.ok(of('state') >= 7, `${world.keys()}`)
  assert.ok(of('reading') >= 1, 'values have their share')
  await world.clock.advance(ms(5000))
  assert.equal(world.written.length, 30)
  await world.stop()
})

test('copies have a share, however much is more urgent', async () => {
  const world = start({ server: { perSecond: 10, burst: 1 } })
  world.offer('mirror', 'mirror')
  for (let count = 0; count < 200; count++) world.offer(`state-${count}`, 'state')
  await world.clock.advance(ms(3400))
  assert.ok(world.keys().includes('mirror'))
  await world.stop()
})

test('a node with much to say delays no other one', async () => {
  const world = start({ server: { perSecond: 100, burst: 1 } })
  for (let count = 0; count < 1000; count++) world.offer(`loud-${count}`, 'reading', 'loud')
  for (let count = 0; count < 5; count++) world.offer(`quiet-${count}`, 'reading', 'quiet')
  await world.clock.advance(ms(110))
  assert.equal(world.keys().filter((key) => key.startsWith('quiet')).length, 5)
  await world.stop()
})

test('a server that throttles is left alone for as long as it asks, then asked carefully, and everything arrives', async () => {
  const world = start({}, 1)
  const answer = world.answer
  world.answer = async () => {
    throw errorOfStatus(429, {}, { retryAfterMs: 5000 })
  }
  for (let count = 0; count < 100; count++) world.offer(`d-${count}`)
  await world.clock.advance(ms(4900))
  assert.equal(world.written.length, 16, 'those under way')
  world.answer = answer
  const before = world.written.length
  world.most = 0
  await world.clock.advance(ms(110))
  assert.ok(world.written.length > before)
  assert.ok(world.most < 16, `${world.most} side by side`)
  await world.clock.advance(ms(2000))
  assert.equal(new Set(world.keys().slice(before)).size, 100)
  assert.ok(world.most >= 14, 'almost as many as before')
  await world.stop()
})

test('a server that is down for an hour gets a trial now and then, and holds no more than the devices in memory', async () => {
  const world = start({}, 1)
  const answer = world.answer
  world.answer = async () => {
    throw errorOfStatus(503, {}, {})
  }
  for (let minute = 0; minute < 60; minute++) {
    for (let count = 0; count < 200; count++) world.offer(`d-${count}`, minute % 2 === 0 ? 'state' : 'reading')
    await world.clock.advance(ms(60_000))
  }
  assert.ok(world.written.length < 300, `${world.written.length} trials`)
  assert.equal(world.queue.size, 200)
  world.answer = answer
  const before = world.written.length
  await world.clock.advance(ms(60_000))
  assert.equal(new Set(world.keys().slice(before)).size, 200)
  await world.stop()
})

test('a device that cannot be written, or always by somebody else before, waits longer and longer and delays nobody', async () => {
  for (const outcome of ['again', 'refused'] as const) {
    const world = start()
    world.answer = async (key) => {
      if (key !== 'bad') return 'written'
      if (outcome === 'refused') throw errorOfStatus(422, {}, {})
      world.offer('bad')
      return 'again'
    }
    world.offer('bad')
    for (let second = 0; second < 60; second++) {
      world.offer(`good-${second}`)
      await world.clock.advance(ms(1000))
    }
    const tries = world.keys().filter((key) => key === 'bad').length
    assert.ok(tries >= 5 && tries <= 15, `${tries} tries`)
    assert.equal(world.written.length - tries, 60)
    await world.stop()
  }
})

test('a device that is gone leaves nothing behind, also while it is written', async () => {
  const world = start({}, 10)
  world.offer('a')
  world.offer('b')
  world.queue.forget('a')
  await world.clock.advance(ms(100))
  world.queue.forget('b')
  assert.equal(world.queue.size, 0)
  assert.deepEqual(world.keys(), ['a', 'b'])
  await world.stop()
})
