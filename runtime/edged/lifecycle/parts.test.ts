import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { aContainer, aView } from '../testing/a-pod.ts'
import { nextAttempt } from './attempts.ts'
import { Waits } from './waits.ts'

const WHY = { reason: 'CreateContainerError', message: 'no' }
const RECORD = { uid: 'u-1', name: 'till', namespace: 'shop', startedAt: 1000 }
const READY = [{ id: 's-0', isReady: true }]

test('a part of a pod is tried again later each time, and at once after it was hurried', async () => {
  const clock = new FakeClock()
  const waits = new Waits(clock, { next: () => 1, bytes: (count) => new Uint8Array(count), uuid: () => '' })
  assert.ok(waits.isDue('app'))
  waits.failed('app', WHY)
  assert.deepEqual([waits.isDue('app'), waits.why('app'), waits.next(['app'])?.milliseconds], [false, WHY, 1000])
  await clock.advance(seconds(1))
  assert.ok(waits.isDue('app'))
  waits.failed('app', WHY)
  assert.equal(waits.next(['app', 'other'])?.milliseconds, 2000)
  // Of what is not to be done now nobody is woken.
  assert.equal(waits.next(['other']), undefined)
  waits.hurry()
  assert.deepEqual([waits.isDue('app'), waits.next(['app'])], [true, undefined])
  waits.told('app', WHY)
  assert.deepEqual([waits.isDue('app'), waits.next(['app'])], [true, undefined])
  waits.done('app')
  assert.equal(waits.why('app'), undefined)
})

test('containers of a name are numbered on, also where the runtime has forgotten those before', () => {
  const status = (more: object) => ({
    containerStatuses: [{ name: 'app', containerID: 'm://a', restartCount: 4, ...more }],
  })
  assert.equal(nextAttempt(aView(READY), RECORD, 'app'), 0)
  assert.equal(nextAttempt(aView(READY, [aContainer('app', { state: 'exited', attempt: 2 })]), RECORD, 'app'), 3)
  assert.equal(nextAttempt(aView(READY, [aContainer('app', { state: 'created', attempt: 2 })]), RECORD, 'app'), 2)
  assert.equal(nextAttempt(aView(READY), { ...RECORD, status: status({}) }, 'app'), 5)
  const lost = { terminated: { reason: 'ContainerStatusUnknown', containerID: 'm://a' } }
  const counted = status({ state: { waiting: { reason: 'ContainerCreating' } }, lastState: lost })
  assert.equal(nextAttempt(aView(READY), { ...RECORD, status: counted }, 'app'), 4)
})
