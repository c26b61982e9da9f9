import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes, ms, seconds } from '../../../../../platform/time/index.ts'
import { FakeClock } from '../../../../../platform/time/testing/index.ts'
import { FailedPods } from './failed-pods.ts'

test('the first pod that fails goes at once, the next ones later and later', async () => {
  const clock = new FakeClock()
  const failed = new FailedPods(clock)
  assert.equal(failed.untilDue('set', 'edge-1'), 0)
  assert.equal(failed.untilDue('set', 'edge-1'), 1000)
  await clock.advance(ms(600))
  assert.equal(failed.untilDue('set', 'edge-1'), 400)
  assert.equal(failed.untilDue('set', 'edge-2'), 0, 'each node by itself')
  assert.equal(failed.untilDue('other', 'edge-1'), 0, 'each set by itself')
  await clock.advance(ms(400))
  assert.equal(failed.untilDue('set', 'edge-1'), 0)
  assert.equal(failed.untilDue('set', 'edge-1'), 2000)
  for (let failures = 0; failures < 20; failures++) {
    await clock.advance(ms(failed.untilDue('set', 'edge-1')))
    assert.equal(failed.untilDue('set', 'edge-1'), 0)
  }
  assert.equal(failed.untilDue('set', 'edge-1'), minutes(15).milliseconds)
})

test('who ran well for half an hour is forgotten', async () => {
  const clock = new FakeClock()
  const failed = new FailedPods(clock)
  for (const node of ['edge-1', 'edge-2']) assert.equal(failed.untilDue('set', node), 0)
  await clock.advance(seconds(1))
  assert.equal(failed.untilDue('set', 'edge-1'), 0)
  await clock.advance(minutes(30))
  assert.equal(failed.untilDue('set', 'edge-3'), 0)
  assert.equal(failed.size, 2, 'edge-2 is forgotten')
  await clock.advance(seconds(1))
  assert.equal(failed.untilDue('set', 'edge-1'), 0)
  assert.equal(failed.untilDue('set', 'edge-1'), 1000, 'from the beginning')
})
