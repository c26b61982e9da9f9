import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEVICE_STATUSES, DEVICES, EVENTS } from '../../kubernetes/resources.ts'
import { pumpDevice, pumpModel, startCloud } from '../../testing/harness.ts'
import { condition, inSync, PUMP, reportTwin, withPump } from '../../testing/pump.ts'

test('a report appears in Device and DeviceStatus, is confirmed afterwards, and turns Synced true', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle(300)
  assert.equal(condition(await cloud.device(), 'Synced')?.reason, 'Pending')
  const device = await cloud.device()
  assert.ok(device)
  cloud.kubernetes.fail('PATCH devicestatuses', 500)
  const frame = reportTwin(edge, device, { ...inSync, unknownOne: { actual: { value: '1' } } })
  await cloud.settle()
  assert.equal(edge.received.filter((sent) => sent.header.parent_msg_id === frame.header.msg_id).length, 0)
  await cloud.settle(1000)
  const confirm = edge.received.find((sent) => sent.header.parent_msg_id === frame.header.msg_id)
  assert.deepEqual(confirm?.route, {
    source: 'devicecontroller',
    group: 'twin',
    operation: 'response',
    resource: 'twin',
  })
  const status = await cloud.kubernetes.get(DEVICE_STATUSES, PUMP)
  assert.deepEqual(status?.status?.twins, [
    {
      propertyName: 'targetSpeed',
      reported: { value: '1200', metadata: { timestamp: '1786017600000', type: 'int' } },
      observedDesired: { value: '1200', metadata: { timestamp: '1786017600000', type: 'int' } },
    },
  ])
  assert.equal(status?.metadata.ownerReferences?.[0]?.uid, device.metadata.uid)
  const synced = condition(await cloud.device(), 'Synced')
  assert.deepEqual([synced?.status, synced?.reason, synced?.observedGeneration], ['True', 'InSync', 1])
  await cloud.stop()
})

test('a later change of the desired value turns Synced false until it is read back', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle()
  const before = await cloud.device()
  assert.ok(before)
  reportTwin(edge, before, inSync)
  await cloud.settle(300)
  await cloud.apply(pumpDevice('pump-1', '900'))
  await cloud.settle(300)
  const pending = await cloud.device()
  assert.deepEqual(condition(pending, 'Synced')?.status, 'False')
  assert.ok(pending)
  reportTwin(edge, pending, { targetSpeed: { expected: { value: '900' }, actual: { value: '900' } } }, { revision: 2 })
  await cloud.settle(300)
  assert.deepEqual(condition(await cloud.device(), 'Synced')?.status, 'True')
  await cloud.stop()
})

test('a failed write and an override at the edge are told, also after a restart of the cloud', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle()
  const device = await cloud.device()
  assert.ok(device)
  const failure = { value: '1200', reason: 'IllegalValue', message: 'the slave refused the value' }
  reportTwin(
    edge,
    device,
    { targetSpeed: { expected: { value: '1200' }, actual: { value: '0' } } },
    { properties: { targetSpeed: { origin: 'cloud', failure } } },
  )
  await cloud.settle(300)
  const failed = condition(await cloud.device(), 'Synced')
  assert.deepEqual([failed?.reason, failed?.message], ['WriteFailed', 'targetSpeed: the slave refused the value'])
  assert.ok(
    (await cloud.kubernetes.list(EVENTS, {})).items.some((event) => Reflect.get(event, 'reason') === 'WriteFailed'),
  )
  await cloud.stop()
  const again = await startCloud(cloud.kubernetes, cloud.clock)
  const same = again.connect('edge-1')
  await again.settle(300)
  assert.equal(condition(await again.device(), 'Synced')?.reason, 'WriteFailed')
  reportTwin(
    same,
    device,
    { targetSpeed: { expected: { value: '500' }, actual: { value: '500' } } },
    { revision: 2, properties: { targetSpeed: { origin: 'edge' } } },
  )
  await again.settle(300)
  assert.equal(condition(await again.device(), 'Synced')?.reason, 'EdgeOverride')
  await again.stop()
})

test('a node cannot report on a device of another node, and an unknown device is not confirmed', async () => {
  const cloud = await withPump('1200')
  cloud.connect('edge-1')
  const thief = cloud.connect('edge-2')
  await cloud.settle()
  const device = await cloud.device()
  assert.ok(device)
  reportTwin(thief, device, inSync)
  thief.say(
    { source: 'twin', group: 'resource', operation: 'update', resource: 'device/default/ghost/twin/edge_updated' },
    { event_id: 'e', timestamp: 1, twin: {} },
  )
  thief.say({ source: 'twin', group: 'resource', operation: 'get', resource: 'membership/detail' }, '{}')
  await cloud.settle(1000)
  const answers = thief.received.map(({ route }) => `${route.operation} ${route.resource}`)
  assert.deepEqual(answers, ['delete default/device/pump-1'], 'what it has not to have')
  assert.equal((await cloud.device())?.status?.twins, undefined)
  await cloud.stop()
})

test('state sets state and lastOnlineTime in both; an absent node shows as unknown after its grace', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle()
  const state = (name: string, more: object = {}) =>
    edge.say(
      { source: 'twin', group: 'resource', operation: 'update', resource: 'device/default/pump-1/state/update' },
      JSON.stringify({ event_id: 'e', timestamp: 1, device: { name: 'pump-1', state: name, ...more } }),
    )
  state('online', { lastOnlineTime: '2026-08-06T12:00:00Z' })
  await cloud.settle(300)
  state('offline')
  await cloud.settle(300)
  const status = (await cloud.kubernetes.get(DEVICE_STATUSES, PUMP))?.status
  assert.deepEqual([status?.state, status?.lastOnlineTime], ['offline', '2026-08-06T12:00:00Z'])
  assert.equal(condition(await cloud.device(), 'Online')?.reason, 'Offline')
  state('online')
  await cloud.settle(300)
  edge.disconnect()
  await cloud.settle(9_000)
  assert.equal((await cloud.device())?.status?.state, 'online')
  await cloud.settle(2_000)
  const away = await cloud.device()
  assert.equal(away?.status?.state, 'unknown')
  assert.deepEqual([condition(away, 'Online')?.status, condition(away, 'Synced')?.status], ['Unknown', 'Unknown'])
  cloud.connect('edge-1')
  await cloud.settle(300)
  assert.equal((await cloud.device())?.status?.state, 'online')
  await cloud.stop()
})

test('extensions of third parties survive, and a device at rest costs no writes', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle(300)
  await cloud.kubernetes.patch(DEVICE_STATUSES, PUMP, { status: { extensions: { a: 1 } } }, { type: 'merge' })
  const device = await cloud.device()
  assert.ok(device)
  reportTwin(edge, device, inSync)
  await cloud.settle(1000)
  cloud.kubernetes.writes.length = 0
  const repeated = reportTwin(edge, device, inSync)
  await cloud.settle(60_000)
  assert.deepEqual(
    cloud.kubernetes.writes.filter((call) => call.includes('default/pump-1')),
    [],
  )
  assert.ok(edge.received.some((frame) => frame.header.parent_msg_id === repeated.header.msg_id))
  assert.deepEqual((await cloud.kubernetes.get(DEVICE_STATUSES, PUMP))?.status?.extensions, { a: 1 })
  await cloud.stop()
})

test('a hundred reports in a second become a handful of writes, and the last value stands', async () => {
  const cloud = await withPump()
  const edge = cloud.connect('edge-1')
  await cloud.settle(1000)
  const device = await cloud.device()
  assert.ok(device)
  cloud.kubernetes.writes.length = 0
  for (let count = 1; count <= 100; count++) {
    reportTwin(edge, device, { speed: { actual: { value: String(count) } } }, { revision: count })
    await cloud.settle(10)
  }
  await cloud.settle(1000)
  for (const kind of ['devices', 'devicestatuses']) {
    const writes = cloud.kubernetes.writes.filter((call) => call === `PATCH ${kind} default/pump-1`).length
    assert.ok(writes >= 2 && writes <= 5, `${writes} writes of ${kind}`)
  }
  assert.equal((await cloud.kubernetes.get(DEVICE_STATUSES, PUMP))?.status?.twins?.[0]?.reported?.value, '100')
  await cloud.stop()
})

test('an older revision of the same database changes nothing and is confirmed', async () => {
  const cloud = await withPump()
  const edge = cloud.connect('edge-1')
  await cloud.settle()
  const device = await cloud.device()
  assert.ok(device)
  reportTwin(edge, device, { speed: { actual: { value: '7' } } }, { revision: 9 })
  const stale = reportTwin(edge, device, { speed: { actual: { value: '6' } } }, { revision: 8 })
  await cloud.settle(600)
  assert.equal((await cloud.device())?.status?.twins?.[0]?.reported?.value, '7')
  assert.ok(edge.received.some((frame) => frame.header.parent_msg_id === stale.header.msg_id))
  await cloud.stop()
})

test('what is wrong with a device is a condition with a reason', async () => {
  const cloud = await startCloud()
  await cloud.apply(pumpDevice('pump-1', '9000'))
  const reasons = async () => {
    await cloud.settle(400)
    const found = condition(await cloud.device(), 'Accepted')
    return [found?.status, found?.reason, found?.message]
  }
  assert.deepEqual(await reasons(), ['False', 'ModelNotFound', 'DeviceModel pump does not exist in namespace default'])
  await cloud.apply(pumpModel())
  assert.deepEqual(await reasons(), [
    'False',
    'InvalidDesired',
    'spec.properties[0].desired.value: must be less than or equal to 3000',
  ])
  await cloud.apply(pumpDevice('pump-1', '3000'))
  assert.deepEqual(await reasons(), ['False', 'NodeNotFound', 'Node edge-1 does not exist'])
  const edge = cloud.connect('edge-1')
  assert.deepEqual((await reasons())[0], 'True')
  const device = await cloud.device()
  assert.ok(device)
  reportTwin(
    edge,
    device,
    {},
    { refusals: [{ pointer: '/spec/protocol/configData/port', message: 'must be a number' }] },
  )
  assert.deepEqual(await reasons(), ['False', 'RefusedByEdge', '/spec/protocol/configData/port: must be a number'])
  await cloud.stop()
})

test('what the edge warns of is an Event and stands in condition Accepted, where kubectl describe shows it', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle()
  const say = async (...messages: string[]) => {
    const device = await cloud.device()
    assert.ok(device)
    const refusals = messages.map((message) => ({ pointer: '/spec/properties', message, warning: true }))
    reportTwin(edge, device, {}, { refusals })
    await cloud.settle(300)
    const found = condition(await cloud.device(), 'Accepted')
    return [found?.status, found?.reason, found?.message.replace(/.*warnings: /, '')]
  }
  const slow = 'the cycles cannot be kept'
  assert.deepEqual(await say(slow), ['True', 'AcceptedWithWarnings', `/spec/properties: ${slow}`])
  await say(slow)
  await say(slow, 'and one more')
  assert.deepEqual((await say()).slice(0, 2), ['True', 'Accepted'])
  const events = (await cloud.kubernetes.list(EVENTS, {})).items.map((event) => Object(event))
  const warnings = events.filter(({ reason }) => reason === 'AcceptedWithWarnings')
  assert.deepEqual(
    warnings.map(({ type, count }) => [type, count]),
    [
      ['Warning', 1],
      ['Warning', 1],
    ],
  )
  assert.match(warnings[0]?.message, /the cycles cannot be kept/)
  await cloud.stop()
})

test('what an older KubeEdge left in the status of a device is tolerated, in any form', async () => {
  const cloud = await withPump()
  const twins = [
    null,
    7,
    { propertyName: 'speed', reported: { value: '4' } },
    { propertyName: 'targetSpeed', reported: {} },
  ]
  await cloud.stop()
  await cloud.kubernetes.patch(DEVICES, PUMP, { status: { twins } }, { type: 'merge', subresource: 'status' })
  const again = await startCloud(cloud.kubernetes, cloud.clock)
  again.connect('edge-1')
  await again.settle(300)
  const found = await cloud.kubernetes.get(DEVICE_STATUSES, PUMP)
  assert.deepEqual(found?.status?.twins, [{ propertyName: 'speed', reported: { value: '4', metadata: {} } }])
  await again.stop()
})

test('a mapper that crashes again and again is a condition and a bounded number of Events', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle()
  const say = async (state: string, skerry: Readonly<Record<string, string>>) => {
    edge.say(
      { source: 'twin', group: 'resource', operation: 'update', resource: 'device/default/pump-1/state/update' },
      { event_id: 'e', timestamp: 1, device: { name: 'pump-1', state }, skerry },
    )
    await cloud.settle(300)
  }
  for (let crash = 0; crash < 40; crash++) {
    await say('unknown', { reason: `mapper modbus crashed: at ${crash}`, code: 'MapperCrashed' })
    const online = condition(await cloud.device(), 'Online')
    assert.deepEqual([online?.status, online?.reason], ['Unknown', 'MapperCrashed'])
    assert.equal(online?.message, `mapper modbus crashed: at ${crash}`)
    await say('online', {})
  }
  const events = (await cloud.kubernetes.list(EVENTS, {})).items.map((event) => Object(event))
  const crashes = events.filter(({ reason }) => reason === 'MapperCrashed')
  assert.equal(crashes[0]?.type, 'Warning')
  assert.equal(crashes[0]?.involvedObject.name, 'pump-1')
  assert.ok(crashes.length > 0 && crashes.length <= 10, `${crashes.length} Events`)
  await cloud.stop()
})

test('a start of the cloud is no news of a node that is away: its devices stay unknown, without a write', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle()
  edge.disconnect()
  await cloud.settle(15_000)
  assert.equal(condition(await cloud.device(), 'Online')?.reason, 'NodeUnreachable')
  await cloud.stop()
  cloud.kubernetes.writes.length = 0
  const again = await startCloud(cloud.kubernetes, cloud.clock)
  await again.settle(60_000)
  assert.deepEqual(cloud.kubernetes.writes, [])
  again.connect('edge-1')
  await again.settle(300)
  assert.equal(condition(await again.device(), 'Online')?.reason, 'NotReported')
  await again.stop()
})

test('a twin brings the state of its device, so that one that was told in between and never confirmed does not stay', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  const device = await cloud.device()
  assert.ok(device)
  const twin = (revision: number, state: string) => reportTwin(edge, device, inSync, { revision, state: { state } })
  twin(1, 'online')
  await cloud.settle(300)
  edge.say(
    { source: 'twin', group: 'resource', operation: 'update', resource: 'device/default/pump-1/state/update' },
    {
      event_id: 'e',
      timestamp: 1,
      device: { name: 'pump-1', state: 'offline' },
      skerry: { uid: device.metadata.uid ?? '', revision: 2 },
    },
  )
  await cloud.settle(300)
  assert.equal((await cloud.device())?.status?.state, 'offline')
  twin(3, 'online')
  await cloud.settle(300)
  assert.equal((await cloud.device())?.status?.state, 'online')
  twin(2, 'offline')
  await cloud.settle(300)
  assert.equal((await cloud.device())?.status?.state, 'online', 'what is older changes nothing')
  await cloud.stop()
})
