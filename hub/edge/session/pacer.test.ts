import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { Pacer } from './pacer.ts'

test('a burst goes at once, then so many a second, the urgent before those that wait', async () => {
  const clock = new FakeClock()
  const pacer = new Pacer(clock, { perSecond: 10, burst: 2 })
  const gone: string[] = []
  const take = (name: string, urgency: 'urgent' | 'normal') => void pacer.take(urgency).then(() => void gone.push(name))
  for (const name of ['a', 'b', 'c', 'd']) take(name, 'normal')
  take('first', 'urgent')
  await clock.advance(seconds(0.05))
  assert.deepEqual(gone, ['a', 'b'])
  await clock.advance(seconds(0.1))
  assert.deepEqual(gone, ['a', 'b', 'first'])
  await clock.advance(seconds(0.2))
  assert.deepEqual(gone, ['a', 'b', 'first', 'c', 'd'])
})

test('when the link is over nobody waits, also who comes later, and no timer is left', async () => {
  const clock = new FakeClock()
  const pacer = new Pacer(clock, { perSecond: 1, burst: 1 })
  const waiting = Promise.all([pacer.take('normal'), pacer.take('normal')])
  await clock.advance(seconds(0))
  pacer[Symbol.dispose]()
  await waiting
  await pacer.take('urgent')
  assert.equal(clock.waiting, 0)
})
