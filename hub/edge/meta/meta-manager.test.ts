import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  assignedDevices,
  assignedPods,
  type Frame,
  type Json,
  type JsonObject,
  listed,
  nodeConditions,
  objectChanges,
} from '../../../schemas/index.ts'
import { pumpDevice, pumpModel, startEdge } from '../testing/edge-bench.ts'

const down = (operation: string, resource: string) => ({
  source: 'devicecontroller',
  group: 'resource',
  operation,
  resource,
})
const json = (value: object): Json => JSON.parse(JSON.stringify(value))
const DEVICE = 'default/device/pump-1'
const MODEL = 'default/devicemodel/pump'

async function deliver(edge: Awaited<ReturnType<typeof startEdge>>, frame: Frame): Promise<Frame | undefined> {
  await edge.advance()
  return edge.cloud.received.find(({ header }) => header.parent_msg_id === frame.header.msg_id)
}

test('an object is acknowledged as KubeEdge does it, after it is on disk', async () => {
  const edge = await startEdge()
  const frame = edge.cloud.say(down('insert', DEVICE), json(pumpDevice()), '10')
  const receipt = await deliver(edge, frame)
  assert.deepEqual(receipt?.route, { ...frame.route, operation: 'response' })
  assert.equal(receipt?.content, 'OK')
  const [row] = await edge.store.read({ statement: 'meta.all', parameters: [] })
  assert.equal(row?.['key'], DEVICE)
  await edge.stop()
})

test('what cannot be stored is answered with an error and taken when it comes again', async () => {
  const edge = await startEdge()
  edge.store.failure = 'disk full'
  const first = await deliver(edge, edge.cloud.say(down('insert', DEVICE), json(pumpDevice()), '10'))
  assert.equal(first?.route.operation, 'error')
  assert.equal(edge.bus.get(assignedDevices, 'default/pump-1'), undefined)
  edge.store.failure = undefined
  const again = await deliver(edge, edge.cloud.say(down('insert', DEVICE), json(pumpDevice()), '10'))
  assert.equal(again?.route.operation, 'response')
  assert.ok(edge.bus.get(assignedDevices, 'default/pump-1'))
  await edge.stop()
})

test('duplicates and older versions of an original cloud are acknowledged again and applied once', async () => {
  const edge = await startEdge({ isSkerry: false })
  const changes: unknown[] = []
  edge.bus.watch(assignedDevices, (change) => void changes.push(change))
  for (const version of ['10', '10', '9']) {
    const frame = edge.cloud.say(down('update', DEVICE), json(pumpDevice('pump-1', version)), version)
    assert.equal((await deliver(edge, frame))?.content, 'OK')
  }
  assert.equal(changes.length, 1)
  assert.deepEqual(
    edge.store.written.filter((statement) => statement === 'meta.put'),
    ['meta.put'],
  )
  await edge.stop()
})

test('a deletion of an earlier object of the name is acknowledged and leaves the present one', async () => {
  const edge = await startEdge()
  edge.cloud.say(down('insert', DEVICE), json(pumpDevice()), '10')
  await edge.advance()
  const other = { ...pumpDevice(), metadata: { name: 'pump-1', namespace: 'default', uid: 'uid-before' } }
  assert.equal((await deliver(edge, edge.cloud.say(down('delete', DEVICE), json(other))))?.content, 'OK')
  assert.ok(edge.bus.get(assignedDevices, 'default/pump-1'))
  assert.equal((await deliver(edge, edge.cloud.say(down('delete', DEVICE), json(pumpDevice()))))?.content, 'OK')
  assert.equal(edge.bus.get(assignedDevices, 'default/pump-1'), undefined)
  await edge.stop()
})

test('a device is shown with its model, whichever comes first, and again when the model changes or goes', async () => {
  const edge = await startEdge()
  const unit = () => edge.bus.get(assignedDevices, 'default/pump-1')?.model?.spec.properties?.[0]?.unit
  edge.cloud.say(down('insert', DEVICE), json(pumpDevice()), '10')
  await edge.advance()
  assert.ok(edge.bus.get(assignedDevices, 'default/pump-1'))
  assert.equal(unit(), undefined)
  edge.cloud.say(down('insert', MODEL), json(pumpModel('rpm', '5')), '5')
  await edge.advance()
  assert.equal(unit(), 'rpm')
  edge.cloud.say(down('update', MODEL), json(pumpModel('1/s', '6')), '6')
  await edge.advance()
  assert.equal(unit(), '1/s')
  edge.cloud.say(down('delete', MODEL), json(pumpModel()))
  await edge.advance()
  assert.equal(unit(), undefined)
  await edge.stop()
})

test('a device of another node is stored and acknowledged, but not served', async () => {
  const edge = await startEdge()
  edge.cloud.say(down('insert', DEVICE), json(pumpDevice()), '10')
  await edge.advance()
  const moved = edge.cloud.say(down('update', DEVICE), json(pumpDevice('pump-1', '11', 'edge-2')), '11')
  assert.equal((await deliver(edge, moved))?.content, 'OK')
  assert.equal(edge.bus.get(assignedDevices, 'default/pump-1'), undefined)
  await edge.stop()
})

test('after a restart the devices are there before any connection, and what went meanwhile is not', async () => {
  const before = await startEdge()
  before.cloud.say(down('insert', MODEL), json(pumpModel()), '5')
  before.cloud.say(down('insert', DEVICE), json(pumpDevice()), '10')
  before.cloud.say(down('insert', 'default/configmap/other'), { metadata: { name: 'other' } }, '1')
  await before.advance()
  await before.stop()
  const edge = await startEdge({
    after: before,
    isReachable: false,
    prepare: (bus) => bus.set(assignedDevices, 'default/ghost', { device: pumpDevice('ghost') }),
  })
  assert.equal(edge.bus.get(listed, 'devices'), true)
  assert.deepEqual([...edge.bus.list(assignedDevices).keys()], ['default/pump-1'])
  assert.ok(edge.bus.get(assignedDevices, 'default/pump-1')?.model)
  assert.equal(edge.hub.isConnected, false)
  await edge.stop()
})

test('a row that cannot be read keeps nothing else from being served', async () => {
  const before = await startEdge()
  before.cloud.say(down('insert', DEVICE), json(pumpDevice()), '10')
  await before.advance()
  await before.stop()
  before.store.database.exec(`INSERT INTO meta VALUES ('default/device/bad', 'device', 'u', '1', '{"metadata":')`)
  const edge = await startEdge({ after: before })
  assert.deepEqual([...edge.bus.list(assignedDevices).keys()], ['default/pump-1'])
  await edge.stop()
})

test('the order of frames of one object is kept while the disk is slow', async () => {
  const edge = await startEdge()
  const gate = Promise.withResolvers<void>()
  const write = edge.store.write.bind(edge.store)
  let isFirst = true
  edge.store.write = async (calls) => {
    const waits = isFirst
    isFirst = false
    if (waits) await gate.promise
    await write(calls)
  }
  edge.cloud.say(down('insert', DEVICE), json(pumpDevice('pump-1', '10')), '10')
  edge.cloud.say(down('delete', DEVICE), json(pumpDevice('pump-1', '10')))
  const other = edge.cloud.say(down('insert', 'default/device/pump-2'), json(pumpDevice('pump-2')), '10')
  assert.equal((await deliver(edge, other))?.content, 'OK')
  assert.equal(edge.bus.get(assignedDevices, 'default/pump-1'), undefined)
  gate.resolve()
  await edge.advance()
  assert.deepEqual([...edge.bus.list(assignedDevices).keys()], ['default/pump-2'])
  await edge.stop()
})

test('what the cloud says of its intents stays with the device, over a restart and a change of the model', async () => {
  const edge = await startEdge()
  const seen = { edge: 2, timestamp: 7 }
  const intents = { speed: { value: '5', generation: 3, timestamp: 9, author: 'kubectl-patch', seen } }
  const given = { ...pumpDevice(), skerry: { intents: { ...intents, level: { generation: 'x' } }, other: 1 } }
  await deliver(edge, edge.cloud.say(down('insert', DEVICE), json(given), '10'))
  assert.deepEqual(edge.bus.get(assignedDevices, 'default/pump-1')?.intents, intents)
  await edge.stop()
  const again = await startEdge({ after: edge })
  await deliver(again, again.cloud.say(down('insert', MODEL), json(pumpModel()), '11'))
  const assigned = again.bus.get(assignedDevices, 'default/pump-1')
  assert.deepEqual([assigned?.intents, assigned?.model?.metadata.name], [intents, 'pump'])
  await again.stop()
})

test('a Skerry cloud is believed also with a smaller version of the same object: its API may have gone back', async () => {
  const edge = await startEdge()
  for (const version of ['10', '4']) {
    const frame = edge.cloud.say(down('update', DEVICE), json(pumpDevice('pump-1', version)), version)
    assert.equal((await deliver(edge, frame))?.content, 'OK')
  }
  assert.equal(edge.bus.get(assignedDevices, 'default/pump-1')?.device.metadata.resourceVersion, '4')
  edge.cloud.say(down('update', DEVICE), json(pumpDevice('pump-1', '4')), '4')
  await edge.advance()
  assert.equal(
    edge.store.written.filter((statement) => statement === 'meta.put').length,
    2,
    'a repetition is not written',
  )
  await edge.stop()
})

test('a change that its deletion overtook does not bring the object back; a new one of the name does come', async () => {
  for (const isSkerry of [true, false]) {
    const edge = await startEdge({ isSkerry })
    const shown = () => edge.bus.get(assignedDevices, 'default/pump-1')?.device.metadata.uid
    edge.cloud.say(down('insert', DEVICE), json(pumpDevice()), '10')
    edge.cloud.say(down('delete', DEVICE), json(pumpDevice()))
    const late = edge.cloud.say(down('update', DEVICE), json(pumpDevice()), '10')
    assert.equal((await deliver(edge, late))?.content, 'OK')
    assert.equal(shown(), undefined)
    const other = { ...pumpDevice(), metadata: { ...pumpDevice().metadata, uid: 'uid-new' } }
    edge.cloud.say(down('update', DEVICE), json(other), '11')
    await edge.advance()
    assert.equal(shown(), 'uid-new')
    await edge.stop()
  }
})

test('what a dead link still had is not applied, so it cannot undo the word of the next one', async () => {
  const edge = await startEdge()
  edge.cloud.say(down('insert', DEVICE), json(pumpDevice()), '10')
  await edge.advance()
  // The frame is in the queue of the old link when that breaks.
  const old = edge.dialer.pair
  edge.cloud.say(down('update', DEVICE), json(pumpDevice('pump-1', '11', 'edge-2')), '11')
  old?.cut('the cable')
  await edge.advance(2000)
  assert.notEqual(edge.dialer.pair, old)
  assert.equal(edge.bus.get(assignedDevices, 'default/pump-1')?.device.metadata.resourceVersion, '10')
  await edge.stop()
})

test('pods of this node are on the bus, whole and from disk; those of others are stored and left alone', async () => {
  const before = await startEdge()
  before.cloud.say(down('insert', 'shop/pod/till'), pod('till', 'u-1'), '5')
  before.cloud.say(down('insert', 'shop/pod/other'), pod('other', 'u-2', 'edge-2'), '6')
  await before.advance()
  assert.deepEqual([...before.bus.list(assignedPods).keys()], ['shop/till'])
  await before.stop()
  const edge = await startEdge({
    after: before,
    isReachable: false,
    prepare: (bus) => bus.set(assignedPods, 'shop/ghost', { uid: 'g', pod: {} }),
  })
  assert.equal(edge.bus.get(listed, 'pods'), true)
  assert.deepEqual([...edge.bus.list(assignedPods)], [['shop/till', { uid: 'u-1', pod: pod('till', 'u-1') }]])
  await edge.stop()
})

test('a pod is deleted by its uid alone, and the deletion of its predecessor leaves it', async () => {
  const edge = await startEdge()
  edge.cloud.say(down('insert', 'shop/pod/till'), pod('till', 'u-2'), '5')
  for (const [content, answer] of [
    [{ metadata: { name: 'till', namespace: 'shop', uid: 'u-1' } }, 'OK'],
    ['u-2', 'a pod is deleted by its object, with its metadata.uid'],
    [{ metadata: { name: 'till' } }, 'a pod is deleted by its object, with its metadata.uid'],
  ] as const) {
    assert.equal((await deliver(edge, edge.cloud.say(down('delete', 'shop/pod/till'), content)))?.content, answer)
    assert.ok(edge.bus.get(assignedPods, 'shop/till'))
  }
  const skeleton = { metadata: { name: 'till', namespace: 'shop', uid: 'u-2' } }
  assert.equal((await deliver(edge, edge.cloud.say(down('delete', 'shop/pod/till'), skeleton)))?.content, 'OK')
  assert.equal(edge.bus.get(assignedPods, 'shop/till'), undefined)
  await edge.stop()
})

test('every kind is kept as it came and told on the bus, whoever of the cloud sends it', async () => {
  const edge = await startEdge({ isSkerry: false })
  const changes: string[] = []
  edge.bus.subscribe(objectChanges, ({ resource, change }) => changes.push(`${change} ${resource}`))
  const kinds = ['configmap', 'secret', 'serviceaccountaccess', 'service', 'endpoints', 'rule', 'persistentvolumeclaim']
  for (const [at, kind] of kinds.entries()) {
    const source = ['edgecontroller', 'policycontroller', 'dynamiccontroller'][at % 3] ?? ''
    const object = { kind, metadata: { name: 'x', namespace: 'shop', uid: `u-${kind}` }, data: { a: 'ü' } }
    const frame = edge.cloud.say({ ...down('insert', `shop/${kind}/x`), source }, object, '5')
    assert.equal((await deliver(edge, frame))?.content, 'OK')
    assert.deepEqual(edge.meta.stored(`shop/${kind}/x`), object)
  }
  const node = edge.cloud.say(down('update', 'default/node/edge-1'), { metadata: { name: 'edge-1', uid: 'n' } }, '6')
  assert.deepEqual((await deliver(edge, node))?.route, { ...node.route, operation: 'response' })
  assert.ok(edge.meta.stored('null/node/edge-1'))
  assert.deepEqual(changes, [...kinds.map((kind) => `stored shop/${kind}/x`), 'stored null/node/edge-1'])
  await edge.stop()
})

test('an unsolicited list of pods, CSI calls and unknown operations get an error and poison nothing', async () => {
  const edge = await startEdge({ isSkerry: false })
  for (const [operation, resource, content] of [
    ['response', 'shop/pod', [pod('till', 'u-1')]],
    ['response', 'default/podlist', []],
    ['createvolume', 'shop/volume/v1', { capacity: 1 }],
    ['update', 'shop/pod/till', [pod('till', 'u-1')]],
    ['update', 'shop/pod/till', null],
    ['update', 'shop/pod/till', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
  ] as const) {
    const frame = edge.cloud.say({ ...down(operation, resource), source: 'edgecontroller' }, content, '5')
    const answer = await deliver(edge, frame)
    assert.deepEqual([answer?.route.operation, answer?.route.resource], ['error', resource], `${operation} ${resource}`)
  }
  assert.deepEqual(await edge.store.read({ statement: 'meta.all', parameters: [] }), [])
  assert.equal(edge.hub.isConnected, true)
  await edge.stop()
})

test('an object beyond the bounds is refused with a reason, and room that comes is used', async () => {
  const edge = await startEdge({ metaLimits: { maxObjects: 2, maxObjectBytes: 300, maxBytes: 500 } })
  const config = (name: string, size: number) => ({ metadata: { name, uid: name }, data: { a: 'ü'.repeat(size / 2) } })
  const say = async (name: string, size: number) => {
    const frame = edge.cloud.say(down('update', `shop/configmap/${name}`), config(name, size), String(size))
    return (await deliver(edge, frame))?.content
  }
  assert.match(String(await say('big', 400)), /this node takes 300.*maxObjectBytes/)
  assert.equal(await say('a', 100), 'OK')
  assert.equal(await say('b', 200), 'OK')
  assert.match(String(await say('c', 10)), /no room for more objects \(2 of 2/)
  assert.match(String(await say('a', 240)), /no room/)
  assert.equal(await say('b', 20), 'OK', 'what shrinks is taken')
  assert.equal(await say('a', 240), 'OK')
  assert.deepEqual(edge.meta.size.count, 2)
  assert.deepEqual(edge.meta.refused, { beyond: 3 })
  const told = () => edge.bus.get(nodeConditions, 'ObjectsRefused')
  assert.match(told()?.message ?? '', /does not take shop\/configmap\/big, shop\/configmap\/c: .*make it smaller/)
  for (const name of ['big', 'c']) edge.cloud.say(down('delete', `shop/configmap/${name}`), null)
  await edge.advance()
  assert.equal(told(), undefined, 'what is not wanted any more is not complained of')
  await edge.stop()
})

test('a change and an answer to a query take turns, also where a cloud before KubeEdge 1.23 spells the resource otherwise', async () => {
  const edge = await startEdge({ isSkerry: false })
  const node = (version: string) => ({ metadata: { name: 'edge-1', uid: 'n', resourceVersion: version } })
  const push = (version: string) => edge.cloud.say(down('update', 'default/node/edge-1'), node(version), version)
  await deliver(edge, push('3'))
  const expected = edge.meta.expect('null/node/edge-1')
  const { write } = edge.store
  const gate = Promise.withResolvers<void>()
  edge.store.write = async (calls) => {
    await gate.promise
    await write.call(edge.store, calls)
  }
  push('6')
  await edge.advance()
  const answer: Frame = { header: { msg_id: 'a', timestamp: 1 }, route: {}, content: node('5') }
  const remembered = edge.meta.remember(expected, answer)
  await edge.advance()
  gate.resolve()
  await remembered
  await edge.advance()
  assert.deepEqual(edge.meta.held('null/node/edge-1')?.version, '6')
  await edge.stop()
})

test('a pod that the cloud does not know is not brought back by the answer to an earlier question', async () => {
  const edge = await startEdge()
  await deliver(edge, edge.cloud.say(down('insert', 'shop/pod/till'), pod('till', 'u-1'), '1'))
  const expected = edge.meta.expect('shop/pod/till')
  await edge.meta.drop('shop/pod/till', 'u-1')
  const answer: Frame = { header: { msg_id: 'a', timestamp: 1 }, route: {}, content: pod('till', 'u-1') }
  await edge.meta.remember(expected, answer)
  assert.equal(edge.meta.stored('shop/pod/till'), undefined)
  await edge.stop()
})

test('objects on disk that cannot be read are asked of the cloud again, as with another database', async () => {
  const before = await startEdge()
  before.cloud.say(down('insert', DEVICE), json(pumpDevice()), '10')
  await before.advance()
  const epoch = before.dialer.attempts[0]?.['x-skerry-epoch']
  await before.stop()
  before.store.database.exec(`INSERT INTO meta VALUES ('default/device/bad', 'device', 'u', '1', '{"metadata":')`)
  before.store.database.exec(`INSERT INTO meta VALUES ('', x'00ff', 'u', '1', x'00ff')`)
  const edge = await startEdge({ after: before })
  assert.deepEqual([...edge.bus.list(assignedDevices).keys()], ['default/pump-1'])
  const asked = edge.dialer.attempts[0]?.['x-skerry-epoch']
  assert.notEqual(asked, epoch)
  await edge.stop()
  const again = await startEdge({ after: edge })
  assert.equal(again.dialer.attempts[0]?.['x-skerry-epoch'], asked, 'once')
  await again.stop()
})

test('ten thousand devices at once are taken, each once', async () => {
  const edge = await startEdge()
  for (let at = 0; at < 10_000; at++) {
    edge.cloud.say(down('insert', `default/device/d${at}`), json(pumpDevice(`d${at}`)), '10')
    if (at % 500 === 0) await edge.advance()
  }
  await edge.advance()
  assert.equal(edge.bus.list(assignedDevices).size, 10_000)
  const receipts = edge.cloud.received.filter(({ route }) => route.resource?.includes('/device/d'))
  assert.equal(receipts.filter(({ content }) => content === 'OK').length, 10_000)
  await edge.stop()
})

function pod(name: string, uid: string, nodeName = 'edge-1'): JsonObject {
  return { kind: 'Pod', metadata: { name, namespace: 'shop', uid }, spec: { nodeName, containers: [] } }
}
