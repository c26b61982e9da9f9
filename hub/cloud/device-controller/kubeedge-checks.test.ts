import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Device, Frame } from '../../../schemas/index.ts'
import { DEVICE_STATUSES, DEVICES, OBJECT_SYNCS } from '../kubernetes/resources.ts'
import { type CloudHarness, pumpDevice, pumpModel, type ScriptedEdge, startCloud } from '../testing/harness.ts'
import { condition, line, PUMP, withPump } from '../testing/pump.ts'

/** DeviceController towards an original edge, check by check: docs/reference/kubeedge-compatibility.md. */
async function start(desired = '1200'): Promise<{ readonly cloud: CloudHarness; readonly edge: ScriptedEdge }> {
  const cloud = await withPump(desired)
  const edge = cloud.connect('edge-1', { skerry: false })
  await cloud.settle(500)
  return { cloud, edge }
}

const say = (edge: ScriptedEdge, resource: string, content: Frame['content']) =>
  edge.say({ source: 'twin', group: 'resource', operation: 'update', resource: `device/default/${resource}` }, content)
const twinOf = (twin: object) => ({ event_id: 'e', timestamp: 1_786_017_601_000, twin: { ...twin } })
const status = async (cloud: CloudHarness) => (await cloud.kubernetes.get(DEVICE_STATUSES, PUMP))?.status
const isConfirmed = (edge: ScriptedEdge, frame: Frame) =>
  edge.received.find(({ header }) => header.parent_msg_id === frame.header.msg_id)
const contentOf = (edge: ScriptedEdge, resource: string) =>
  Object(edge.received.filter(({ route }) => route.resource === resource).at(-1)?.content)

test('C9, C10 a DeviceStatus of the same name is owned by its Device and goes with it; extensions of others stay', async () => {
  const { cloud, edge } = await start()
  const made = await cloud.kubernetes.get(DEVICE_STATUSES, PUMP)
  const { uid } = (await cloud.device())?.metadata ?? {}
  const [owner] = made?.metadata.ownerReferences ?? []
  assert.deepEqual([owner?.kind, owner?.name, owner?.uid, owner?.controller], ['Device', 'pump-1', uid, true])
  await cloud.kubernetes.patch(DEVICE_STATUSES, PUMP, { status: { extensions: { a: 1 } } }, { type: 'merge' })
  for (let value = 1; value <= 3; value++) {
    say(edge, 'pump-1/twin/edge_updated', twinOf({ speed: { actual: { value: String(value) } } }))
    await cloud.settle(2000)
  }
  assert.deepEqual((await status(cloud))?.extensions, { a: 1 })
  assert.equal((await status(cloud))?.twins?.[0]?.reported?.value, '3')
  await cloud.kubernetes.delete(DEVICES, PUMP)
  assert.equal(await cloud.kubernetes.get(DEVICE_STATUSES, PUMP), undefined)
  await cloud.stop()
})

test('C11 a Device without a node gets its DeviceStatus and goes nowhere', async () => {
  const cloud = await startCloud()
  await cloud.apply(pumpDevice('pump-1', undefined, ''))
  const edge = cloud.connect('edge-1', { skerry: false })
  await cloud.settle(500)
  assert.ok(await cloud.kubernetes.get(DEVICE_STATUSES, PUMP))
  assert.deepEqual(edge.received, [])
  await cloud.stop()
})

test('C13, C16, C17 a new device: membership with its description, model, device; whole objects with their version', async () => {
  const cloud = await startCloud()
  await cloud.apply(pumpModel())
  const device = pumpDevice('pump-1', '1200')
  await cloud.apply({ ...device, metadata: { ...device.metadata, labels: { description: 'north pump' } } })
  const edge = cloud.connect('edge-1', { skerry: false })
  await cloud.settle(500)
  assert.deepEqual(edge.received.map(line), [
    'update membership',
    'insert default/devicemodel/pump',
    'insert default/device/pump-1',
  ])
  const [membership, model, sent] = edge.received
  assert.deepEqual([membership?.route.source, membership?.route.group], ['devicecontroller', 'twin'])
  assert.deepEqual(Reflect.get(Object(membership?.content), 'added_devices'), [
    { id: 'default/pump-1', name: 'pump-1', description: 'north pump' },
  ])
  assert.equal(Reflect.get(Object(membership?.content), 'removed_devices'), null)
  for (const [frame, kind] of [
    [model, 'DeviceModel'],
    [sent, 'Device'],
  ] as const) {
    const { apiVersion, kind: is, metadata } = Object(frame?.content)
    assert.deepEqual([apiVersion, is], ['devices.kubeedge.io/v1beta1', kind])
    assert.equal(frame?.header.resourceversion, metadata.resourceVersion)
    assert.deepEqual([frame?.route.source, frame?.route.group], ['devicecontroller', 'resource'])
    assert.equal('skerry' in Object(frame?.content), false)
  }
  await cloud.stop()
})

test('C14 stateReport of the spec holds; without it the fields that were in the status', async () => {
  const { cloud, edge } = await start()
  const legacy = { reportToCloud: true, reportCycle: 7000 }
  await cloud.kubernetes.patch(DEVICES, PUMP, { status: legacy }, { type: 'merge', subresource: 'status' })
  await cloud.settle(500)
  assert.deepEqual(contentOf(edge, 'default/device/pump-1').status, legacy)
  const spec = { ...pumpDevice('pump-1', '1200').spec, stateReport: { reportToCloud: false, reportCycle: 9000 } }
  await cloud.kubernetes.patch(DEVICES, PUMP, { spec }, { type: 'merge' })
  await cloud.settle(500)
  const sent = contentOf(edge, 'default/device/pump-1')
  assert.deepEqual([sent.status, sent.spec.stateReport], [{}, { reportToCloud: false, reportCycle: 9000 }])
  await cloud.stop()
})

test('C15 twins that KubeEdge 1.22 kept in the Device, in any form, are no trouble', async () => {
  const { cloud, edge } = await start()
  const twins = [
    null,
    'x',
    { propertyName: 'speed', reported: { value: '4' } },
    { propertyName: 'targetSpeed', reported: {} },
  ]
  await cloud.kubernetes.patch(DEVICES, PUMP, { status: { twins } }, { type: 'merge', subresource: 'status' })
  const frame = say(edge, 'pump-1/twin/edge_updated', twinOf({ speed: { actual: { value: '7' } } }))
  await cloud.settle(2000)
  assert.ok(isConfirmed(edge, frame))
  assert.equal((await cloud.device())?.status?.twins?.[0]?.reported?.value, '7')
  await cloud.stop()
})

test('C18, C23 a change of the spec sends model and device; of metadata or status, or the same version, nothing', async () => {
  const { cloud, edge } = await start()
  edge.received.length = 0
  await cloud.kubernetes.patch(DEVICES, PUMP, { metadata: { labels: { a: 'b' } } }, { type: 'merge' })
  say(edge, 'pump-1/state/update', { event_id: 'e', timestamp: 1, device: { name: 'pump-1', state: 'online' } })
  await cloud.settle(2000)
  assert.deepEqual(
    edge.received.map(line).filter((each) => !each.startsWith('response')),
    [],
  )
  await cloud.apply(pumpDevice('pump-1', '900'))
  await cloud.settle(500)
  assert.deepEqual(
    edge.received.map(line).filter((each) => !each.startsWith('response')),
    ['update default/devicemodel/pump', 'update default/device/pump-1'],
  )
  await cloud.stop()
})

test('C19, C20 a device that moves or goes: membership without it, its model where nobody else uses it, itself', async () => {
  const { cloud, edge } = await start()
  await cloud.apply(pumpDevice('pump-2'))
  await cloud.settle(500)
  edge.received.length = 0
  await cloud.apply(pumpDevice('pump-1', '1200', 'edge-2'))
  await cloud.settle(500)
  assert.deepEqual(edge.received.map(line), ['update membership', 'delete default/device/pump-1'])
  const [membership] = edge.received
  assert.deepEqual(Reflect.get(Object(membership?.content), 'removed_devices'), [
    { id: 'default/pump-1', name: 'pump-1' },
  ])
  assert.equal(Reflect.get(Object(membership?.content), 'added_devices'), null)
  edge.received.length = 0
  await cloud.kubernetes.delete(DEVICES, { namespace: 'default', name: 'pump-2' })
  await cloud.settle(500)
  assert.deepEqual(edge.received.map(line), [
    'update membership',
    'delete default/devicemodel/pump',
    'delete default/device/pump-2',
  ])
  await cloud.stop()
})

test('C21, C22 a receipt makes the ObjectSync true; without one the frame comes again each 5 s, and after a reconnect', async () => {
  const { cloud, edge } = await start()
  edge.deaf.add('default/device/pump-1')
  await cloud.apply(pumpDevice('pump-1', '900'))
  await cloud.settle(22_000)
  const sent = edge.received.filter((frame) => line(frame) === 'update default/device/pump-1')
  assert.equal(sent.length, 5)
  const record = async () => {
    const { items } = await cloud.kubernetes.list(OBJECT_SYNCS, {})
    const uid = (await cloud.device())?.metadata.uid
    return items.find(({ metadata }) => metadata.name === `edge-1.${uid}`)?.status?.objectResourceVersion
  }
  assert.notEqual(await record(), sent[0]?.header.resourceversion)
  const again = cloud.connect('edge-1', { skerry: false })
  await cloud.settle(2000)
  const after = again.received.find((frame) => frame.route.resource === 'default/device/pump-1')
  assert.equal(await record(), after?.header.resourceversion)
  await cloud.stop()
})

test('C24, C25 a cloud that starts again, and what old edges ask, harm nobody', async () => {
  const { cloud, edge } = await start()
  edge.say({ source: 'twin', group: 'resource', operation: 'get', resource: 'membership/detail' }, '{"event_id":"u0"}')
  await cloud.settle(500)
  assert.equal(edge.closed, undefined)
  await cloud.stop()
  const again = await startCloud(cloud.kubernetes, cloud.clock)
  const same = again.connect('edge-1', { skerry: false })
  await again.settle(500)
  assert.deepEqual(same.received.map(line), ['update membership'], 'a cloud of KubeEdge inserts everything again')
  await again.stop()
})

test('C27 twins and states are understood as objects and as texts that hold one', async () => {
  for (const form of [(content: object) => ({ ...content }), (content: object) => JSON.stringify(content)]) {
    const { cloud, edge } = await start()
    say(edge, 'pump-1/twin/edge_updated', form(twinOf({ speed: { actual: { value: '7' } } })))
    say(edge, 'pump-1/state/update', form({ event_id: 'e', timestamp: 1, device: { name: 'pump-1', state: 'online' } }))
    await cloud.settle(2000)
    assert.deepEqual(
      [(await status(cloud))?.twins?.[0]?.reported?.value, (await status(cloud))?.state],
      ['7', 'online'],
    )
    await cloud.stop()
  }
})

test('C28, C29, C30, C34 twins as KubeEdge writes them: the first report too, sides apart, no keys that are not in the spec', async () => {
  const { cloud, edge } = await start()
  const expected = { value: '80', metadata: { timestamp: 1_786_017_600_000 } }
  const first = {
    targetSpeed: { expected, actual: { value: '70' }, metadata: { type: 'int' } },
    other: { actual: { value: '1' } },
  }
  say(edge, 'pump-1/twin/edge_updated', twinOf(first))
  await cloud.settle(2000)
  const side = (value: string, timestamp: string) => ({ value, metadata: { timestamp, type: 'int' } })
  const observedDesired = side('80', '1786017600000')
  assert.deepEqual((await status(cloud))?.twins, [
    { propertyName: 'targetSpeed', reported: side('70', '1786017601000'), observedDesired },
  ])
  say(edge, 'pump-1/twin/edge_updated', twinOf({ targetSpeed: { actual: { value: '75' }, metadata: { type: 'int' } } }))
  await cloud.settle(2000)
  assert.deepEqual((await status(cloud))?.twins, [
    { propertyName: 'targetSpeed', reported: side('75', '1786017601000'), observedDesired },
  ])
  assert.equal((await cloud.kubernetes.get(DEVICE_STATUSES, PUMP))?.metadata.annotations, undefined)
  await cloud.stop()
})

test('C31 a state is set with its time, which stays while the device is offline', async () => {
  const { cloud, edge } = await start()
  const state = (name: string, more: object = {}) =>
    say(
      edge,
      'pump-1/state/update',
      JSON.stringify({ event_id: 'e', timestamp: 1, device: { name: 'pump-1', state: name, ...more } }),
    )
  state('online', { lastOnlineTime: '2026-08-06T12:00:02Z' })
  await cloud.settle(2000)
  state('offline')
  await cloud.settle(2000)
  const { state: is, lastOnlineTime } = (await status(cloud)) ?? {}
  assert.deepEqual([is, lastOnlineTime], ['offline', '2026-08-06T12:00:02Z'])
  assert.equal(condition(await cloud.device(), 'Online')?.reason, 'Offline')
  await cloud.stop()
})

test('C32, C33 a report is confirmed once it is in the API; one on a device that nobody knows is not', async () => {
  const { cloud, edge } = await start()
  const frame = say(edge, 'pump-1/twin/edge_updated', twinOf({ speed: { actual: { value: '7' } } }))
  const ghost = say(edge, 'ghost/twin/edge_updated', twinOf({}))
  await cloud.settle(2000)
  const confirm = isConfirmed(edge, frame)
  const { source, group, operation, resource } = confirm?.route ?? {}
  assert.deepEqual([source, group, operation, resource], ['devicecontroller', 'twin', 'response', 'twin'])
  assert.equal(confirm?.content, 'OK')
  assert.equal(isConfirmed(edge, ghost), undefined)
  assert.equal(edge.closed, undefined)
  await cloud.stop()
})

test('a device that DeviceController cannot make sense of stops nobody', async () => {
  const { cloud, edge } = await start()
  const odd: Device = { ...pumpDevice('odd'), spec: { nodeName: 'edge-1' } }
  await cloud.apply(odd)
  await cloud.settle(500)
  assert.ok(edge.received.map(line).includes('insert default/device/odd'))
  assert.equal(condition(await cloud.device('odd'), 'Accepted')?.reason, 'ModelNotSet')
  await cloud.stop()
})
