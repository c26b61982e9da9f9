import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ms } from '../../../platform/time/index.ts'
import { DEVICE_MODELS, DEVICE_STATUSES, DEVICES, NODES } from '../kubernetes/resources.ts'
import { BothHalves } from '../testing/both-halves.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { type CloudHarness, pumpDevice, pumpModel, type ScriptedEdge, startCloud } from '../testing/harness.ts'
import { condition, line, PUMP, reportTwin, withPump } from '../testing/pump.ts'

const reported = (device: { readonly status?: { readonly twins?: unknown } } | undefined) => {
  const twins: unknown = device?.status?.twins
  return Array.isArray(twins) ? twins.find(({ propertyName }) => propertyName === 'speed')?.reported?.value : undefined
}

/** Time in which the edge stays connected. */
async function pass(cloud: CloudHarness, edge: ScriptedEdge, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 20) {
    edge.say({ operation: 'keepalive' }, null)
    await cloud.settle(20_000)
  }
}

function tell(edge: ScriptedEdge, name: string, uid: string, revision: number): void {
  edge.say(
    { source: 'twin', group: 'resource', operation: 'update', resource: `device/default/${name}/twin/edge_updated` },
    {
      ...{ event_id: 'e', timestamp: revision, twin: { speed: { actual: { value: String(revision) } } } },
      skerry: { uid, generation: 1, revision, properties: {} },
    },
  )
}

test('an API that is down for an hour while hundreds of devices change: then each is written once, with its latest', async () => {
  const kubernetes = new FakeKubernetes()
  await kubernetes.create(DEVICE_MODELS, 'default', pumpModel())
  const names = Array.from({ length: 400 }, (_, at) => `pump-${at}`)
  const made = await Promise.all(names.map((name) => kubernetes.create(DEVICES, 'default', pumpDevice(name))))
  const cloud = await startCloud(kubernetes)
  const edge = cloud.connect('edge-1')
  await cloud.settle(10_000)
  for (const { metadata } of made) tell(edge, metadata.name, metadata.uid ?? '', 1)
  await pass(cloud, edge, 30)
  for (const verb of ['PATCH', 'POST', 'GET', 'LIST', 'WATCH']) kubernetes.fail(verb, 503, 1e9)
  kubernetes.dropWatches()
  kubernetes.writes.length = 0
  for (let revision = 2; revision <= 5; revision++) {
    for (const { metadata } of made) tell(edge, metadata.name, metadata.uid ?? '', revision)
    await pass(cloud, edge, 900)
  }
  assert.ok(kubernetes.writes.length < 400, `${kubernetes.writes.length} trials in an hour`)
  kubernetes.heal()
  kubernetes.writes.length = 0
  await pass(cloud, edge, 120)
  for (const name of names) {
    const status = await kubernetes.get(DEVICE_STATUSES, { namespace: 'default', name })
    assert.equal(reported(status), '5')
  }
  assert.equal(kubernetes.writes.filter((call) => call.startsWith('PATCH devicestatuses')).length, 400)
  assert.equal(reported(await cloud.device('pump-399')), '5')
  await cloud.stop()
})

test('watches with gaps, in any place and for any kind, lose no change', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle(500)
  for (const plural of ['devices', 'devicemodels', 'devicestatuses', 'leases', 'nodes', 'objectsyncs']) {
    cloud.kubernetes.fail(`WATCH ${plural}`, 410, 3)
  }
  cloud.kubernetes.dropWatches()
  await cloud.kubernetes.patch(DEVICES, PUMP, { spec: pumpDevice('pump-1', '900').spec }, { type: 'merge' })
  const more = pumpModel([
    ...(pumpModel().spec.properties ?? []),
    { name: 'level', type: 'INT', accessMode: 'ReadOnly' },
  ])
  await cloud.kubernetes.patch(
    DEVICE_MODELS,
    { namespace: 'default', name: 'pump' },
    { spec: more.spec },
    { type: 'merge' },
  )
  const device = await cloud.device()
  assert.ok(device)
  reportTwin(edge, device, { speed: { actual: { value: '7' } } }, { revision: 5 })
  await cloud.settle(15_000)
  assert.deepEqual(
    edge.received
      .map(line)
      .filter((each) => each.startsWith('update default'))
      .sort(),
    ['update default/device/pump-1', 'update default/devicemodel/pump'],
  )
  assert.equal(reported(await cloud.device()), '7')
  assert.equal(condition(await cloud.device(), 'Synced')?.observedGeneration, 2)
  await cloud.stop()
})

test('conflicts on every write make writes rarer, and the state arrives when they end', async () => {
  const cloud = await withPump()
  const edge = cloud.connect('edge-1')
  await cloud.settle(2000)
  const device = await cloud.device()
  assert.ok(device)
  cloud.kubernetes.writes.length = 0
  cloud.kubernetes.fail('PATCH device', 409, 1e9)
  reportTwin(edge, device, { speed: { actual: { value: '7' } } }, { revision: 5 })
  await pass(cloud, edge, 60)
  const tries = cloud.kubernetes.writes.length
  assert.ok(tries >= 5 && tries <= 20, `${tries} tries in a minute`)
  cloud.kubernetes.heal()
  await pass(cloud, edge, 60)
  assert.equal(reported(await cloud.device()), '7')
  await cloud.stop()
})

test('clocks that jump, either way and at either end, change neither rate nor order', async () => {
  for (const jump of [3_600_000, -3_600_000]) {
    const cloud = await withPump()
    const edge = cloud.connect('edge-1')
    await cloud.settle(2000)
    const device = await cloud.device()
    assert.ok(device)
    for (let revision = 1; revision <= 20; revision++) {
      if (revision % 5 === 0) cloud.clock.jump(ms(jump))
      tell(edge, 'pump-1', device.metadata.uid ?? '', revision)
      await cloud.settle(1000)
      assert.equal(reported(await cloud.kubernetes.get(DEVICE_STATUSES, PUMP)), String(revision))
    }
    const { conditions = [] } = (await cloud.device())?.status ?? {}
    for (const { lastTransitionTime } of conditions) assert.match(lastTransitionTime, /^\d{4}-.*Z$/)
    await cloud.stop()
  }
})

test('a model that is edited a hundred times a second: the edge ends with its last form, and nobody is flooded', async () => {
  const both = new BothHalves()
  await both.startCloud()
  await both.startEdge()
  await both.cloud.apply(pumpModel())
  for (const name of ['pump-1', 'pump-2']) await both.cloud.apply(pumpDevice(name, '100'))
  await both.pass(10_000)
  both.kubernetes.writes.length = 0
  const at = { namespace: 'default', name: 'pump' }
  for (let edit = 1; edit <= 300; edit++) {
    const properties = (pumpModel().spec.properties ?? []).map((property) => ({ ...property, unit: `u${edit}` }))
    await both.kubernetes.patch(DEVICE_MODELS, at, { spec: { properties } }, { type: 'merge' })
    await both.pass(10)
  }
  await both.pass(5000)
  const stored = both.edge.meta.stored('default/devicemodel/pump')
  assert.equal(JSON.stringify(stored).includes('"unit":"u300"'), true)
  const writes = both.kubernetes.writes.filter((call) => / devices? | devicestatuses /.test(call))
  assert.deepEqual(writes, [], 'nothing that is said of the devices has changed')
  await both.stop()
})

test('an edit of a model that forbids a desired value is judged at once, and taken back at once', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle(500)
  edge.received.length = 0
  const accepted = async () => condition(await cloud.device(), 'Accepted')?.reason
  const model = (maximum: string) => pumpModel([{ name: 'targetSpeed', type: 'INT', accessMode: 'ReadWrite', maximum }])
  await cloud.apply(model('1000'))
  assert.equal(await accepted(), 'InvalidDesired')
  await cloud.apply(model('2000'))
  assert.equal(await accepted(), 'Accepted')
  assert.deepEqual(edge.received.map(line), ['update default/devicemodel/pump', 'update default/devicemodel/pump'])
  await cloud.stop()
})

test('a model that is deleted while it is in use is a condition, and heals when it is there again, under any uid', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle(500)
  edge.received.length = 0
  await cloud.kubernetes.delete(DEVICE_MODELS, { namespace: 'default', name: 'pump' })
  await cloud.settle(500)
  assert.equal(condition(await cloud.device(), 'Accepted')?.reason, 'ModelNotFound')
  assert.deepEqual(edge.received.map(line), ['delete default/devicemodel/pump'])
  await cloud.apply(pumpModel())
  await cloud.settle(500)
  assert.equal(condition(await cloud.device(), 'Accepted')?.reason, 'Accepted')
  assert.deepEqual(edge.received.map(line).at(-1), 'insert default/devicemodel/pump')
  await cloud.stop()
})

test('devices without model or node hold nobody up', async () => {
  const cloud = await startCloud()
  for (let count = 0; count < 50; count++) {
    const lost = pumpDevice(`lost-${count}`)
    await cloud.apply({ ...lost, spec: { ...lost.spec, deviceModelRef: { name: `none-${count}` } } })
  }
  const bare = pumpDevice('bare')
  const { deviceModelRef: _ref, ...spec } = bare.spec
  await cloud.apply({ ...bare, spec })
  await cloud.apply(pumpModel())
  await cloud.apply(pumpDevice('pump-1', '1200'))
  const edge = cloud.connect('edge-1')
  await cloud.settle(500)
  assert.ok(edge.received.map(line).includes('insert default/device/pump-1'))
  assert.equal(condition(await cloud.device('bare'), 'Accepted')?.reason, 'ModelNotSet')
  assert.equal(condition(await cloud.device('lost-49'), 'Accepted')?.reason, 'ModelNotFound')
  assert.equal(condition(await cloud.device('pump-1'), 'Accepted')?.reason, 'Accepted')
  await cloud.stop()
})

test('a node that is deleted and made again gets its devices again, and its devices say what is true in between', async () => {
  const cloud = await startCloud()
  await cloud.apply(pumpModel())
  await cloud.apply(pumpDevice('pump-1', '1200'))
  const accepted = async () => {
    await cloud.settle(500)
    return condition(await cloud.device(), 'Accepted')?.reason
  }
  assert.equal(await accepted(), 'NodeNotFound')
  await cloud.kubernetes.create(NODES, undefined, { metadata: { name: 'edge-1' } })
  assert.equal(await accepted(), 'Accepted')
  const edge = cloud.connect('edge-1')
  await cloud.settle(500)
  await cloud.kubernetes.delete(NODES, { name: 'edge-1' })
  cloud.hub.remove('edge-1')
  assert.notEqual(edge.closed, undefined)
  assert.equal(await accepted(), 'NodeNotFound')
  await cloud.kubernetes.create(NODES, undefined, { metadata: { name: 'edge-1' } })
  const again = cloud.connect('edge-1', { epoch: 'db-2' })
  assert.equal(await accepted(), 'Accepted')
  assert.ok(again.received.map(line).includes('insert default/device/pump-1'))
  await cloud.stop()
})

test('two devices of one name in two namespaces are two devices', async () => {
  const cloud = await withPump('1200')
  const other = { ...pumpDevice('pump-1', '700'), metadata: { name: 'pump-1', namespace: 'plant' } }
  await cloud.apply({ ...pumpModel(), metadata: { name: 'pump', namespace: 'plant' } })
  await cloud.apply(other)
  const edge = cloud.connect('edge-1')
  await cloud.settle(500)
  for (const [namespace, value] of [
    ['default', 1],
    ['plant', 2],
  ] as const) {
    const device = await cloud.kubernetes.get(DEVICES, { namespace, name: 'pump-1' })
    edge.say(
      {
        source: 'twin',
        group: 'resource',
        operation: 'update',
        resource: `device/${namespace}/pump-1/twin/edge_updated`,
      },
      {
        ...{ event_id: 'e', timestamp: 1, twin: { speed: { actual: { value: String(value) } } } },
        skerry: { uid: device?.metadata.uid ?? '', generation: 1, revision: 1, properties: {} },
      },
    )
  }
  await cloud.settle(3000)
  for (const [namespace, value] of [
    ['default', '1'],
    ['plant', '2'],
  ] as const) {
    assert.equal(reported(await cloud.kubernetes.get(DEVICES, { namespace, name: 'pump-1' })), value)
    assert.equal(reported(await cloud.kubernetes.get(DEVICE_STATUSES, { namespace, name: 'pump-1' })), value)
  }
  await cloud.kubernetes.delete(DEVICES, PUMP)
  await cloud.settle(500)
  assert.deepEqual(edge.received.map(line).slice(-2), [
    'delete default/devicemodel/pump',
    'delete default/device/pump-1',
  ])
  assert.ok(await cloud.kubernetes.get(DEVICE_STATUSES, { namespace: 'plant', name: 'pump-1' }))
  await cloud.stop()
})

test('a device that is made again under its name takes over nothing of the one before, whoever is late', async () => {
  const cloud = await withPump()
  const edge = cloud.connect('edge-1')
  await cloud.settle(500)
  const before = await cloud.device()
  assert.ok(before)
  reportTwin(edge, before, { speed: { actual: { value: '7' } } }, { revision: 9 })
  await cloud.settle(2000)
  await cloud.kubernetes.delete(DEVICES, PUMP)
  await cloud.apply(pumpDevice('pump-1'))
  const { uid = '' } = before.metadata
  const late = {
    event_id: 'e',
    timestamp: 1,
    device: { name: 'pump-1', state: 'offline' },
    skerry: { uid, revision: 10 },
  }
  edge.say(
    { source: 'twin', group: 'resource', operation: 'update', resource: 'device/default/pump-1/state/update' },
    late,
  )
  reportTwin(edge, before, { speed: { actual: { value: '8' } } }, { revision: 10 })
  await cloud.settle(3000)
  const now = await cloud.device()
  assert.equal(now?.status?.twins, undefined)
  assert.equal(now?.status?.state, 'unknown')
  assert.equal((await cloud.kubernetes.get(DEVICE_STATUSES, PUMP))?.status?.state, undefined)
  await cloud.stop()
})

test('a state that is older than the one before it changes nothing, and is confirmed', async () => {
  const cloud = await withPump()
  const edge = cloud.connect('edge-1')
  await cloud.settle(500)
  const uid = (await cloud.device())?.metadata.uid
  const say = (state: string, revision: number) =>
    edge.say(
      { source: 'twin', group: 'resource', operation: 'update', resource: 'device/default/pump-1/state/update' },
      { event_id: 'e', timestamp: 1, device: { name: 'pump-1', state }, skerry: { uid: uid ?? '', revision } },
    )
  say('offline', 8)
  const late = say('online', 7)
  await cloud.settle(2000)
  assert.equal((await cloud.device())?.status?.state, 'offline')
  assert.ok(edge.received.some(({ header }) => header.parent_msg_id === late.header.msg_id))
  await cloud.stop()
})
