import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes, seconds } from './duration.ts'
import { FakeClock } from './testing/index.ts'
import { Watchdog } from './watchdog.ts'

const WITHIN = minutes(240)

test('silence is told when it has lasted so long, and only once', async () => {
  const clock = new FakeClock()
  let ended = 0
  using watch = new Watchdog(clock, WITHIN, () => ended++)
  await clock.advance(minutes(239))
  watch.heard()
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
  new Watchdog(clock, WITHIN, () => ended++)[Symbol.dispose]()
  await clock.advance(minutes(1000))
  assert.equal(ended, 0)
})

test('what is expected from now on may be another time', async () => {
  const clock = new FakeClock()
  const told: string[] = []
  using watch = new Watchdog(clock, WITHIN, ({ message }) => told.push(message))
  await clock.advance(minutes(200))
  watch.expect(seconds(5))
  await clock.advance(seconds(5))
  assert.deepEqual(told, ['nothing came within 5000 ms'])
})
