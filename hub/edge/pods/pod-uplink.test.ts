import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assignedPods, type Frame, type JsonObject, podReports } from '../../../schemas/index.ts'
import { type BenchOptions, type EdgeBench, startEdge } from '../testing/edge-bench.ts'

const PATCH = 'shop/podpatch/till'

const patches = (edge: EdgeBench) =>
  edge.cloud.received.filter(({ route }) => route.operation === 'patch' && route.resource === PATCH)
const statusOf = (frame: Frame | undefined): JsonObject => JSON.parse(String(frame?.content)).status
const phases = (edge: EdgeBench) => patches(edge).map((frame) => statusOf(frame)['phase'])

async function withPod(options: BenchOptions = {}): Promise<EdgeBench> {
  const edge = await startEdge(options)
  const route = { source: 'edgecontroller', group: 'resource', operation: 'insert', resource: 'shop/pod/till' }
  edge.cloud.say(
    route,
    { metadata: { name: 'till', namespace: 'shop', uid: 'u-1' }, spec: { nodeName: 'edge-1' } },
    '5',
  )
  await edge.advance()
  return edge
}

function report(edge: EdgeBench, phase: string, more: object = {}): void {
  edge.bus.set(podReports, 'shop/till', { uid: 'u-1', status: { phase, podIPs: [{ ip: '10.0.0.1' }] }, ...more })
}

test('100: a status goes up as a kubelet patches it: text, with the uid, and fields that are gone as null', async () => {
  const edge = await withPod()
  report(edge, 'Running')
  await edge.advance()
  const [frame] = patches(edge)
  assert.deepEqual(frame?.route, { source: 'edged', group: 'meta', operation: 'patch', resource: PATCH })
  const { metadata, status } = JSON.parse(String(frame?.content))
  assert.deepEqual(metadata, { uid: 'u-1' })
  assert.deepEqual(
    [status.phase, status.podIPs, status.message],
    ['Running', [{ ip: '10.0.0.1' }, { $patch: 'replace' }], null],
  )
  assert.equal('conditions' in status, false)
  assert.equal(edge.hub.status().podsWaiting, 0)
  report(edge, 'Running')
  await edge.advance()
  assert.equal(patches(edge).length, 1, 'what the cloud has is not sent again')
  await edge.stop()
})

test('108: what is reported without the cloud is merged, and the latest goes up when it is back', async () => {
  const edge = await withPod()
  edge.dialer.isReachable = false
  edge.dialer.pair?.cut('the cable')
  await edge.advance()
  for (const phase of ['Pending', 'Running', 'Failed', 'Running']) report(edge, phase)
  await edge.advance(60_000)
  assert.equal(edge.hub.status().podsWaiting, 1)
  edge.dialer.isReachable = true
  await edge.advance(31_000)
  assert.deepEqual(phases(edge), ['Running'])
  await edge.stop()
})

test('while one is under way the changes are coalesced, and without an answer the latest is tried again', async () => {
  const edge = await withPod()
  const usual = edge.cloud.answers
  edge.cloud.answers = (frame) => (frame.route.resource === PATCH ? undefined : usual(frame))
  for (const phase of ['1', '2', '3']) report(edge, phase)
  await edge.advance(1000)
  report(edge, '4')
  assert.deepEqual(phases(edge), ['1'])
  edge.cloud.answers = usual
  await edge.advance(60_000)
  assert.deepEqual(phases(edge), ['1', '4'])
  await edge.stop()
})

test('101: a finished pod is deleted by its uid and at once, after its last status', async () => {
  const edge = await withPod()
  report(edge, 'Succeeded', { isFinished: true })
  await edge.advance()
  const sent = edge.cloud.received.filter(({ route }) => route.resource?.startsWith('shop/'))
  assert.deepEqual(
    sent.map(({ route }) => `${route.operation} ${route.resource}`),
    ['response shop/pod/till', `patch ${PATCH}`, 'delete shop/pod/till'],
  )
  assert.deepEqual(sent[2]?.content, {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    gracePeriodSeconds: 0,
    preconditions: { uid: 'u-1' },
  })
  await edge.stop()
})

test('a pod that the cloud does not know goes here; another error is tried again', async () => {
  for (const [reason, message, isKept] of [
    ['NotFound', 'pods "till" not found', false],
    ['Conflict', 'Precondition failed: UID in precondition: u-1, UID in object meta: u-2', false],
    ['InternalError', 'try later', true],
  ] as const) {
    const edge = await withPod()
    const usual = edge.cloud.answers
    edge.cloud.answers = (frame) =>
      frame.route.resource === PATCH
        ? { ...answerTo(frame), content: { Object: null, Err: { ErrStatus: { reason, message } } } }
        : usual(frame)
    report(edge, 'Running')
    await edge.advance()
    assert.equal(edge.bus.get(assignedPods, 'shop/till') !== undefined, isKept, reason)
    assert.equal(edge.meta.stored('shop/pod/till') !== undefined, isKept)
    edge.cloud.answers = usual
    edge.cloud.forget()
    await edge.advance(5000)
    assert.equal(patches(edge).length, isKept ? 1 : 0)
    await edge.stop()
  }
})

test('a report of a pod that this node has not, or of its predecessor, is not sent', async () => {
  const edge = await withPod()
  report(edge, 'Running', { uid: 'u-0' })
  edge.bus.set(podReports, 'shop/other', { uid: 'u-9', status: {} })
  await edge.advance(1000)
  assert.deepEqual([patches(edge).length, edge.hub.status().podsWaiting], [0, 0])
  await edge.stop()
})

test('a cloud that lost its memory is told of the pods again', async () => {
  const edge = await withPod()
  report(edge, 'Running')
  await edge.advance()
  for (const cloudEpoch of ['cloud-1', 'cloud-2']) {
    edge.dialer.cloudEpoch = cloudEpoch
    edge.dialer.pair?.cut('the cable')
    await edge.advance(2000)
  }
  assert.equal(patches(edge).length, 2)
  await edge.stop()
})

function answerTo(frame: Frame): Frame {
  return {
    header: { msg_id: `to ${frame.header.msg_id}`, parent_msg_id: frame.header.msg_id, timestamp: 1 },
    route: { source: 'edgecontroller', group: 'resource', operation: 'response', resource: frame.route.resource ?? '' },
    content: null,
  }
}
