import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { aContainer, aPod } from '../testing/a-pod.ts'
import { Grace } from './grace.ts'
import type { Stop } from './plan.ts'

const container = aContainer('app', { state: 'running' })
const ofPod: Stop = { container, reason: 'PodEnds', message: '' }

test('the containers of a pod that ends share its grace; whoever is stopped last has two seconds at least', async () => {
  const clock = new FakeClock()
  const grace = new Grace(clock)
  const pod = aPod({ terminationGracePeriodSeconds: 10 })
  assert.equal(grace.secondsFor(pod, ofPod), 10)
  await clock.advance(seconds(4))
  assert.equal(grace.secondsFor(pod, ofPod), 6)
  await clock.advance(seconds(30))
  assert.equal(grace.secondsFor(pod, ofPod), 2)
  grace.restart()
  assert.equal(grace.secondsFor(pod, ofPod), 10)
})

test('what the plan says of one container goes first, and what ends for itself has all of the grace', async () => {
  const clock = new FakeClock()
  const grace = new Grace(clock)
  const pod = aPod({ terminationGracePeriodSeconds: 10 })
  assert.equal(grace.secondsFor(pod, { ...ofPod, graceSeconds: 1 }), 1)
  grace.secondsFor(pod, ofPod)
  await clock.advance(seconds(5))
  assert.equal(grace.secondsFor(pod, { ...ofPod, reason: 'Changed' }), 10)
})

test('a node that ends a pod by itself may give it less, and never more', () => {
  const clock = new FakeClock()
  const pod = aPod({ terminationGracePeriodSeconds: 10 })
  const short = new Grace(clock)
  short.shorten(seconds(3))
  assert.equal(short.secondsFor(pod, ofPod), 3)
  const long = new Grace(clock)
  long.shorten(seconds(60))
  assert.equal(long.secondsFor(pod, ofPod), 10)
})
