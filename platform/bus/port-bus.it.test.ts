import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { MessageChannel, Worker } from 'node:worker_threads'
import { eventChannel, requestChannel, stateChannel } from '../../schemas/index.ts'
import { BugError, RefusedError, UnavailableError } from '../lifecycle/errors.ts'
import { memoryLogger } from '../log/testing/index.ts'
import { DeadlineError, ms, seconds, systemClock } from '../time/index.ts'
import { FakeClock } from '../time/testing/index.ts'
import type { Bus } from './bus.ts'
import { connectBus, createLocalBus, type ServeBusOptions, serveBus } from './index.ts'

const news = eventChannel<string>('news')
const sum = requestChannel<readonly number[], number>('sum')
const speeds = stateChannel<number>('speeds')
const done = eventChannel<string>('done')

test('events reach both sides, once, in their order', async (t) => {
  const { main, far } = setup(t)
  const here: string[] = []
  const there: string[] = []
  main.subscribe(news, (text) => here.push(text))
  far.subscribe(news, (text) => there.push(text))
  far.publish(news, 'a')
  await roundTrip(main, far)
  main.publish(news, 'b')
  far.publish(news, 'c')
  await roundTrip(main, far)
  assert.deepEqual(here, ['a', 'b', 'c'])
  assert.deepEqual(there, ['a', 'b', 'c'])
})

test('a subscription that ended gets nothing', async (t) => {
  const { main, far } = setup(t)
  const there: string[] = []
  const first = far.subscribe(news, (text) => there.push(`1${text}`))
  far.subscribe(news, (text) => there.push(`2${text}`))
  first[Symbol.dispose]()
  await roundTrip(main, far)
  main.publish(news, 'a')
  await roundTrip(main, far)
  assert.deepEqual(there, ['2a'])
})

test('requests are answered in both directions', async (t) => {
  const { main, far } = setup(t)
  using _near = main.serve(sum, async (numbers) => numbers.reduce((a, b) => a + b, 0))
  assert.equal(await far.request(sum, [1, 2], { deadline: seconds(5) }), 3)
  const product = requestChannel<readonly number[], number>('product')
  const serving = far.serve(product, async (numbers) => numbers.reduce((a, b) => a * b, 1))
  await roundTrip(main, far)
  assert.equal(await main.request(product, [3, 4], { deadline: seconds(5) }), 12)
  assert.equal(await far.request(product, [3, 5], { deadline: seconds(5) }), 15)
  serving[Symbol.dispose]()
  await roundTrip(main, far)
  await assert.rejects(main.request(product, [1], { deadline: seconds(5) }), { code: 'PLATFORM_BUS_NO_SERVER' })
})

test('an error keeps class, code, fields and cause on its way', async (t) => {
  const { main, far } = setup(t)
  main.serve(sum, async () => {
    const cause = new Error('below')
    throw new RefusedError('No', { code: 'X_NO', fields: { device: 'a', odd: () => 1 }, cause })
  })
  await assert.rejects(far.request(sum, [], { deadline: seconds(5) }), (error) => {
    assert.ok(error instanceof RefusedError)
    assert.equal(error.code, 'X_NO')
    assert.equal(error.fields['device'], 'a')
    assert.equal(String(error.cause), 'Error: below')
    return true
  })
})

test('a request that nobody serves is unavailable', async (t) => {
  const { far } = setup(t)
  await assert.rejects(far.request(sum, [], { deadline: seconds(5) }), UnavailableError)
})

test('a caller that gives up, by signal or deadline, aborts the server on the other side', async (t) => {
  const clock = new FakeClock()
  const { main, far } = setup(t, { clock })
  const aborted: string[] = []
  const hanging = (where: string) => (_: readonly number[], signal: AbortSignal) =>
    new Promise<number>(() => signal.addEventListener('abort', () => aborted.push(where)))
  main.serve(sum, hanging('main'))
  const controller = new AbortController()
  const asked = far.request(sum, [], { deadline: seconds(5), signal: controller.signal })
  await roundTrip(main, far)
  controller.abort(new Error('enough'))
  await assert.rejects(asked, { message: 'enough' })
  await roundTrip(main, far)
  assert.deepEqual(aborted, ['main'])

  const slow = requestChannel<readonly number[], number>('slow')
  far.serve(slow, hanging('far'))
  await roundTrip(main, far)
  const late = assert.rejects(main.request(slow, [], { deadline: seconds(5) }), DeadlineError)
  await clock.advance(seconds(5))
  await late
  await roundTrip(main, far)
  assert.deepEqual(aborted, ['main', 'far'])
})

test('a watch lists what is there, then follows, and the state of the worker reaches the others', async (t) => {
  const { main, far } = setup(t)
  main.set(speeds, 'a', 1)
  assert.throws(() => far.get(speeds, 'a'), BugError)
  const seen: unknown[] = []
  far.watch(speeds, ({ key, value, replay }) => seen.push([key, value, replay]))
  await roundTrip(main, far)
  main.set(speeds, 'b', 2)
  far.set(speeds, 'c', 3)
  await roundTrip(main, far)
  main.remove(speeds, 'a')
  far.remove(speeds, 'b')
  await roundTrip(main, far)
  assert.deepEqual(seen, [
    ['a', 1, true],
    ['b', 2, false],
    ['c', 3, false],
    ['a', undefined, false],
    ['b', undefined, false],
  ])
  assert.equal(main.get(speeds, 'c'), 3)
  assert.deepEqual([...far.list(speeds)], [['c', 3]])
  const late: unknown[] = []
  far.watch(speeds, (change) => late.push(change))
  assert.deepEqual(late, [{ key: 'c', value: 3, replay: true }])
})

test('a watch that ended and began again lists anew', async (t) => {
  const { main, far } = setup(t)
  main.set(speeds, 'a', 1)
  far.watch(speeds, () => undefined)[Symbol.dispose]()
  assert.throws(() => far.list(speeds), { code: 'PLATFORM_BUS_NOT_WATCHED' })
  const seen: unknown[] = []
  far.watch(speeds, (change) => seen.push(change))
  await roundTrip(main, far)
  assert.deepEqual(seen, [{ key: 'a', value: 1, replay: true }])
})

test('when the port closes, waiting requests are unavailable, servers leave, and state stays unless declared', async (t) => {
  const { main, far, close } = setup(t, { removeOnClose: [speeds] })
  const kept = stateChannel<number>('kept')
  far.set(speeds, 'a', 1)
  far.set(kept, 'a', 1)
  far.serve(sum, () => new Promise(() => undefined))
  main.serve(requestChannel<string, string>('hang'), () => new Promise(() => undefined))
  await roundTrip(main, far)
  main.set(speeds, 'of main', 1)
  const gone = { code: 'PLATFORM_BUS_PORT_CLOSED' }
  const both = Promise.all([
    assert.rejects(main.request(sum, [], { deadline: seconds(5) }), gone),
    assert.rejects(far.request(requestChannel<string, string>('hang'), '', { deadline: seconds(5) }), gone),
  ])
  close()
  await both
  assert.deepEqual([...main.list(speeds).keys()], ['of main'])
  assert.deepEqual([...main.list(kept).keys()], ['a'])
  await assert.rejects(main.request(sum, [], { deadline: seconds(5) }), { code: 'PLATFORM_BUS_NO_SERVER' })
  await assert.rejects(far.request(sum, [], { deadline: seconds(5) }), gone)
})

test('more requests than the bound are refused at once', async (t) => {
  const { main, far, close } = setup(t)
  main.serve(sum, () => new Promise(() => undefined))
  const asked = Array.from({ length: 1025 }, () =>
    far.request(sum, [], { deadline: seconds(5) }).catch((error) => error),
  )
  assert.equal((await Promise.race(asked)).code, 'PLATFORM_BUS_FULL')
  close()
  const codes = (await Promise.all(asked)).map((error) => error.code)
  assert.equal(codes.filter((code) => code === 'PLATFORM_BUS_FULL').length, 1)
})

test('a side that is far behind gets the latest state, and events beyond the window are dropped and counted', async (t) => {
  const { main, far, log } = setup(t)
  let events = 0
  const seen: number[] = []
  far.subscribe(news, () => void events++)
  far.watch(speeds, ({ value }) => void seen.push(value ?? 0))
  await roundTrip(main, far)
  // Within one turn of the loop the other side takes nothing.
  for (let count = 1; count <= 6000; count++) main.publish(news, 'x')
  for (let count = 1; count <= 6000; count++) main.set(speeds, 'a', count)
  await roundTrip(main, far)
  await roundTrip(main, far)
  assert.ok(events >= 4000 && events <= 4096, String(events))
  assert.deepEqual(seen, [6000])
  assert.deepEqual(log.messages('warn'), ['Events for a thread that is far behind are dropped', 'Events were dropped'])
})

test('what cannot be cloned is refused where it is sent, or fails the request', async (t) => {
  const { main, far } = setup(t)
  const odd = stateChannel<unknown>('odd')
  assert.throws(() => far.set(odd, 'a', () => 1), { code: 'PLATFORM_BUS_NOT_CLONEABLE' })
  const ask = requestChannel<unknown, unknown>('ask')
  main.serve(ask, async () => () => 1)
  await assert.rejects(far.request(ask, 1, { deadline: seconds(5) }), { code: 'PLATFORM_BUS_NOT_CLONEABLE' })
  await assert.rejects(
    far.request(ask, () => 1, { deadline: seconds(5) }),
    { code: 'PLATFORM_BUS_NOT_CLONEABLE' },
  )
})

test('spans a real worker thread, and its death closes the port', async (t) => {
  const log = memoryLogger()
  const main = createLocalBus(systemClock, log)
  const { port1, port2 } = new MessageChannel()
  using _bus = serveBus(main, port1, log)
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const script = `
    import { workerData } from 'node:worker_threads'
    import { connectBus } from ${url('./connect-bus.ts')}
    import { systemClock } from ${url('../time/index.ts')}
    import { silentLogger } from ${url('../log/logger.ts')}
    const bus = connectBus(workerData, systemClock, silentLogger)
    bus.serve({ name: 'sum' }, async (numbers) => {
      if (numbers.length === 0) process.exit(3)
      return numbers.reduce((a, b) => a + b)
    })
    bus.publish({ name: 'done' }, 'ready')
  `
  const ready = new Promise((resolve) => main.subscribe(done, resolve))
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`), {
    workerData: port2,
    transferList: [port2],
  })
  t.after(() => worker.terminate())
  await ready
  assert.equal(await main.request(sum, [20, 22], { deadline: seconds(5) }), 42)
  const exit = once(worker, 'exit')
  await assert.rejects(main.request(sum, [], { deadline: seconds(5) }), { code: 'PLATFORM_BUS_PORT_CLOSED' })
  await exit
})

function setup(t: TestContext, options: ServeBusOptions & { clock?: FakeClock } = {}) {
  const log = memoryLogger()
  const clock = options.clock ?? systemClock
  const main = createLocalBus(clock, log)
  const { port1, port2 } = new MessageChannel()
  const served = serveBus(main, port1, log, options)
  const far = connectBus(port2, clock, log)
  t.after(() => served[Symbol.dispose]())
  return { main, far, log, close: () => port2.close() }
}

/** Settles after all that was sent before in both directions has arrived. */
async function roundTrip(main: Bus, far: Bus): Promise<void> {
  const ping = requestChannel<null, null>('ping')
  using _serving = main.serve(ping, async () => null)
  // Neither clock matters: the answer comes or the test's own limit ends it.
  await far.request(ping, null, { deadline: ms(60_000) })
}
