import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { deviceRefusals } from '../../schemas/index.ts'
import { busMapper, FakeBus } from './testing/fake-bus.ts'
import { fakeDevice, hostBench } from './testing/host-bench.ts'

const step = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd'),
  /** 0: the device goes; it comes or changes otherwise. */
  line: fc.constantFrom(0, 1, 2),
  unit: fc.integer({ min: 1, max: 3 }),
  cycle: fc.constantFrom(10, 500, 2_000_000_000),
  isOff: fc.boolean(),
  breaks: fc.boolean(),
  wish: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
  wait: fc.constantFrom(0, 20, 700, 3000),
})

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function play(host: ReturnType<typeof hostBench>, field: FakeBus, steps: readonly Step[]): Promise<void> {
  for (const [index, { name, line, unit, cycle, isOff, breaks, wish, wait }] of steps.entries()) {
    if (line === 0) host.unassign(name)
    else host.assign(fakeDevice(name, { p: { collectCycle: cycle } }, { line: `line-${line}`, unit }, index))
    if (wish !== undefined) host.order(name, { p: [String(wish), `o-${index}`] })
    if (isOff) field.off.add(unit)
    else field.off.delete(unit)
    field.breaks = breaks ? 'cable pulled' : undefined
    await host.advance(wait)
  }
}

it('whatever devices come, change, fail and go in any order, nothing of them is left', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const field = new FakeBus()
      let open = 0
      const mapper = busMapper(field)
      const host = hostBench({
        ...mapper,
        connect: async (_device: unknown, { clock }) => {
          open++
          field.open(clock)
          return {
            [Symbol.asyncDispose]: async () => {
              open--
            },
          }
        },
      })
      await play(host, field, steps)
      for (const name of ['a', 'b', 'c', 'd']) host.unassign(name)
      field.breaks = undefined
      await host.advance(30_000)
      assert.equal(open, 0)
      assert.deepEqual([host.stats.devices.size, host.stats.lines.size], [0, 0])
      assert.equal(host.bus.list(deviceRefusals).size, 0)
      assert.equal(host.clock.waiting, 0, 'timers')
      field.calls.length = 0
      await host.advance(10_000)
      assert.deepEqual(field.calls, [])
      await host.stop()
    }),
    { numRuns: 40 },
  )
})

it('whatever happened before, the last wish is on the device in the end, read back and told', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const field = new FakeBus()
      const host = hostBench(busMapper(field))
      await play(host, field, steps)
      field.off.clear()
      field.breaks = undefined
      host.assign(fakeDevice('a', { p: { collectCycle: 500 } }, { line: 'line-1', unit: 7 }, 100))
      host.order('a', { p: ['77', 'last'] })
      await host.advance(130_000)
      assert.equal(field.values.get('7:p'), 77)
      assert.equal(host.values('a', 'p').at(-1), '77')
      const told = host.writes().findLast(({ orderId }) => orderId === 'last')
      assert.ok(told && told.failure === undefined)
      assert.equal(host.states.findLast(({ id }) => id === 'default/a')?.state, 'online')
      await host.stop()
    }),
    { numRuns: 8 },
  )
})
