import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes, seconds } from '../time/index.ts'
import { FakeClock } from '../time/testing/index.ts'
import { whileKnown } from './while-known.ts'

function start(answers: readonly (() => Promise<boolean>)[]) {
  const clock = new FakeClock()
  const left = [...answers]
  let looks = 0
  const known = whileKnown(clock, async () => {
    looks++
    return (await left.shift()?.()) ?? true
  })
  return { clock, known, looks: () => looks }
}

test('who is not known any more is told within a minute, once', async () => {
  const { clock, known, looks } = start([async () => true, async () => false])
  await clock.advance(seconds(119))
  assert.deepEqual([known.signal.aborted, looks()], [false, 1])
  await clock.advance(seconds(1))
  assert.deepEqual([known.signal.aborted, looks()], [true, 2])
  await clock.advance(minutes(5))
  assert.deepEqual([looks(), clock.waiting], [2, 0])
})

test('where nobody can tell, the answer goes on and it is asked again', async () => {
  const { clock, known, looks } = start([() => Promise.reject(new Error('away')), async () => false])
  await clock.advance(minutes(1))
  assert.equal(known.signal.aborted, false)
  await clock.advance(minutes(1))
  assert.deepEqual([known.signal.aborted, looks()], [true, 2])
})

test('after its end nobody is asked, and a late answer changes nothing', async () => {
  const late = Promise.withResolvers<boolean>()
  const { clock, known, looks } = start([() => late.promise])
  await clock.advance(minutes(1))
  known[Symbol.dispose]()
  late.resolve(false)
  await clock.advance(minutes(5))
  assert.deepEqual([known.signal.aborted, looks(), clock.waiting], [false, 1, 0])
})
