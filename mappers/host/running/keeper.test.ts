import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { silentMetrics } from '../../../platform/health/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../../platform/log/testing/index.ts'
import { minutes, ms, seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { MapperEntry } from '../../../schemas/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { steadyRandom } from '../testing/host-bench.ts'
import type { CatalogMapper, LoadedMapper } from './catalog.ts'
import { countersOf } from './counters.ts'
import { gaugesOf } from './gauges.ts'
import { Keeper } from './keeper.ts'

/** A keeper of a mapper that runs until the test lets it crash. */
async function keep(t: TestContext) {
  const [clock, log] = [new FakeClock(), memoryLogger()]
  const folder = temporaryFolder('skerry-keeper-')
  const scope = createScope('MapperHost', { clock, log, deadline: seconds(10), onCrash: assert.ifError })
  t.after(() => scope[Symbol.asyncDispose]())
  const loaded: LoadedMapper = {
    source: { protocol: 'x', entry: new URL('file:///x.js') },
    description: { contract: 1, deviceSchema: {}, visitorSchema: {} },
    serves: ['x'],
  }
  const place = { origin: { kind: 'built-in' }, isolation: 'worker', heapMegabytes: 64 } as const
  const mapper: CatalogMapper = { id: 'x', name: 'x', ...place, loaded }
  let entry: MapperEntry | undefined
  let running: { crash(error: Error): void } | undefined
  let started: () => void = () => undefined
  const downs: (readonly string[])[] = []
  const keeper = new Keeper({
    ...{ mapper, loaded, clock, log, folder, scope, random: steadyRandom, bus: createLocalBus(clock, log) },
    counters: countersOf(silentMetrics, 'x'),
    gauges: gaugesOf(silentMetrics, 'x'),
    publish: (now) => {
      entry = now
    },
    onDown: (_reason, devices) => downs.push(devices),
    run: (_options, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      signal.addEventListener('abort', () => resolve(), { once: true })
      running = { crash: reject }
      started()
      return promise
    },
  })
  const nextStart = () =>
    new Promise<void>((resolve) => {
      started = resolve
    })
  /** Lets it crash, and waits until it runs again. */
  const crash = async () => {
    const again = nextStart()
    running?.crash(new Error('out of luck'))
    // The folder is made on the real disk, so that a start takes turns of the loop that no clock counts.
    let isStarted = false
    void again.then(() => {
      isStarted = true
    })
    while (!isStarted) {
      await clock.advance(ms(50))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const waits = () => log.lines.flatMap(({ fields }) => ('waitMs' in fields ? [fields['waitMs']] : []))
  return { keeper, clock, waits, downs, crash, nextStart, entry: () => entry }
}

test('waits longer from crash to crash, a minute at most, and begins anew after a minute without one', async (t) => {
  const host = await keep(t)
  const first = host.nextStart()
  host.keeper.add('default/a')
  await first
  for (let crash = 0; crash < 9; crash++) await host.crash()
  // Half of the nominal wait is certain; the rest is jitter, which is none here.
  assert.deepEqual(host.waits(), [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  assert.equal(host.entry()?.crashes, 9)
  await host.clock.advance(minutes(2))
  await host.crash()
  assert.equal(host.waits().at(-1), 250)
})

test('a device that comes while its mapper is down is told why, and the last one that leaves ends it', async (t) => {
  const host = await keep(t)
  const first = host.nextStart()
  host.keeper.add('default/a')
  await first
  assert.deepEqual([host.entry()?.state, host.entry()?.devices], ['running', 1])
  const crashed = host.crash()
  while (host.entry()?.state !== 'restarting') await new Promise((resolve) => setImmediate(resolve))
  host.keeper.add('default/b')
  assert.deepEqual(host.downs, [['default/a'], ['default/b']])
  assert.equal(host.entry()?.detail, 'mapper x crashed: out of luck')
  await crashed
  host.keeper.remove('default/a')
  assert.equal(host.entry()?.state, 'running')
  host.keeper.remove('default/b')
  assert.deepEqual([host.entry()?.state, host.entry()?.devices], ['idle', 0])
})
