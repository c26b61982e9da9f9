import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RefusedError } from '../../../platform/lifecycle/index.ts'
import { silentLogger as log } from '../../../platform/log/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { aContainer, aPod, aView } from '../testing/a-pod.ts'
import { scriptedChannel } from '../testing/scripted-channel.ts'
import { Stopper } from './stopper.ts'

/** A stopper over a runtime that ends containers, or refuses to while `refuses` is set. */
function stage() {
  const clock = new FakeClock()
  const happened: string[] = []
  const state = { refuses: false }
  const isEnded = () => happened.includes('looked')
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
    random: { next: () => 1, bytes: (count) => new Uint8Array(count), uuid: () => '' },
    events: { tell: (_pod, { reason }) => happened.push(reason) },
    view: {
      get: () => aView([], [aContainer('app', { state: isEnded() ? 'exited' : 'running' })]),
      refresh: async () => void happened.push('looked'),
    },
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
  return { stop, happened, state, clock }
}

test('the runtime is looked at before anybody is told that a container has ended', async () => {
  const { stop, happened } = stage()
  await stop()
  assert.deepEqual(happened, ['Killing', 'ended', 'looked', 'told'])
})

test('a container that the runtime does not end is tried again, not at once, and nobody is told before it has ended', async () => {
  const { stop, happened, state, clock } = stage()
  state.refuses = true
  const told = stop()
  await clock.advance({ milliseconds: 900 })
  assert.deepEqual(happened, ['Killing', 'ended'])
  await clock.advance({ milliseconds: 200 })
  assert.deepEqual(happened, ['Killing', 'ended', 'ended'])
  state.refuses = false
  await clock.advance({ milliseconds: 2000 })
  await told
  assert.deepEqual(happened, ['Killing', 'ended', 'ended', 'ended', 'looked', 'told'])
})
