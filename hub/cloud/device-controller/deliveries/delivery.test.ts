import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Frame } from '../../../../schemas/index.ts'
import { errorOfStatus } from '../../kubernetes/errors.ts'
import { DEVICE_STATUSES, DEVICES, OBJECT_SYNCS } from '../../kubernetes/resources.ts'
import { FakeKubernetes } from '../../testing/fake-kubernetes.ts'
import { pumpDevice, pumpModel, type ScriptedEdge, startCloud } from '../../testing/harness.ts'
import { condition, inSync, line, PUMP, reportTwin, withPump } from '../../testing/pump.ts'

test('a connecting node gets membership, model and device in this order, with version and kind', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle()
  assert.deepEqual(edge.received.map(line), [
    'update membership',
    'insert default/devicemodel/pump',
    'insert default/device/pump-1',
  ])
  const device = edge.received[2]
  assert.equal(device?.route.source, 'devicecontroller')
  assert.match(device?.header.resourceversion ?? '', /^\d+$/)
  assert.deepEqual(Reflect.get(Object(device?.content), 'kind'), 'Device')
  const [record] = (await cloud.kubernetes.list(OBJECT_SYNCS, {})).items.filter(
    (sync) => sync.spec?.objectKind === 'Device',
  )
  assert.equal(record?.metadata.name, `edge-1.${(await cloud.device())?.metadata.uid}`)
  assert.match(record?.status?.objectResourceVersion ?? '', /^\d+$/)
  await cloud.stop()
})

test('a restarted cloud sends nothing that was acknowledged, and what changed meanwhile', async () => {
  const cloud = await withPump('1200')
  cloud.connect('edge-1')
  await cloud.settle()
  await cloud.stop()
  const again = await startCloud(cloud.kubernetes, cloud.clock)
  const edge = again.connect('edge-1')
  await again.settle()
  assert.deepEqual(edge.received.map(line), ['update membership'])
  await again.apply(pumpDevice('pump-1', '900'))
  assert.deepEqual(edge.received.map(line).slice(1), ['update default/device/pump-1'])
  await again.stop()
})

test('an edge with another database gets everything again', async () => {
  const cloud = await withPump('1200')
  cloud.connect('edge-1')
  await cloud.settle()
  const edge = cloud.connect('edge-1', { epoch: 'db-2' })
  await cloud.settle()
  assert.deepEqual(edge.received.map(line).slice(1), [
    'insert default/devicemodel/pump',
    'insert default/device/pump-1',
  ])
  await cloud.stop()
})

test('a device deleted while its node was away is deleted there when it returns, and the record goes', async () => {
  const cloud = await withPump('1200')
  const first = cloud.connect('edge-1')
  await cloud.settle()
  first.disconnect()
  await cloud.kubernetes.delete(DEVICES, PUMP)
  await cloud.settle()
  const edge = cloud.connect('edge-1')
  await cloud.settle()
  assert.deepEqual(edge.received.map(line), ['delete default/devicemodel/pump', 'delete default/device/pump-1'])
  assert.deepEqual((await cloud.kubernetes.list(OBJECT_SYNCS, {})).items, [])
  await cloud.stop()
})

test('a device sent but never acknowledged is deleted too', async () => {
  const cloud = await withPump('1200')
  const first = cloud.connect('edge-1')
  first.deaf.add('default/device/pump-1')
  await cloud.settle()
  first.disconnect()
  await cloud.kubernetes.delete(DEVICES, PUMP)
  await cloud.settle()
  const edge = cloud.connect('edge-1')
  await cloud.settle()
  assert.ok(edge.received.map(line).includes('delete default/device/pump-1'))
  await cloud.stop()
})

test('a device that moves leaves the old node before it comes to the new one', async () => {
  const cloud = await withPump('1200')
  const order: string[] = []
  const [one, two] = [cloud.connect('edge-1'), cloud.connect('edge-2')]
  await cloud.settle()
  one.received.length = 0
  for (const [name, edge] of [
    ['edge-1', one],
    ['edge-2', two],
  ] as const) {
    const push = edge.received.push.bind(edge.received)
    edge.received.push = (...frames: Frame[]) => {
      order.push(...frames.map((frame) => `${name} ${line(frame)}`))
      return push(...frames)
    }
  }
  await cloud.apply(pumpDevice('pump-1', '1200', 'edge-2'))
  await cloud.settle(50)
  assert.deepEqual(
    order.filter((each) => each.endsWith('/device/pump-1')),
    ['edge-1 delete default/device/pump-1', 'edge-2 insert default/device/pump-1'],
  )
  assert.deepEqual(order.toSorted(), [
    'edge-1 delete default/device/pump-1',
    'edge-1 delete default/devicemodel/pump',
    'edge-1 update membership',
    'edge-2 insert default/device/pump-1',
    'edge-2 insert default/devicemodel/pump',
    'edge-2 update membership',
  ])
  await cloud.stop()
})

test('status and metadata changes send nothing; an edit of the model reaches the edge at once', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle()
  edge.received.length = 0
  await cloud.kubernetes.patch(DEVICES, PUMP, { metadata: { labels: { a: 'b' } } }, { type: 'merge' })
  await cloud.kubernetes.patch(DEVICES, PUMP, { status: { state: 'x' } }, { type: 'merge', subresource: 'status' })
  await cloud.settle()
  assert.deepEqual(edge.received, [])
  await cloud.apply(pumpModel([{ name: 'targetSpeed', type: 'INT', accessMode: 'ReadWrite', maximum: '4000' }]))
  assert.deepEqual(edge.received.map(line), ['update default/devicemodel/pump'])
  await cloud.stop()
})

test('an original edge gets the model again before each update of the device', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1', { skerry: false })
  await cloud.settle()
  edge.received.length = 0
  await cloud.apply(pumpDevice('pump-1', '900'))
  assert.deepEqual(edge.received.map(line), ['update default/devicemodel/pump', 'update default/device/pump-1'])
  await cloud.stop()
})

test('a device without a node gets its DeviceStatus and goes nowhere', async () => {
  const cloud = await startCloud()
  await cloud.apply(pumpModel())
  await cloud.apply(pumpDevice('pump-1', undefined, ''))
  const edge = cloud.connect('edge-1')
  await cloud.settle(300)
  assert.deepEqual(edge.received, [])
  assert.ok(await cloud.kubernetes.get(DEVICE_STATUSES, PUMP))
  assert.equal(condition(await cloud.device(), 'Accepted')?.reason, 'NodeNotSet')
  await cloud.kubernetes.delete(DEVICES, PUMP)
  assert.equal(await cloud.kubernetes.get(DEVICE_STATUSES, PUMP), undefined)
  await cloud.stop()
})

test('a broken watch is taken up again, and an expired one lists anew', async () => {
  const kubernetes = new FakeKubernetes()
  const cloud = await startCloud(kubernetes)
  await cloud.apply(pumpModel())
  const edge = cloud.connect('edge-1')
  kubernetes.fail('WATCH devices ', 410)
  kubernetes.dropWatches()
  await cloud.settle(5_000)
  await cloud.apply(pumpDevice('pump-1', '1'))
  assert.ok(edge.received.map(line).includes('insert default/device/pump-1'))
  await cloud.stop()
})

test('a status report does not make the hub compare the node', async () => {
  const cloud = await withPump()
  const edge = cloud.connect('edge-1')
  await cloud.settle(300)
  const device = await cloud.device()
  assert.ok(device)
  let compared = 0
  cloud.hub.addSource({
    name: 'counter',
    kinds: [],
    isReady: () => true,
    deliveriesFor: () => {
      compared++
      return []
    },
    addressOf: () => ({ resource: '', source: '' }),
  })
  await cloud.settle()
  compared = 0
  reportTwin(edge, device, { speed: { actual: { value: '7' } } })
  await cloud.settle(600)
  assert.equal((await cloud.device())?.status?.twins?.length, 1)
  assert.equal(compared, 0)
  await cloud.stop()
})

/** A report on a device that may not be there. */
function reportOn(edge: ScriptedEdge, resource: string, uid: string): void {
  edge.say(
    { source: 'twin', group: 'resource', operation: 'update', resource: `device/${resource}/twin/edge_updated` },
    { event_id: 'e', timestamp: 1, twin: {}, skerry: { uid, generation: 1, revision: 1, properties: {} } },
  )
}

test('a device that an edge still has, gone or of another node or incarnation, is deleted there and leaves no record', async () => {
  const cloud = await withPump('1200')
  await cloud.apply({ ...pumpDevice('pump-2'), spec: { ...pumpDevice('pump-2').spec, nodeName: 'edge-2' } })
  const edge = cloud.connect('edge-1')
  await cloud.settle()
  const before = edge.received.length
  reportOn(edge, 'default/gone-1', 'uid-gone')
  reportOn(edge, 'default/pump-2', 'uid-elsewhere')
  reportOn(edge, 'default/pump-1', 'uid-earlier')
  await cloud.settle(10)
  const deletions = edge.received.slice(before)
  assert.deepEqual(deletions.map(line).sort(), [
    'delete default/device/gone-1',
    'delete default/device/pump-1',
    'delete default/device/pump-2',
  ])
  const uids = deletions.map(({ content }) => Reflect.get(Object(content), 'metadata')?.uid)
  assert.deepEqual(uids.sort(), ['uid-earlier', 'uid-elsewhere', 'uid-gone'], 'by uid, so that a successor stays')
  const records = (await cloud.kubernetes.list(OBJECT_SYNCS, {})).items.map(({ metadata }) => metadata.name)
  assert.deepEqual(
    records.filter((name) => deletions.some((_, index) => name.endsWith(uids[index] ?? ''))),
    [],
  )
  assert.ok(await cloud.device())
  await cloud.stop()
})

test('an edge that makes devices up fills nothing: names that are none are passed over, and the others are bounded', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle()
  for (const uid of ['', '../pods', 'A b', 'u'.repeat(64)]) reportOn(edge, 'default/made-up', uid)
  reportOn(edge, 'Not A Namespace/made-up', 'uid-1')
  reportOn(edge, 'default/Not A Name', 'uid-2')
  const before = (await cloud.kubernetes.list(OBJECT_SYNCS, {})).items.length
  await cloud.settle(10)
  assert.equal((await cloud.kubernetes.list(OBJECT_SYNCS, {})).items.length, before)
  for (let count = 0; count < 3000; count++) {
    edge.deaf.add(`default/device/made-up-${count}`)
    reportOn(edge, `default/made-up-${count}`, `uid-${count}`)
    if (count % 20 === 0) await cloud.settle()
  }
  const { items } = await cloud.kubernetes.list(OBJECT_SYNCS, {})
  assert.ok(items.length > 500 && items.length <= 1000 + 34 + before, `${items.length} records`)
  await cloud.stop()
})

test('a device that moves is told of by its new node, also where the answer to the last status of the old one was lost', async () => {
  const cloud = await withPump('1200')
  const [one, two] = [cloud.connect('edge-1', { epoch: 'db-1' }), cloud.connect('edge-2', { epoch: 'db-2' })]
  const first = await cloud.device()
  assert.ok(first)
  const { kubernetes } = cloud
  const patch = kubernetes.patch.bind(kubernetes)
  let isLost = false
  kubernetes.patch = async (type, at, body, options) => {
    const patched = await patch(type, at, body, options)
    if (type.plural === 'devicestatuses' && !isLost) {
      isLost = true
      throw errorOfStatus(504, {}, {})
    }
    return patched
  }
  reportTwin(one, first, inSync)
  await cloud.settle(2000)
  assert.ok(isLost)
  await cloud.apply(pumpDevice('pump-1', '1200', 'edge-2'))
  await cloud.settle(50)
  const moved = await cloud.device()
  assert.ok(moved)
  for (const revision of [1, 2]) {
    const report = reportTwin(two, moved, inSync, { revision })
    await cloud.settle(2000)
    assert.ok(
      two.received.some(({ header }) => header.parent_msg_id === report.header.msg_id),
      `revision ${revision}`,
    )
  }
  await cloud.stop()
})
