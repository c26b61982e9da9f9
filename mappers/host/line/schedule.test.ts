import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Schedule } from './schedule.ts'

const item = (id: string, cycleMs: number) => ({ id, cycleMs })
const ids = (items: readonly { readonly id: string }[]) => items.map(({ id }) => id).sort()

describe('the schedule of a line', () => {
  it('has what is new due at once, and then once per cycle', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 5000 }), fc.integer({ min: 0, max: 1000 }), (cycle, epoch) => {
        const schedule = new Schedule(-epoch)
        schedule.add(item('a', cycle), 0)
        assert.deepEqual(ids(schedule.take(0)), ['a'])
        let now = 0
        for (let round = 0; round < 20; round++) {
          const next = schedule.next(now) ?? assert.fail()
          assert.ok(next > now && next - now <= cycle)
          if (round > 0) assert.equal(next - now, cycle)
          assert.deepEqual(schedule.take(next - 0.5), [])
          assert.deepEqual(ids(schedule.take(next)), ['a'])
          now = next
        }
      }),
    )
  })

  it('brings together equal cycles and multiples, whenever they were added', () => {
    const schedule = new Schedule(0)
    schedule.add(item('a', 500), 0)
    schedule.add(item('b', 1000), 130)
    schedule.add(item('c', 500), 270)
    schedule.take(300)
    assert.deepEqual(ids(schedule.take(500)), ['a', 'c'])
    assert.deepEqual(ids(schedule.take(1000)), ['a', 'b', 'c'])
  })

  it('has slots beside each other, each at its own time in every cycle', () => {
    const schedule = new Schedule(0)
    for (let slot = 0; slot < 160; slot++) schedule.add(item(`s-${slot}`, 1000), 0, slot)
    assert.equal(schedule.take(0).length, 160)
    const batches: { readonly at: number; readonly ids: readonly string[] }[] = []
    for (let at = 0; at < 2000; ) {
      at = schedule.next(at) ?? assert.fail()
      batches.push({ at, ids: ids(schedule.take(at)) })
    }
    const first = batches.filter(({ at }) => at <= 1000)
    assert.deepEqual([first.length, first.flatMap((batch) => batch.ids).length], [16, 160])
    const gaps = first.map(({ at }, index) => at - (first[index - 1]?.at ?? 0))
    assert.ok(Math.max(...gaps) < 120, `${gaps}`)
    const second = batches.filter(({ at }) => at > 1000 && at <= 2000)
    assert.deepEqual(
      second.map(({ at, ids: batch }) => [Math.round(at - 1000), batch]),
      first.map(({ at, ids: batch }) => [Math.round(at), batch]),
    )
    for (let slot = 0; slot < 160; slot++) schedule.remove(item(`s-${slot}`, 1000))
    assert.equal(schedule.next(2000), undefined)
  })

  it('skips what was missed while the line was busy', () => {
    const schedule = new Schedule(0)
    schedule.add(item('a', 100), 0)
    schedule.take(0)
    assert.deepEqual(ids(schedule.take(1050)), ['a'])
    assert.equal(schedule.next(1050), 1100)
  })

  it('forgets what was removed', () => {
    const schedule = new Schedule(0)
    const a = item('a', 100)
    schedule.add(a, 0)
    schedule.remove(a)
    assert.deepEqual(schedule.take(1000), [])
    assert.equal(schedule.next(1000), undefined)
  })
})
