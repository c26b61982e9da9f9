import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { DEVICE_MODELS, DEVICE_STATUSES, DEVICES, EVENTS, LEASES } from '../kubernetes/resources.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { type CloudHarness, pumpDevice, pumpModel, type ScriptedEdge, startCloud } from '../testing/harness.ts'
import { condition, PUMP, reportTwin } from '../testing/pump.ts'

const LEASE = { namespace: 'kube-node-lease', name: 'edge-1' }
const online = {
  source: 'twin',
  group: 'resource',
  operation: 'update',
  resource: 'device/default/pump-1/state/update',
}

/** Two replicas of the cloud on one API, and an edge that renews its Lease while it is connected to any of them. */
class Replicas {
  readonly clock = new FakeClock()
  readonly kubernetes = new FakeKubernetes()
  readonly #clouds: CloudHarness[] = []
  #renewals = 0
  /** Who holds the session. */
  edge: ScriptedEdge | undefined
  /** Conditions of the device, each time that they changed. */
  readonly history: string[] = []

  get one(): CloudHarness {
    return this.#at(0)
  }

  get two(): CloudHarness {
    return this.#at(1)
  }

  #at(index: number): CloudHarness {
    const cloud = this.#clouds[index]
    assert.ok(cloud)
    return cloud
  }

  async start(): Promise<void> {
    for (let count = 0; count < 2; count++) this.#clouds.push(await startCloud(this.kubernetes, this.clock))
    await this.kubernetes.create(DEVICE_MODELS, 'default', pumpModel())
    await this.kubernetes.create(DEVICES, 'default', pumpDevice('pump-1'))
    await this.kubernetes.create(LEASES, LEASE.namespace, {
      metadata: { name: 'edge-1' },
      spec: { leaseDurationSeconds: 40 },
    })
  }

  connect(cloud: CloudHarness, epoch = 'db-1'): ScriptedEdge {
    this.edge = cloud.connect('edge-1', { epoch })
    return this.edge
  }

  async tell(revision: number, value: string): Promise<void> {
    const device = await this.kubernetes.get(DEVICES, PUMP)
    assert.ok(device && this.edge)
    const { uid = '' } = device.metadata
    const state = {
      event_id: 'e',
      timestamp: 1,
      device: { name: 'pump-1', state: 'online' },
      skerry: { uid, revision },
    }
    this.edge.say(online, state)
    reportTwin(this.edge, device, { speed: { actual: { value } } }, { revision })
  }

  /** Time passes; a connected edge stays connected, and renews its Lease. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      if (this.edge && this.#renewals++ % 10 === 0) {
        const spec = { renewTime: String(this.#renewals) }
        await this.kubernetes.patch(LEASES, LEASE, { spec }, { type: 'merge' })
      }
      this.edge?.say({ operation: 'keepalive' }, null)
      for (let part = 0; part < 4; part++) {
        await this.one.settle(250)
        await this.#look()
      }
    }
  }

  cut(): void {
    this.edge?.disconnect()
    this.edge = undefined
  }

  async #look(): Promise<void> {
    const device = await this.kubernetes.get(DEVICES, PUMP)
    const text = ['Accepted', 'Online', 'Synced'].map((type) => condition(device, type)?.reason).join(' ')
    if (this.history.at(-1) !== text) this.history.push(text)
  }

  /** Reading and state as the API has them. */
  async shown(): Promise<readonly (string | undefined)[]> {
    const device = await this.kubernetes.get(DEVICES, PUMP)
    const status = await this.kubernetes.get(DEVICE_STATUSES, PUMP)
    const valueIn = (twins = device?.status?.twins) =>
      twins?.find(({ propertyName }) => propertyName === 'speed')?.reported?.value
    return [valueIn(), valueIn(status?.status?.twins), device?.status?.state]
  }

  async writesWithin(seconds: number): Promise<number> {
    const before = this.#deviceWrites()
    await this.pass(seconds)
    return this.#deviceWrites() - before
  }

  #deviceWrites(): number {
    return this.kubernetes.writes.filter((call) => call.includes('default/pump-1')).length
  }

  async stop(): Promise<void> {
    for (const cloud of this.#clouds) await cloud.stop()
  }
}

test('only who holds the session of a node writes for it; at rest nobody does', async () => {
  const replicas = new Replicas()
  await replicas.start()
  replicas.connect(replicas.one)
  await replicas.pass(2)
  await replicas.tell(1, '7')
  await replicas.pass(5)
  assert.deepEqual(await replicas.shown(), ['7', '7', 'online'])
  assert.equal(await replicas.writesWithin(300), 0)
  assert.equal(replicas.history.at(-1), 'Accepted Connected InSync')
  await replicas.stop()
})

test('a node that goes over to another replica is not unknown in between, whoever held it before', async () => {
  const replicas = new Replicas()
  await replicas.start()
  replicas.connect(replicas.one)
  await replicas.pass(2)
  await replicas.tell(1, '7')
  await replicas.pass(5)
  replicas.history.length = 0
  replicas.cut()
  await replicas.pass(3)
  replicas.connect(replicas.two)
  await replicas.tell(2, '8')
  await replicas.pass(120)
  assert.deepEqual(await replicas.shown(), ['8', '8', 'online'])
  assert.deepEqual(replicas.history, ['Accepted Connected InSync'])
  // And back, with nothing to tell.
  replicas.cut()
  await replicas.pass(3)
  replicas.connect(replicas.one)
  assert.equal(await replicas.writesWithin(120), 0)
  assert.deepEqual(replicas.history, ['Accepted Connected InSync'])
  await replicas.tell(3, '9')
  await replicas.pass(5)
  assert.deepEqual(await replicas.shown(), ['9', '9', 'online'])
  await replicas.stop()
})

test('a node that nobody has is unknown once, and known once when it is back', async () => {
  const replicas = new Replicas()
  await replicas.start()
  replicas.connect(replicas.one)
  await replicas.pass(2)
  await replicas.tell(1, '7')
  await replicas.pass(5)
  replicas.history.length = 0
  replicas.cut()
  await replicas.pass(120)
  assert.deepEqual(replicas.history, ['Accepted Connected InSync', 'Accepted NodeUnreachable NodeUnreachable'])
  assert.equal(await replicas.writesWithin(300), 0)
  const before = replicas.kubernetes.writes.length
  replicas.connect(replicas.two)
  await replicas.pass(60)
  assert.ok(replicas.kubernetes.writes.length - before < 15, 'nobody fights')
  assert.equal(replicas.history.length, 3)
  assert.equal(replicas.history.at(-1), 'Accepted Connected InSync')
  const unreachable = (await replicas.kubernetes.list(EVENTS, {})).items.filter(
    (event) => Reflect.get(event, 'reason') === 'NodeUnreachable',
  )
  assert.deepEqual(
    unreachable.map((event) => Reflect.get(event, 'count')),
    [1],
    'told once',
  )
  await replicas.stop()
})

test('where nobody serves the node, both judge alike: an edit is judged once, whatever is in the way', async () => {
  const replicas = new Replicas()
  await replicas.start()
  await replicas.pass(60)
  for (const [value, reason] of [
    ['9000', 'InvalidDesired'],
    ['100', 'Accepted'],
  ] as const) {
    const spec = { ...pumpDevice('pump-1', value).spec, nodeName: value === '100' ? 'edge-1' : 'edge-2' }
    await replicas.kubernetes.patch(DEVICES, PUMP, { spec }, { type: 'merge' })
    await replicas.pass(10)
    const found = condition(await replicas.kubernetes.get(DEVICES, PUMP), 'Accepted')
    assert.ok([reason, 'NodeNotFound'].includes(found?.reason ?? ''), found?.reason)
    assert.equal(await replicas.writesWithin(300), 0)
  }
  await replicas.stop()
})

test('an edit of a device that another replica serves is judged by that one, and by this one if it is late', async () => {
  const replicas = new Replicas()
  await replicas.start()
  replicas.connect(replicas.one)
  await replicas.pass(2)
  await replicas.tell(1, '7')
  await replicas.pass(5)
  const writers: string[] = []
  const patch = replicas.kubernetes.patch.bind(replicas.kubernetes)
  await replicas.kubernetes.patch(DEVICES, PUMP, { spec: pumpDevice('pump-1', '100').spec }, { type: 'merge' })
  replicas.kubernetes.patch = async (type, at, body, options) => {
    if (type.kind === 'Device' && options.subresource === 'status') writers.push(type.plural)
    return patch(type, at, body, options)
  }
  await replicas.pass(20)
  assert.deepEqual(writers, ['devices'])
  const device = await replicas.kubernetes.get(DEVICES, PUMP)
  assert.equal(condition(device, 'Synced')?.observedGeneration, 2)
  assert.equal(device?.status?.intents?.length, 1)
  replicas.kubernetes.patch = patch
  // The first one hangs, without giving its session up.
  replicas.edge?.disconnect()
  await replicas.kubernetes.patch(DEVICES, PUMP, { spec: pumpDevice('pump-1', '200').spec }, { type: 'merge' })
  await replicas.pass(20)
  assert.equal(condition(await replicas.kubernetes.get(DEVICES, PUMP), 'Synced')?.observedGeneration, 3)
  assert.equal(await replicas.writesWithin(60), 0)
  await replicas.stop()
})

test('a late report of an old session never wins: not by its revision, nor by its database', async () => {
  for (const epochs of [
    ['db-1', 'db-1'],
    ['db-1', 'db-2'],
  ] as const) {
    const replicas = new Replicas()
    await replicas.start()
    // The first replica does not hear that the second took the node over.
    replicas.kubernetes.fail('leases kubeedge/edge-1', 500, 1000)
    const old = replicas.connect(replicas.one, epochs[0])
    await replicas.pass(2)
    await replicas.tell(5, '7')
    await replicas.pass(3)
    // The old session is half open: its replica believes in it.
    replicas.connect(replicas.two, epochs[1])
    await replicas.pass(1)
    const isSame = epochs[0] === epochs[1]
    await replicas.tell(isSame ? 6 : 1, '8')
    await replicas.pass(3)
    assert.deepEqual(await replicas.shown(), ['8', '8', 'online'])
    const device = await replicas.kubernetes.get(DEVICES, PUMP)
    assert.ok(device)
    const late = reportTwin(old, device, { speed: { actual: { value: '7' } } }, { revision: 5 })
    await replicas.pass(10)
    assert.deepEqual(await replicas.shown(), ['8', '8', 'online'])
    const isConfirmed = old.received.some((frame) => frame.header.parent_msg_id === late.header.msg_id)
    assert.equal(isConfirmed, isSame, 'what is older is outdated; of another database nobody knows')
    await replicas.stop()
  }
})
