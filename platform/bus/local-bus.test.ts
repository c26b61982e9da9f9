import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventChannel, requestChannel, stateChannel } from '../../schemas/index.ts'
import { memoryLogger } from '../log/testing/index.ts'
import { DeadlineError, seconds } from '../time/index.ts'
import { FakeClock } from '../time/testing/index.ts'
import { createLocalBus } from './local-bus.ts'

const news = eventChannel<number>('news')
const ask = requestChannel<number, number>('ask')
const speeds = stateChannel<number>('speeds')

test('events reach those who subscribe, in order, and no more after they left', () => {
  const { bus } = setup()
  const seen: number[] = []
  bus.publish(news, 0)
  const subscription = bus.subscribe(news, (value) => seen.push(value))
  bus.publish(news, 1)
  bus.publish(news, 2)
  subscription[Symbol.dispose]()
  bus.publish(news, 3)
  assert.deepEqual(seen, [1, 2])
})

test('a subscriber that throws is logged and disturbs nobody', () => {
  const { bus, log } = setup()
  const seen: number[] = []
  bus.subscribe(news, () => {
    throw new Error('boom')
  })
  bus.subscribe(news, (value) => seen.push(value))
  bus.publish(news, 1)
  assert.deepEqual(seen, [1])
  assert.deepEqual(log.messages('error'), ['A subscriber of the bus threw'])
})

test('every subscriber sees the same order though one publishes while it is told', () => {
  const { bus } = setup()
  const seen: number[] = []
  bus.subscribe(news, (value) => value === 1 && bus.publish(news, 2))
  bus.subscribe(news, (value) => seen.push(value))
  bus.publish(news, 1)
  assert.deepEqual(seen, [1, 2])
})

test('a subscriber that another one ends gets nothing more', () => {
  const { bus } = setup()
  const seen: number[] = []
  bus.subscribe(news, () => second[Symbol.dispose]())
  const second = bus.subscribe(news, (value) => seen.push(value))
  bus.publish(news, 1)
  assert.deepEqual(seen, [])
})

test('a request is answered, or refused when nobody serves', async () => {
  const { bus } = setup()
  await assert.rejects(bus.request(ask, 1, { deadline: seconds(1) }), { code: 'PLATFORM_BUS_NO_SERVER' })
  const serving = bus.serve(ask, async (value) => value * 2)
  assert.equal(await bus.request(ask, 4, { deadline: seconds(1) }), 8)
  assert.throws(() => bus.serve(ask, async () => 0), { code: 'PLATFORM_BUS_TWO_SERVERS' })
  serving[Symbol.dispose]()
  await assert.rejects(bus.request(ask, 1, { deadline: seconds(1) }), { code: 'PLATFORM_BUS_NO_SERVER' })
})

test('a request ends at its deadline and tells the server', async () => {
  const { bus, clock } = setup()
  let aborted = false
  bus.serve(
    ask,
    (_, signal) =>
      new Promise(() =>
        signal.addEventListener('abort', () => {
          aborted = true
        }),
      ),
  )
  const asked = assert.rejects(bus.request(ask, 1, { deadline: seconds(1) }), DeadlineError)
  await clock.advance(seconds(1))
  await asked
  assert.ok(aborted)
  assert.equal(clock.waiting, 0)
})

test('a watcher first gets what is there, then the changes', () => {
  const { bus } = setup()
  bus.set(speeds, 'a', 1)
  const seen: unknown[] = []
  const watching = bus.watch(speeds, ({ key, value, replay }) => seen.push([key, value, replay]))
  bus.set(speeds, 'a', 2)
  bus.remove(speeds, 'a')
  bus.remove(speeds, 'a')
  watching[Symbol.dispose]()
  bus.set(speeds, 'a', 3)
  assert.deepEqual(seen, [
    ['a', 1, true],
    ['a', 2, false],
    ['a', undefined, false],
  ])
  assert.equal(bus.get(speeds, 'a'), 3)
  assert.deepEqual([...bus.list(speeds)], [['a', 3]])
})

test('a watcher that changes state while it is listed never ends with an older value', () => {
  const { bus } = setup()
  bus.set(speeds, 'a', 1)
  bus.set(speeds, 'b', 1)
  bus.set(speeds, 'c', 1)
  const last = new Map<string, number | undefined>()
  bus.watch(speeds, ({ key, value }) => {
    last.set(key, value)
    if (key === 'a' && value === 1) {
      bus.set(speeds, 'b', 2)
      bus.remove(speeds, 'c')
    }
  })
  assert.deepEqual(Object.fromEntries(last), { a: 1, b: 2, c: undefined })
})

test('a watcher that throws while it is listed is logged and goes on', () => {
  const { bus, log } = setup()
  bus.set(speeds, 'a', 1)
  let calls = 0
  bus.watch(speeds, () => {
    calls++
    throw new Error('boom')
  })
  bus.set(speeds, 'a', 2)
  assert.equal(calls, 2)
  assert.equal(log.messages('error').length, 2)
})

function setup() {
  const clock = new FakeClock()
  const log = memoryLogger()
  return { clock, log, bus: createLocalBus(clock, log) }
}
