import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ms, seconds } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import type { Reported, Twin, TwinProperty } from '../../schemas/index.ts'
import { Expiry } from './expiry.ts'

const NOW = 1_786_017_600_000

function property(timeToLive: number | undefined, reported: Partial<Reported> | undefined = {}): TwinProperty {
  const value: Reported = {
    ...{ value: '1', timestamp: NOW, sourceTime: NOW, quality: 'good', version: { cloud: 1, edge: 1 } },
    ...reported,
  }
  return {
    ...{ type: 'int', declared: true, optional: false, writable: false, reported: value },
    ...(timeToLive === undefined ? {} : { timeToLive }),
  }
}

function twin(properties: Readonly<Record<string, TwinProperty>>, uid = 'u'): Twin {
  return { id: 'd', uid, description: '', generation: 1, state: 'online', properties, revision: 1 }
}

function start(clock = new FakeClock(NOW)) {
  const due: string[] = []
  const expiry = new Expiry(clock, (id, names) => due.push(...names.map((name) => `${id}/${name}`)))
  const take = () => due.splice(0)
  return { clock, expiry, take }
}

describe('the age of values', () => {
  it('nothing waits where nothing has a time to live, or was ever read', () => {
    const { clock, expiry } = start()
    const { reported: _, ...unread } = property(1000)
    expiry.follow('d', twin({ a: property(undefined), b: unread }))
    assert.equal(clock.waiting, 0)
  })

  it('one timer serves all values, and confirmations do not touch it', async () => {
    const { clock, expiry, take } = start()
    for (let device = 0; device < 1000; device++)
      expiry.follow(`d${device}`, twin({ a: property(10_000), b: property(20_000 + device) }))
    assert.equal(clock.waiting, 1)
    for (let second = 0; second < 9; second++) {
      await clock.advance(seconds(1))
      for (let device = 0; device < 1000; device++) expiry.confirm(`d${device}`, ['a'])
    }
    assert.deepEqual([clock.waiting, take()], [1, []])
    await clock.advance(seconds(10))
    assert.equal(take().length, 1000)
  })

  it('is told once, when the time is over, with the moment at which it was over', async () => {
    const { clock, expiry, take } = start()
    expiry.follow('d', twin({ a: property(10_000) }))
    await clock.advance(ms(9999))
    assert.deepEqual(take(), [])
    await clock.advance(seconds(5))
    assert.deepEqual(take(), ['d/a'])
    assert.deepEqual([...expiry.overdue('d', ['a'])], [['a', NOW + 10_000]])
    await clock.advance(seconds(100))
    assert.deepEqual(take(), [])
  })

  it('a reading that comes while the change is under way keeps the value fresh', async () => {
    const { clock, expiry, take } = start()
    expiry.follow('d', twin({ a: property(10_000) }))
    await clock.advance(seconds(10))
    assert.deepEqual(take(), ['d/a'])
    expiry.confirm('d', ['a'])
    assert.equal(expiry.overdue('d', ['a']).size, 0)
    expiry.settle('d', ['a'], true)
    await clock.advance(ms(9999))
    assert.deepEqual(take(), [])
    await clock.advance(ms(1))
    assert.deepEqual(take(), ['d/a'])
  })

  it('what could not be stored is told again after a wait', async () => {
    const { clock, expiry, take } = start()
    expiry.follow('d', twin({ a: property(10_000) }))
    await clock.advance(seconds(10))
    take()
    expiry.settle('d', ['a'], false)
    await clock.advance(ms(4999))
    assert.deepEqual(take(), [])
    await clock.advance(ms(1))
    assert.deepEqual(take(), ['d/a'])
  })

  it('jumps of the wall clock make nothing older or younger', async () => {
    const { clock, expiry, take } = start()
    expiry.follow('d', twin({ a: property(10_000) }))
    clock.jump(seconds(3600))
    await clock.advance(seconds(9))
    clock.jump(seconds(-7200))
    // Another change of the twin, stamped by the jumped clock.
    expiry.follow('d', twin({ a: property(10_000, { timestamp: NOW - 3_600_000 }) }))
    assert.deepEqual(take(), [])
    await clock.advance(seconds(1))
    assert.deepEqual(take(), ['d/a'])
  })

  it('after a start the stored time counts, and a time from the future proves nothing', async () => {
    const { clock, expiry, take } = start()
    expiry.follow(
      'd',
      twin({
        old: property(10_000, { timestamp: NOW - 60_000 }),
        young: property(10_000, { timestamp: NOW - 60_000, confirmed: NOW - 4000 }),
        ahead: property(10_000, { timestamp: NOW + 60_000 }),
        nearlyNow: property(10_000, { timestamp: NOW + 500 }),
        stale: property(10_000, { timestamp: NOW - 60_000, stale: true }),
      }),
    )
    await clock.advance(ms(20))
    assert.deepEqual(take().sort(), ['d/ahead', 'd/old'])
    await clock.advance(ms(5979))
    assert.deepEqual(take(), [])
    await clock.advance(ms(1))
    assert.deepEqual(take(), ['d/young'])
    await clock.advance(seconds(60))
    assert.deepEqual(take(), ['d/nearlyNow'])
  })

  it('follows changes of the time to live from the last confirmation on', async () => {
    const { clock, expiry, take } = start()
    expiry.follow('d', twin({ a: property(100_000), b: property(10_000), c: property(10_000) }))
    await clock.advance(seconds(5))
    expiry.follow('d', twin({ a: property(8000), b: property(20_000), c: property(undefined) }))
    await clock.advance(seconds(3))
    assert.deepEqual(take(), ['d/a'])
    await clock.advance(ms(11_999))
    assert.deepEqual(take(), [])
    await clock.advance(ms(1))
    assert.deepEqual(take(), ['d/b'])
  })

  it('forgets devices that are gone, and begins anew with one that was made again', async () => {
    const { clock, expiry, take } = start()
    expiry.follow('d', twin({ a: property(10_000) }))
    expiry.follow('e', twin({ a: property(10_000) }))
    await clock.advance(seconds(5))
    expiry.follow('d', twin({ a: property(10_000, { timestamp: NOW + 5000 }) }, 'u-2'))
    expiry.follow('e', undefined)
    await clock.advance(ms(9999))
    assert.deepEqual(take(), [])
    await clock.advance(ms(1))
    assert.deepEqual(take(), ['d/a'])
    assert.deepEqual(expiry.watched, ['d'])
  })

  it('keeps no alarms of what changes again and again', async () => {
    const { clock, expiry, take } = start()
    for (let change = 0; change < 5000; change++) expiry.follow('d', twin({ a: property(1_000_000 + change) }))
    expiry.follow('d', twin({ a: property(10_000) }))
    await clock.advance(seconds(10))
    assert.deepEqual(take(), ['d/a'])
    assert.ok(expiry.alarms < 3000, `${expiry.alarms} alarms`)
  })

  it('when stopped tells nothing more, but knows the last confirmations', async () => {
    const { clock, expiry, take } = start()
    expiry.follow('d', twin({ a: property(10_000) }))
    await clock.advance(seconds(3))
    expiry.confirm('d', ['a'])
    expiry[Symbol.dispose]()
    await clock.advance(seconds(60))
    assert.deepEqual([take(), clock.waiting, expiry.confirmedAt('d', 'a')], [[], 0, NOW + 3000])
  })
})
