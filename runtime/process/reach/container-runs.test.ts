import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { containerRuns } from './container-runs.ts'

const OF = { namespace: 'shop', name: 'till', container: 'app' }

/** A node with one pod, whose container is as `state` says by then. */
function node(state: { id: string; phase: string }) {
  return {
    json: async () => ({
      items: [
        {
          metadata: { name: 'till', namespace: 'shop' },
          status: { phase: state.phase, containerStatuses: [{ name: 'app', containerID: state.id }] },
        },
      ],
    }),
  }
}

test('a run that began while the one before was looked at is not missed, and after the last one there is none', async () => {
  const clock = new FakeClock()
  const state = { id: 'one', phase: 'Running' }
  const runs = containerRuns(node(state), OF, clock, new AbortController().signal)
  assert.deepEqual(await runs.next(), { done: false, value: 'one' })
  state.id = 'two'
  const second = runs.next()
  await clock.advance(seconds(1))
  assert.deepEqual(await second, { done: false, value: 'two' })
  const third = runs.next()
  await clock.advance(seconds(1))
  state.phase = 'Succeeded'
  await clock.advance(seconds(1))
  assert.deepEqual(await third, { done: true, value: undefined })
})
