import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createLocalBus } from '../../platform/bus/index.ts'
import { createScope } from '../../platform/lifecycle/index.ts'
import { silentLogger } from '../../platform/log/index.ts'
import { openTestStore } from '../../platform/store/testing/index.ts'
import { systemClock as clock, ms, systemRandom as random, seconds } from '../../platform/time/index.ts'
import { assignedDevices, type Device, type DeviceStatus } from '../../schemas/index.ts'
import { DEVICE_MODELS, DEVICE_STATUSES, DEVICES, LEASES, NODES } from '../cloud/index.ts'
import { startTlsCloud } from '../cloud/testing/tls-cloud.ts'
import { createFrameFactory, createWebSocketDialer } from '../link/index.ts'
import { createEdgeHub } from './edge-hub.ts'
import { identityFiles, readIdentity } from './join/identity-files.ts'
import { joinNode } from './join/join-node.ts'
import { parseJoinToken } from './join/token.ts'
import { createMetaManager } from './meta-manager.ts'
import { metaStoreDomain } from './meta-store.ts'
import { pumpDevice, pumpModel, setTwin, twinOf } from './testing/edge-bench.ts'

const log = silentLogger

function onCrash(error: unknown): never {
  throw error
}

/** The whole cloud half over a fake Kubernetes, and the hub's half of an edge that joined it with a token. */
async function startBoth(t: TestContext) {
  const cloud = await startTlsCloud(t)
  const directory = await mkdtemp(join(tmpdir(), 'skerry-edge-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const nodeName = 'edge-1'
  const files = identityFiles(directory)
  const token = parseJoinToken(await cloud.authority.createToken({ node: nodeName }))
  await joinNode({ address: `127.0.0.1:${cloud.certificates.port}`, token, nodeName, files, clock })
  const scope = createScope('edge', { clock, log, deadline: seconds(5), onCrash })
  t.after(() => scope.close(seconds(5)))
  const store = await openTestStore(t, [metaStoreDomain])
  const bus = createLocalBus(clock, log)
  const frames = createFrameFactory({ clock, random })
  const ports = { store, bus, frames, nodeName, clock, random, log }
  const meta = createMetaManager(ports)
  const server = `127.0.0.1:${cloud.cloudhub.port}`
  const identity = () => readIdentity(files, nodeName)
  const dialer = createWebSocketDialer({ server, path: '/project/edge-1/events', identity, clock, log })
  const hub = createEdgeHub({ ...ports, dialer, meta, version: '0.1.0' })
  await meta.start(scope)
  await hub.start(scope)
  return { kubernetes: cloud.kubernetes, bus, hub }
}

async function eventually<T>(read: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const end = clock.monotonic() + 10_000
  for (;;) {
    const value = await read()
    if (value !== undefined) return value
    if (clock.monotonic() > end) throw new Error('did not happen within 10 s')
    await clock.sleep(ms(10))
  }
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
