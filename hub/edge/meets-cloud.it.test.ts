import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { assignedDevices, type Device, type DeviceStatus } from '../../schemas/index.ts'
import { DEVICE_MODELS, DEVICE_STATUSES, DEVICES, LEASES, NODES } from '../cloud/index.ts'
import { startTlsCloud } from '../cloud/testing/tls-cloud.ts'
import { pumpDevice, pumpModel, setTwin, twinOf } from './testing/edge-bench.ts'
import { eventually, joinEdge } from './testing/joined-edge.ts'

/** The hub's half of an edge that joined the cloud with a token. The cloud half is whole, over a fake Kubernetes. */
async function startBoth(t: TestContext) {
  const cloud = await startTlsCloud(t)
  const edge = await joinEdge(t, cloud)
  return { kubernetes: cloud.kubernetes, ...(await edge.start()) }
}

test('a node joins, registers, gets its device, and what it reports is seen in the API', async (t) => {
  const { kubernetes, bus, hub } = await startBoth(t)
  await kubernetes.create(DEVICE_MODELS, 'default', pumpModel())
  await kubernetes.create(DEVICES, 'default', pumpDevice())
  const assigned = await eventually(() => bus.get(assignedDevices, 'default/pump-1'))
  assert.equal(assigned.model?.metadata.name, 'pump')
  await eventually(() => kubernetes.get(NODES, { name: 'edge-1' }))
  await eventually(() => kubernetes.get(LEASES, { namespace: 'kube-node-lease', name: 'edge-1' }))

  const { uid = '', generation = 0 } = assigned.device.metadata
  setTwin(bus, twinOf('pump-1', 42, { uid, generation }))
  const at = { namespace: 'default', name: 'pump-1' }
  const status = await eventually(async () => {
    const found: DeviceStatus | undefined = await kubernetes.get(DEVICE_STATUSES, at)
    return found?.status?.twins?.some(({ reported }) => reported?.value === '42') ? found : undefined
  })
  assert.equal(status.status?.state, 'online')
  const device = await eventually(async () => {
    const found: Device | undefined = await kubernetes.get(DEVICES, at)
    return found?.status?.conditions?.some(({ type, status }) => type === 'Online' && status === 'True')
      ? found
      : undefined
  })
  assert.equal(device.status?.conditions?.find(({ type }) => type === 'Accepted')?.status, 'True')

  await kubernetes.delete(DEVICES, at)
  await eventually(() => (bus.get(assignedDevices, 'default/pump-1') ? undefined : true))
  assert.equal(hub.isConnected, true)
})

test('C57: what clients publish offline outlives the edge, and reaches the cloud once and in order', async (t) => {
  const cloud = await startTlsCloud(t)
  const got: string[] = []
  cloud.cloudhub.hub.onUserMessage(async ({ resource, payload }) => {
    got.push(`${resource} ${Buffer.from(payload).toString('hex')}`)
    return 'done'
  })
  const edge = await joinEdge(t, cloud)
  const topics = ['SYS/dis/upload_records', '$hw/events/upload/meter', 'room/user/door']
  const published = Array.from({ length: 300 }, (_, count) => ({
    topic: topics[count % 3] ?? '',
    payload: Buffer.from([count >> 8, count & 255, 255]),
  }))
  // Nobody listens on port 1.
  const offline = await edge.start(1)
  for (const { topic, payload } of published.slice(0, 200)) await offline.mqtt.send(topic, payload)
  await offline.stop()
  const online = await edge.start()
  for (const { topic, payload } of published.slice(200)) await online.mqtt.send(topic, payload)
  await eventually(() => (got.length >= published.length ? true : undefined))
  // Cut in the middle of nothing: a reconnect repeats nothing either.
  online.hub.reconnect('test')
  await eventually(() => (online.hub.isConnected ? true : undefined))
  await online.mqtt.send('room/user/door', 'last')
  await eventually(() => got.at(-1)?.endsWith(Buffer.from('last').toString('hex')) || undefined)
  assert.deepEqual(
    got.slice(0, -1),
    published.map(({ topic, payload }) => `node/edge-1/${topic} ${payload.toString('hex')}`),
  )
  await eventually(async () => {
    const waiting = await edge.store.read({ statement: 'user.index', parameters: [] })
    return waiting.length === 0 || undefined
  })
})
