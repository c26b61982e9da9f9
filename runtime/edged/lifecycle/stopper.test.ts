import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RefusedError } from '../../../platform/lifecycle/index.ts'
import { silentLogger as log } from '../../../platform/log/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { aContainer, aPod } from '../testing/a-pod.ts'
import { scriptedChannel } from '../testing/scripted-channel.ts'
import { Stopper } from './stopper.ts'

/** A stopper over a runtime that ends containers, or refuses to while `refuses` is set. */
function stage() {
  const clock = new FakeClock()
  const happened: string[] = []
  const state = { refuses: false }
  const { runtime } = scriptedChannel({
    StopContainer: () => {
      happened.push('ended')
      if (state.refuses) throw new RefusedError('no', { code: 'EDGED_RUNTIME_REFUSED' })
      return {}
    },
  })
  let told = Promise.withResolvers<void>()
  const stopper = new Stopper({
    ...{ runtime, clock, log, hooks: { run: async () => undefined } },
    events: { tell: (_pod, { reason }) => happened.push(reason) },
    look: async () => void happened.push('looked'),
    onChange: () => {
      happened.push('told')
      told.resolve()
    },
  })
  const order = {
    pod: aPod(),
    container: aContainer('app', { state: 'running' }),
    podIp: '',
    graceSeconds: 1,
    message: '',
  }
  const stop = () => {
    told = Promise.withResolvers()
    stopper.stop(order, new AbortController().signal)
    return told.promise
  }
  return { stop, stopper, happened, state, clock }
}

test('the runtime is looked at before anybody is told that a container has ended', async () => {
  const { stop, happened } = stage()
  await stop()
  assert.deepEqual(happened, ['Killing', 'ended', 'looked', 'told'])
})

test('a container that the runtime does not end is not tried again at once', async () => {
  const { stop, stopper, happened, state, clock } = stage()
  state.refuses = true
  const told = stop()
  await clock.advance({ milliseconds: 900 })
  assert.deepEqual(happened, ['Killing', 'ended'])
  assert.equal(stopper.isStopping('app-0'), true)
  await clock.advance({ milliseconds: 200 })
  await told
  assert.equal(stopper.isStopping('app-0'), false)
})
