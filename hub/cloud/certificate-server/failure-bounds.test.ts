import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { FailureBounds } from './failure-bounds.ts'

test('the first refusals of an address are answered at once, later ones after a second, and of many at once some not at all', async () => {
  const clock = new FakeClock()
  const bounds = new FailureBounds({ clock, atOnce: 2, waiting: 2 })
  const { signal } = new AbortController()
  const ask = (address: string) => bounds.pause(address, signal)
  assert.deepEqual([await ask('192.0.2.1'), await ask('192.0.2.1')], [true, true])
  const answered: boolean[] = []
  const waiting = [ask('192.0.2.1'), ask('192.0.2.1')].map(async (paused) => void answered.push(await paused))
  assert.equal(await ask('192.0.2.1'), false)
  assert.equal(await ask('192.0.2.2'), true)
  await clock.advance(seconds(0.9))
  assert.deepEqual(answered, [])
  await clock.advance(seconds(0.1))
  await Promise.all(waiting)
  assert.deepEqual(answered, [true, true])
  await clock.advance(seconds(60))
  assert.equal(await ask('192.0.2.1'), true, 'a minute later it is forgotten')
})
