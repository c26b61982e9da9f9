import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { createMetrics } from '../../../platform/health/index.ts'
import { RefusedError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { type Random, seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { type JsonObject, links, type ObjectWrite, writeObject } from '../../../schemas/index.ts'
import { testPod } from '../testing/test-pod.ts'
import { createPodEvents } from './create-pod-events.ts'
import { fieldPathOf, type PodEvent } from './pod-events.ts'

const unhealthy = (message = 'Liveness probe failed: no'): PodEvent => ({
  type: 'Warning',
  reason: 'Unhealthy',
  message,
  fieldPath: fieldPathOf('app'),
})

function countingRandom(): Random {
  let count = 0
  return { next: () => 0.5, bytes: (length) => new Uint8Array(length).fill(++count), uuid: () => '' }
}

function setup(t: TestContext) {
  const clock = new FakeClock(Date.UTC(2026, 0, 1))
  const bus = createLocalBus(clock, silentLogger)
  const metrics = createMetrics()
  const log = silentLogger
  const writes: ObjectWrite[] = []
  const cloud: { failure: Error | undefined } = { failure: undefined }
  bus.serve(writeObject, async (write) => {
    if (cloud.failure) throw cloud.failure
    writes.push(write)
    return 'OK'
  })
  const events = createPodEvents({ bus, nodeName: 'edge-1', clock, random: countingRandom(), log, metrics })
  const end = new AbortController()
  const running = events.run(end.signal)
  t.after(async () => {
    end.abort()
    await running
  })
  const connect = (connected: boolean) => bus.set(links, 'cloud', { connected, since: 0, detail: '' })
  const tell = (event = unhealthy(), pod = testPod()) => events.tell(pod, event)
  /** `insert 1`, `patch 3`: what was written, with its count. */
  const written = () =>
    writes.splice(0).map(({ operation, content }) => {
      const body: JsonObject = Object(content)
      const of: JsonObject = operation === 'patch' ? JSON.parse(String(body['patchData'])) : body
      return `${operation} ${String(of['count'])} ${String(of['message'])}`
    })
  return {
    clock,
    bus,
    metrics,
    writes,
    cloud,
    events,
    connect,
    tell,
    written,
    pass: (s: number) => clock.advance(seconds(s)),
  }
}

test('an Event has what a kubelet writes of a pod', async (t) => {
  const { tell, writes, pass } = setup(t)
  tell()
  await pass(0)
  const name = 'till.0101010101010101'
  assert.deepEqual(writes, [
    {
      operation: 'insert',
      resource: `shop/event/${name}`,
      content: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name, namespace: 'shop' },
        involvedObject: {
          ...{ apiVersion: 'v1', kind: 'Pod', name: 'till', namespace: 'shop', uid: 'u-1', resourceVersion: '41' },
          fieldPath: 'spec.containers{app}',
        },
        ...{ type: 'Warning', reason: 'Unhealthy', message: 'Liveness probe failed: no' },
        source: { component: 'edged', host: 'edge-1' },
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
        count: 1,
        reportingComponent: 'edged',
        reportingInstance: 'edge-1',
      },
    },
  ])
})

test('the same again within ten minutes is counted on the Event that is there, and later it is another one', async (t) => {
  const { tell, writes, pass, written } = setup(t)
  tell()
  await pass(540)
  tell()
  await pass(540)
  const [first, second] = writes
  assert.deepEqual([second?.operation, second?.resource], ['patch', first?.resource])
  const content: JsonObject = Object(second?.content)
  const times = { count: 2, lastTimestamp: '2026-01-01T00:09:00Z' }
  assert.deepEqual(JSON.parse(String(content['patchData'])), { ...times, message: 'Liveness probe failed: no' })
  assert.deepEqual(content['event'], { ...Object(first?.content), ...times })
  tell()
  tell({ ...unhealthy(), fieldPath: fieldPathOf('other') })
  tell(unhealthy(), testPod({}, {}, { uid: 'u-2' }))
  await pass(601)
  tell()
  await pass(0)
  const again = 'insert 1 Liveness probe failed: no'
  assert.deepEqual(written(), [
    again,
    again.replace('insert 1', 'patch 2'),
    'patch 3 Liveness probe failed: no',
    again,
    again,
    again,
  ])
})

test('while the cloud is away Events are kept, the newest of them, and sent in order when it is back', async (t) => {
  const { tell, connect, pass, written, metrics } = setup(t)
  connect(false)
  for (let count = 0; count < 300; count++) {
    tell({ ...unhealthy(), reason: `Reason${count}` }, testPod({}, {}, { uid: `u-${count}` }))
  }
  // One of them happens again: it is the newest, and still one.
  tell({ ...unhealthy('again'), reason: 'Reason100' }, testPod({}, {}, { uid: 'u-100' }))
  tell({ ...unhealthy('again'), reason: 'Reason100' }, testPod({}, {}, { uid: 'u-100' }))
  await pass(3600)
  assert.deepEqual(written(), [])
  assert.match(await metrics.text(), /skerry_edged_events_waiting 256/)
  connect(true)
  await pass(0)
  const first = written()
  assert.equal(first.length, 80)
  await pass(120)
  const rest = written()
  assert.equal(rest.length, 256 - 80)
  assert.equal(rest.at(-1), 'insert 2 again')
  assert.match(await metrics.text(), /skerry_edged_events_total\{outcome="dropped"\} 45/)
})

test('a cloud that fails is asked again, later each time, and gets each Event once', async (t) => {
  const { tell, cloud, pass, written } = setup(t)
  cloud.failure = new UnavailableError('away', { code: 'HUB_OFFLINE' })
  tell(unhealthy('one'))
  await pass(1)
  tell(unhealthy('two'))
  tell(unhealthy('one'))
  await pass(30)
  assert.deepEqual(written(), [])
  cloud.failure = undefined
  await pass(120)
  assert.deepEqual(written(), ['insert 1 two', 'insert 2 one'])
})

test('an Event that the cloud refuses is given up, and holds up no other', async (t) => {
  const { tell, cloud, pass, written, metrics } = setup(t)
  cloud.failure = new RefusedError('no', { code: 'HUB_WRITE_REFUSED' })
  tell(unhealthy('one'))
  await pass(0)
  cloud.failure = undefined
  tell(unhealthy('two'))
  tell(unhealthy('one'))
  await pass(0)
  assert.deepEqual(written(), ['insert 1 two', 'insert 1 one'])
  assert.match(await metrics.text(), /skerry_edged_events_total\{outcome="refused"\} 1/)
})

test('a pod writes 25 Events and then one in five minutes, whose count has all', async (t) => {
  const { tell, pass, written, metrics } = setup(t)
  for (let count = 1; count <= 60; count++) {
    tell()
    await pass(0.01)
  }
  const burst = written()
  assert.deepEqual([burst.length, burst.at(-1)], [25, 'patch 25 Liveness probe failed: no'])
  tell(unhealthy(), testPod({}, {}, { name: 'other', uid: 'u-2' }))
  await pass(0)
  assert.deepEqual(written(), ['insert 1 Liveness probe failed: no'])
  await pass(300)
  tell()
  tell()
  await pass(0)
  assert.deepEqual(written(), ['patch 62 Liveness probe failed: no'])
  assert.match(await metrics.text(), /skerry_edged_events_total\{outcome="withheld"\} 35/)
})

test('more than ten messages of one reason are one Event', async (t) => {
  const { tell, pass, written } = setup(t)
  for (let count = 1; count <= 13; count++) {
    tell(unhealthy(`attempt ${count}`))
    await pass(1)
  }
  assert.deepEqual(written().slice(9), [
    'insert 1 attempt 10',
    'insert 1 (combined from similar events): attempt 11',
    'patch 2 (combined from similar events): attempt 12',
    'patch 3 (combined from similar events): attempt 13',
  ])
})

test('names and messages keep to what the API takes', async (t) => {
  const { tell, pass, writes } = setup(t)
  tell(unhealthy('x'.repeat(5000)), testPod({}, {}, { name: `${'a'.repeat(229)}.${'b'.repeat(23)}` }))
  await pass(0)
  const [write] = writes
  const { metadata, message } = Object(write?.content)
  assert.equal(metadata.name, `${'a'.repeat(229)}.0101010101010101`)
  assert.deepEqual([message.length, message.slice(-4)], [1024, 'x...'])
})
