import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assignedDevices, type Frame, type Json, listed } from '../../../schemas/index.ts'
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
