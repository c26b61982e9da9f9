import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds, systemClock } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import type { Frame } from '../../schemas/index.ts'
import { DEVICE_MODELS, DEVICES, type Kubernetes, OBJECT_SYNCS } from './kubernetes/index.ts'
import { pumpDevice, pumpModel } from './testing/harness.ts'
import { register } from './testing/kubeedge/kubelet.ts'
import { MetaTable } from './testing/kubeedge/meta-table.ts'
import type { OriginalEdge } from './testing/kubeedge/original-edge.ts'
import { startWholeCloud } from './testing/kubeedge/whole-cloud.ts'

const DEVICE = 'default/device/pump-1'
const MODEL = 'default/devicemodel/pump'

test('a device comes as membership, model and device, in KubeEdge’s shapes and with sources that an edge acknowledges', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const edge = await connect()
  await register(edge)
  await model(kubernetes)
  await device(kubernetes, 'pump-1', '1200')
  await edge.hears(isObject('insert', DEVICE), DEVICE)
  const membership = edge.heard.find(({ route }) => route.resource === 'membership')
  assert.deepEqual(membership?.route, {
    source: 'devicecontroller',
    group: 'twin',
    operation: 'update',
    resource: 'membership',
  })
  assert.deepEqual(Reflect.get(Object(membership?.content), 'added_devices'), [
    { id: 'default/pump-1', name: 'pump-1' },
  ])
  const lines = edge.objects.filter(({ route }) => route.source === 'devicecontroller').map(line)
  assert.deepEqual(lines, [`insert ${MODEL}`, `insert ${DEVICE}`])
  for (const { header, content } of edge.objects) {
    const metadata: unknown = Reflect.get(Object(content), 'metadata')
    assert.equal(header.resourceversion, Reflect.get(Object(metadata), 'resourceVersion'))
  }
  await record(kubernetes, 'pump-1', (version) => version !== '0')
  assert.deepEqual(
    [...edge.meta.rows.keys()].filter((key) => key.includes('/device')),
    [MODEL, DEVICE],
  )
  assert.deepEqual(edge.strange, [])
})

test('a change of a device brings its model and the device as updates, a deletion both as deletes without a version', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const edge = await connect()
  await model(kubernetes)
  await device(kubernetes, 'pump-1', '1')
  await edge.hears(isObject('insert', DEVICE), DEVICE)
  await wish(kubernetes, 'pump-1', '2')
  const update = await edge.hears(isObject('update', DEVICE), 'the update')
  assert.equal(desiredOf(update), '2')
  await kubernetes.delete(DEVICES, { namespace: 'default', name: 'pump-1' })
  const gone = await edge.hears(isObject('delete', DEVICE), 'the deletion')
  assert.equal(gone.header.resourceversion, undefined)
  await edge.until(() => (edge.meta.rows.has(DEVICE) || edge.meta.rows.has(MODEL) ? undefined : true))
  const lines = edge.objects.map(line).filter((text) => text.includes('/device'))
  assert.deepEqual(lines.slice(0, 4), [`insert ${MODEL}`, `insert ${DEVICE}`, `update ${MODEL}`, `update ${DEVICE}`])
  assert.deepEqual(lines.slice(4).sort(), [`delete ${DEVICE}`, `delete ${MODEL}`].sort())
})

test('an edge that stores slowly is never sent more than its queue of 100 holds: of 120 devices none is lost', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  await model(kubernetes)
  const names = Array.from({ length: 120 }, (_, at) => `pump-${at}`)
  for (const name of names) await device(kubernetes, name, '1')
  const edge = await connect()
  edge.hold()
  await edge.roundTrip()
  edge.release()
  const rows = () => names.filter((name) => edge.meta.rows.has(`default/device/${name}`)).length
  await edge.until(() => (rows() === names.length ? true : undefined), 'all devices')
  assert.equal(edge.overflowed, 0)
})

test('an object without a receipt is sent again each 5 s with the same id, five times, and then waits; late receipts do no harm', async (t) => {
  const clock = new FakeClock(systemClock.now())
  const { kubernetes, edge: connect } = await startWholeCloud(t, { clock })
  await model(kubernetes)
  await device(kubernetes, 'pump-1', '1')
  const edge = await connect()
  edge.hold()
  const first = await within(clock, edge, () => edge.objects.find(isObject('insert', MODEL)) ?? undefined)
  const copies = () => edge.objects.filter(({ header }) => header.msg_id === first.header.msg_id)
  for (let sends = 2; sends <= 5; sends++) {
    await passing(clock, edge, 5)
    assert.equal(copies().length, sends)
    assert.deepEqual(copies().at(-1), first)
  }
  await passing(clock, edge, 4)
  assert.equal(copies().length, 5)
  edge.release()
  const stored = await within(clock, edge, () => edge.meta.rows.get(MODEL), 400)
  assert.equal(stored.type, 'devicemodel')
  for (const frame of copies()) edge.acknowledge(frame)
  await within(clock, edge, () => edge.meta.rows.get(DEVICE))
  assert.equal(edge.isOpen, true)
})

test('what changed while an edge was away reaches it afterwards, deletions too, and nothing else is sent', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const meta = new MetaTable()
  const before = await connect('edge-1', { meta })
  await model(kubernetes)
  for (const name of ['same', 'changed', 'deleted', 'moved']) await device(kubernetes, name, '1')
  for (const name of ['same', 'changed', 'deleted', 'moved'])
    await record(kubernetes, name, (version) => version !== '0')
  await before.cut()
  await wish(kubernetes, 'changed', '2')
  await wish(kubernetes, 'changed', '3')
  await kubernetes.delete(DEVICES, at('deleted'))
  await kubernetes.patch(DEVICES, at('moved'), { spec: { nodeName: 'edge-2' } }, { type: 'merge' })
  await device(kubernetes, 'made', '1')
  const after = await connect('edge-1', { meta })
  const wanted = ['default/device/changed', 'default/device/made', 'default/device/same']
  await after.until(() => (rowsOf(after).join() === wanted.join() ? true : undefined), wanted.join())
  assert.equal(desiredOf({ content: meta.rows.get('default/device/changed')?.value }), '3')
  assert.deepEqual(
    linesOf(after).filter((text) => text.includes('/same')),
    [],
  )
})

test('a restart of the cloud resends nothing that an edge has acknowledged', async (t) => {
  const whole = await startWholeCloud(t)
  const { kubernetes } = whole
  const meta = new MetaTable()
  const before = await whole.edge('edge-1', { meta })
  await register(before)
  await model(kubernetes)
  await device(kubernetes, 'pump-1', '1')
  await record(kubernetes, 'pump-1', (version) => version !== '0')
  await record(kubernetes, 'pump', (version) => version !== '0')
  await whole.restart()
  // The same process of the edge: it registers its Node once in its life.
  const after = await whole.edge('edge-1', { meta })
  await device(kubernetes, 'pump-2', '1')
  await after.hears(isObject('insert', 'default/device/pump-2'), 'the new device')
  assert.deepEqual(
    linesOf(after).filter((text) => text.includes(DEVICE)),
    [],
  )
})

test('a node that goes over to another replica gets there what changed, and nothing that it has', async (t) => {
  const whole = await startWholeCloud(t)
  const { kubernetes } = whole
  const meta = new MetaTable()
  const first = await whole.edge('edge-1', { meta })
  await model(kubernetes)
  await device(kubernetes, 'same', '1')
  await device(kubernetes, 'changed', '1')
  for (const name of ['pump', 'same', 'changed']) await record(kubernetes, name, (version) => version !== '0')
  const port = await whole.replica()
  await first.cut()
  await wish(kubernetes, 'changed', '2')
  const second = await whole.edge('edge-1', { meta, port })
  await second.hears(isObject('update', 'default/device/changed'), 'the change')
  await whole.stop()
  await wish(kubernetes, 'changed', '3')
  await second.until(() =>
    desiredOf({ content: meta.rows.get('default/device/changed')?.value }) === '3' ? true : undefined,
  )
  assert.deepEqual(
    linesOf(second).filter((text) => text.includes('/same')),
    [],
  )
})

test('an edge that never acknowledges delays no other one', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const deaf = await connect('edge-1')
  const other = await connect('edge-2')
  deaf.hold()
  await model(kubernetes)
  for (let count = 0; count < 20; count++) {
    await device(kubernetes, `deaf-${count}`, '1', 'edge-1')
    await device(kubernetes, `other-${count}`, '1', 'edge-2')
  }
  await other.until(() => (rowsOf(other).length === 20 ? true : undefined), 'all devices of the other node')
  assert.deepEqual(deaf.heard, [])
})

test('records of what an edge has are KubeEdge’s ObjectSyncs', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  await connect()
  await model(kubernetes)
  await device(kubernetes, 'pump-1', '1')
  const found = await record(kubernetes, 'pump-1', (version) => version !== '0')
  const owner = await kubernetes.get(DEVICES, at('pump-1'))
  assert.equal(found.metadata.name, `edge-1.${owner?.metadata.uid}`)
  assert.deepEqual(found.spec, {
    objectAPIVersion: 'devices.kubeedge.io/v1beta1',
    objectKind: 'Device',
    objectName: 'pump-1',
  })
  assert.match(found.status?.objectResourceVersion ?? '', /^\d+$/)
})

function at(name: string) {
  return { namespace: 'default', name }
}

async function model(kubernetes: Kubernetes): Promise<void> {
  await kubernetes.create(DEVICE_MODELS, 'default', pumpModel())
}

async function device(kubernetes: Kubernetes, name: string, desired: string, node = 'edge-1'): Promise<void> {
  await kubernetes.create(DEVICES, 'default', pumpDevice(name, desired, node))
}

async function wish(kubernetes: Kubernetes, name: string, desired: string): Promise<void> {
  const { spec } = pumpDevice(name, desired)
  await kubernetes.patch(DEVICES, at(name), { spec: { properties: spec?.properties } }, { type: 'merge' })
}

/** The record of the only object of that name, once its version fits. */
async function record(kubernetes: Kubernetes, name: string, fits: (version: string) => boolean) {
  const end = systemClock.monotonic() + 15_000
  for (;;) {
    const { items } = await kubernetes.list(OBJECT_SYNCS, {})
    const found = items.find(
      ({ spec, status }) => spec?.objectName === name && fits(status?.objectResourceVersion ?? '0'),
    )
    if (found) return found
    if (systemClock.monotonic() > end) throw new Error(`no such record of ${name}: ${JSON.stringify(items)}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Lets small steps of virtual time pass until `read` finds something. */
async function within<T>(clock: FakeClock, edge: OriginalEdge, read: () => T | undefined, mostSeconds = 3): Promise<T> {
  for (let passed = 0; passed < mostSeconds; passed += 0.1) {
    const found = read()
    if (found !== undefined) return found
    await clock.advance(seconds(0.1))
    await edge.roundTrip()
  }
  throw new Error(`nothing within ${mostSeconds} s; heard ${edge.summary().join(', ')}`)
}

async function passing(clock: FakeClock, edge: OriginalEdge, count: number): Promise<void> {
  await clock.advance(seconds(count))
  await edge.roundTrip()
}

function isObject(operation: string, resource: string) {
  return ({ route }: Frame) => route.operation === operation && route.resource === resource
}

function line({ route }: Frame): string {
  return `${route.operation} ${route.resource}`
}

function linesOf(edge: OriginalEdge): readonly string[] {
  return edge.objects.map(line)
}

function rowsOf(edge: OriginalEdge): readonly string[] {
  return [...edge.meta.rows.keys()].filter((key) => key.includes('/device/')).sort()
}

function desiredOf({ content }: { readonly content?: unknown }): unknown {
  const spec: unknown = Reflect.get(Object(content), 'spec')
  const properties: unknown = Reflect.get(Object(spec), 'properties')
  const desired: unknown = Array.isArray(properties) ? Reflect.get(Object(properties[0]), 'desired') : undefined
  return Reflect.get(Object(desired), 'value')
}
