import assert from 'node:assert/strict'
import { truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createLocalBus } from '../../platform/bus/index.ts'
import { createScope } from '../../platform/lifecycle/index.ts'
import { silentLogger } from '../../platform/log/index.ts'
import { openStore } from '../../platform/store/index.ts'
import { systemClock as clock, systemRandom as random, seconds } from '../../platform/time/index.ts'
import { assignedDevices, type Device, type DeviceStatus } from '../../schemas/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { DEVICE_MODELS, DEVICE_STATUSES, DEVICES } from '../cloud/index.ts'
import { startTlsCloud } from '../cloud/testing/tls-cloud.ts'
import { createFrameFactory, createWebSocketDialer } from '../link/index.ts'
import { createEdgeHub } from './edge-hub.ts'
import { type IdentityFiles, identityFiles, readIdentity } from './join/identity-files.ts'
import { joinNode } from './join/join-node.ts'
import { parseJoinToken } from './join/token.ts'
import { createMetaManager } from './meta/meta-manager.ts'
import { metaStoreDomain } from './meta/meta-store.ts'
import { pumpDevice, pumpModel, setTwin, twinOf } from './testing/edge-bench.ts'
import { eventually } from './testing/joined-edge.ts'

const log = silentLogger
const nodeName = 'edge-1'

test('a damaged database: devices of the backup are served at once, and the cloud sends and takes what came after it', async (t) => {
  const cloud = await startTlsCloud(t)
  const { kubernetes } = cloud
  const folder = temporaryFolder('skerry-edge-')
  const files = identityFiles(folder)
  const token = parseJoinToken(await cloud.authority.createToken({ node: nodeName }))
  await joinNode({ address: `127.0.0.1:${cloud.certificates.port}`, token, nodeName, files, clock })
  const edgeOptions = { folder, files, server: `127.0.0.1:${cloud.cloudhub.port}` }

  const first = await startEdge(t, edgeOptions)
  await kubernetes.create(DEVICE_MODELS, 'default', pumpModel())
  await kubernetes.create(DEVICES, 'default', withDesired(pumpDevice(), '10'))
  await kubernetes.create(DEVICES, 'default', pumpDevice('pump-3'))
  const { device } = await eventually(() => first.bus.get(assignedDevices, 'default/pump-1'))
  const third = await eventually(() => first.bus.get(assignedDevices, 'default/pump-3'))
  await first.store.backup(2, new AbortController().signal)
  await kubernetes.create(DEVICES, 'default', pumpDevice('pump-2'))
  await kubernetes.delete(DEVICES, { namespace: 'default', name: 'pump-3' })
  await eventually(() => (first.bus.get(assignedDevices, 'default/pump-3') ? undefined : true))
  await kubernetes.patch(DEVICES, { namespace: 'default', name: 'pump-1' }, desired('20'), { type: 'merge' })
  await eventually(() => (desiredAt(first.bus) === '20' ? true : undefined))
  await eventually(() => first.bus.get(assignedDevices, 'default/pump-2'))
  const { uid = '', generation = 0 } = device.metadata
  setTwin(first.bus, twinOf('pump-1', 42, { uid, generation }))
  await eventually(() => reported(cloud, '42'))
  await first.stop()
  await truncate(join(folder, 'edge.db'), 6000)

  const second = await startEdge(t, edgeOptions, async ({ bus, store }) => {
    assert.equal(store.recovered?.from, 'backup')
    assert.equal(desiredAt(bus), '10', 'without the cloud')
    assert.equal(bus.get(assignedDevices, 'default/pump-2'), undefined)
    setTwin(bus, twinOf('pump-1', 17, { uid, generation }))
    assert.ok(bus.get(assignedDevices, 'default/pump-3'), 'it was deleted after the backup')
    setTwin(bus, twinOf('pump-3', 5, { uid: third.device.metadata.uid ?? '' }))
  })
  await eventually(() => second.bus.get(assignedDevices, 'default/pump-2'))
  await eventually(() => (desiredAt(second.bus) === '20' ? true : undefined))
  await eventually(() => reported(cloud, '17'))
  await eventually(() => (second.bus.get(assignedDevices, 'default/pump-3') ? undefined : true))
})

async function startEdge(t: TestContext, { folder, files, server }: EdgeOptions, beforeHub = async (_: Parts) => {}) {
  const onCrash = (error: unknown): never => {
    throw error
  }
  const file = join(folder, 'edge.db')
  const store = await openStore(file, [metaStoreDomain], { clock, log, onDamage: 'restore' })
  const scope = createScope('edge', { clock, log, deadline: seconds(5), onCrash })
  const stop = async () => {
    await scope.close(seconds(5))
    await store[Symbol.asyncDispose]()
  }
  t.after(stop)
  const bus = createLocalBus(clock, log)
  const frames = createFrameFactory({ clock, random })
  const ports = { store, bus, frames, nodeName, clock, random, log }
  const meta = createMetaManager(ports)
  const identity = () => readIdentity(files, nodeName)
  const dialer = createWebSocketDialer({ server, path: '/project/edge-1/events', identity, clock, log })
  const hub = createEdgeHub({ ...ports, dialer, meta, incarnation: store.incarnation, version: '0.1.0' })
  await meta.start(scope)
  await beforeHub({ bus, store })
  await hub.start(scope)
  return { bus, store, stop }
}

interface EdgeOptions {
  readonly folder: string
  readonly files: IdentityFiles
  readonly server: string
}

interface Parts {
  readonly bus: ReturnType<typeof createLocalBus>
  readonly store: Awaited<ReturnType<typeof openStore>>
}

async function reported({ kubernetes }: Awaited<ReturnType<typeof startTlsCloud>>, value: string) {
  const at = { namespace: 'default', name: 'pump-1' }
  const found: DeviceStatus | undefined = await kubernetes.get(DEVICE_STATUSES, at)
  return found?.status?.twins?.some((twin) => twin.reported?.value === value) ? found : undefined
}

function withDesired(device: Device, value: string): Device {
  return { ...device, spec: { ...device.spec, ...desired(value).spec } }
}

function desired(value: string) {
  return { spec: { properties: [{ name: 'speed', desired: { value } }] } }
}

function desiredAt(bus: Parts['bus']): string | undefined {
  return bus.get(assignedDevices, 'default/pump-1')?.device.spec.properties?.[0]?.desired?.value
}
