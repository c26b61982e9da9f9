import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import { IDLE_WITHIN, idleWatch } from './idle.ts'

test('a stream is idle four hours after it moved last, and only once', async () => {
  const clock = new FakeClock()
  let ended = 0
  using watch = idleWatch(clock, IDLE_WITHIN, () => ended++)
  await clock.advance(minutes(239))
  watch.touch()
  await clock.advance(minutes(239))
  assert.equal(ended, 0)
  await clock.advance(minutes(1))
  assert.equal(ended, 1)
  await clock.advance(minutes(1000))
  assert.equal(ended, 1)
})

test('whoever is done with it hears nothing more', async () => {
  const clock = new FakeClock()
  let ended = 0
  idleWatch(clock, IDLE_WITHIN, () => ended++)[Symbol.dispose]()
  await clock.advance(minutes(1000))
  assert.equal(ended, 0)
})
