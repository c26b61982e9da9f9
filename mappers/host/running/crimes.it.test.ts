import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Duration, seconds } from '../../../platform/time/index.ts'
import { assignedDevices, mappersLoaded } from '../../../schemas/index.ts'
import { plainDevice, runHost } from '../testing/running-host.ts'
import type { MapperSource } from './source.ts'

const steady: MapperSource = { protocol: 'steady', entry: new URL('../testing/steady.ts', import.meta.url) }
const criminal = (name: string): MapperSource => ({
  protocol: 'crime',
  entry: new URL(`../testing/criminals/${name}.ts`, import.meta.url),
})

const crimes: readonly (readonly [name: string, isolation: 'worker' | 'process', reason: RegExp])[] = [
  ['throws', 'worker', /^mapper crime crashed: The thread of the mapper ended: nobody caught this$/],
  ['throws', 'process', /^mapper crime crashed: The process of the mapper ended: nobody caught this$/],
  ['rejects', 'worker', /nobody handled this/],
  ['rejects', 'process', /nobody handled this/],
  ['hangs', 'worker', /it showed no life and was ended/],
  ['hangs', 'process', /it showed no life and was ended/],
  ['grows', 'worker', /its heap grew beyond 96 MiB/],
  ['grows', 'process', /its heap grew beyond 96 MiB/],
  ['hoards', 'worker', /it held \d+ MiB of buffers, more than 96/],
  ['hoards', 'process', /it held \d+ MiB of buffers, more than 96/],
  ['exits', 'worker', /it ended itself with code 7/],
  ['exits', 'process', /it ended itself with code 7/],
  ['aborts', 'process', /it was ended by SIGABRT/],
  ['segfaults', 'process', /it was ended by SIGSEGV/],
]

/** Tight only where they matter: on a busy machine what is innocent is slow, and loads with little memory to spare. */
const LIMITS: Readonly<Record<string, { heapMegabytes?: number; silence?: Duration }>> = {
  hangs: { silence: seconds(4) },
  grows: { heapMegabytes: 96 },
  hoards: { heapMegabytes: 96 },
}

describe('a mapper that commits a crime', { concurrency: 2 }, () => {
  for (const [crime, isolation, reason] of crimes) {
    it(`and ${crime} in a ${isolation} is started again, heals, and its neighbours go on`, async (t) => {
      const host = await runHost(t, isolation, { builtIns: [criminal(crime), steady], ...LIMITS[crime] })
      host.bus.set(assignedDevices, 'default/good', plainDevice('good', 'steady'))
      await host.untilState('online', 'default/good')
      host.bus.set(assignedDevices, 'default/bad', plainDevice('bad', 'crime'))

      const unknown = await host.untilState('unknown', 'default/bad')
      assert.equal(unknown.code, 'MapperCrashed')
      assert.match(unknown.reason ?? '', reason)
      const entry = host.bus.get(mappersLoaded, 'crime')
      assert.deepEqual([entry?.state, entry?.crashes, entry?.devices], ['restarting', 1, 1])
      assert.match(await host.metrics.text(), /skerry_mapper_crashes_total\{mapper="crime"\} 1/)

      await host.untilState('online', 'default/bad')
      assert.equal(host.bus.get(mappersLoaded, 'crime')?.state, 'running')
      assert.match(await host.metrics.text(), /skerry_mapper_restarts_total\{mapper="crime"\} 1/)
      const ofNeighbour = host.heard.filter(({ id }) => id === 'default/good')
      assert.deepEqual(
        ofNeighbour.flatMap((item) => ('state' in item ? [item.state] : [])),
        ['online'],
      )
      await host.until('a reading of the neighbour', (item) =>
        item.id === 'default/good' && 'readings' in item && item.readings.length > 0 ? true : undefined,
      )
    })
  }
})

for (const isolation of ['worker', 'process'] as const) {
  it(`what a mapper prints in a ${isolation} goes to the log, bounded, and it sees no secret`, async (t) => {
    process.env['SKERRY_TEST_SECRET'] = 'very'
    t.after(() => delete process.env['SKERRY_TEST_SECRET'])
    const host = await runHost(t, isolation, { builtIns: [criminal('prints')] })
    host.bus.set(assignedDevices, 'default/bad', plainDevice('bad', 'crime'))
    await host.untilState('online')
    const lines = () => host.log.lines.filter(({ message }) => message === 'A mapper printed')
    // What is printed comes on a pipe of its own.
    const patience = AbortSignal.timeout(30_000)
    while (lines().length === 0 && !patience.aborted) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(lines().length <= 200, true)
    assert.deepEqual(lines()[0]?.fields, { mapper: 'crime', text: 'secret: none' })
  })
}

it('a mapper that says something of its own on the port of its thread is passed over', async (t) => {
  const host = await runHost(t, 'worker', { builtIns: [criminal('babbles')] })
  host.bus.set(assignedDevices, 'default/bad', plainDevice('bad', 'crime'))
  await host.untilState('online')
  await host.untilValue('value', (value) => value === '1')
  assert.equal(host.bus.get(mappersLoaded, 'crime')?.crashes, 0)
})
