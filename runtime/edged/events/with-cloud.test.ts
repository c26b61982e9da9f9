import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { EVENTS } from '../../../hub/cloud/kubernetes/resources.ts'
import { BothHalves } from '../../../hub/cloud/testing/both-halves.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { systemRandom as random } from '../../../platform/time/index.ts'
import { testPod } from '../testing/test-pod.ts'
import { createPodEvents } from './create-pod-events.ts'
import type { PodEvent } from './pod-events.ts'

const backOff = (message: string): PodEvent => ({ type: 'Warning', reason: 'BackOff', message })

async function setup(t: TestContext) {
  const both = new BothHalves()
  await both.startCloud()
  await both.startEdge()
  t.after(() => both.stop())
  await both.pass(31_000)
  const ports = { bus: both.edge.bus, nodeName: 'edge-1', clock: both.clock, random, log: silentLogger }
  const events = createPodEvents(ports)
  const end = new AbortController()
  const running = events.run(end.signal)
  t.after(async () => {
    end.abort()
    await running
  })
  /** `<count> <message>` of the Events in the API. */
  const inApi = async () => {
    const { items } = await both.kubernetes.list(EVENTS, { namespace: 'shop' })
    return items.map((event) => `${String(Reflect.get(event, 'count'))} ${String(Reflect.get(event, 'message'))}`)
  }
  return { both, inApi, tell: (message: string) => events.tell(testPod(), backOff(message)) }
}

test('the count of an Event grows in the API, through outages and after the API has forgotten it', async (t) => {
  const { both, inApi, tell } = await setup(t)
  tell('restarting')
  await both.pass(1000)
  assert.deepEqual(await inApi(), ['1 restarting'])
  for (let count = 0; count < 3; count++) {
    tell('restarting')
    await both.pass(60_000)
  }
  assert.deepEqual(await inApi(), ['4 restarting'])
  await both.stopCloud()
  await both.pass(1000)
  tell('restarting')
  tell('offline')
  tell('restarting')
  await both.pass(120_000)
  await both.startCloud()
  await both.pass(120_000)
  assert.deepEqual(await inApi(), ['6 restarting', '1 offline'])
  const { items } = await both.kubernetes.list(EVENTS, { namespace: 'shop' })
  for (const { metadata } of items) await both.kubernetes.delete(EVENTS, { namespace: 'shop', name: metadata.name })
  tell('restarting')
  await both.pass(1000)
  assert.deepEqual(await inApi(), ['7 restarting'])
})

test('an Event of a namespace that is gone is given up, and those after it arrive', async (t) => {
  const { both, inApi, tell } = await setup(t)
  both.kubernetes.fail('POST events', 404)
  tell('lost')
  await both.pass(60_000)
  tell('kept')
  await both.pass(1000)
  assert.deepEqual(await inApi(), ['1 kept'])
})
