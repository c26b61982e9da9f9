import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError } from '../../platform/lifecycle/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import type { Frame, KubeObject } from '../../schemas/index.ts'
import type { DeleteOptions, ListOptions, ObjectKey, PatchOptions, ResourceType } from './kubernetes/kubernetes.ts'
import { DEVICE_MODELS, DEVICE_STATUSES, DEVICES } from './kubernetes/resources.ts'
import { FakeKubernetes } from './testing/fake-kubernetes.ts'
import { type CloudHarness, pumpDevice, pumpModel, type ScriptedEdge, startCloud } from './testing/harness.ts'
import { line, PUMP, reportTwin, withPump } from './testing/pump.ts'

/** Time in which the edges stay connected. */
async function pass(cloud: CloudHarness, edges: readonly ScriptedEdge[], seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 20) {
    for (const edge of edges) edge.say({ operation: 'keepalive' }, null)
    await cloud.settle(20_000)
  }
}

async function reported(kubernetes: FakeKubernetes, name = 'pump-1'): Promise<unknown> {
  const { status } = (await kubernetes.get(DEVICE_STATUSES, { namespace: 'default', name })) ?? {}
  return status?.twins?.find(({ propertyName }) => propertyName === 'speed')?.reported?.value
}

function isAnswered(edge: ScriptedEdge, said: Frame): boolean {
  return edge.received.some(({ header }) => header.parent_msg_id === said.header.msg_id)
}

const deletions = (edge: ScriptedEdge) => edge.received.map(line).filter((each) => each.startsWith('delete'))

/** What the API says to each write of a state. */
const REFUSALS: readonly (readonly [day: string, call: string, status: number])[] = [
  ['a webhook that denies the status of devices', 'PATCH devices ', 403],
  ['a webhook that finds the state of devices invalid', 'PATCH devicestatuses', 422],
  ['a quota that is used up', 'POST devicestatuses', 403],
  ['a namespace that terminates', 'POST devicestatuses', 403],
  ['an object that is too large', 'PATCH devicestatuses', 413],
  ['a webhook that is away, with failure policy Fail', 'PATCH device', 500],
  ['conflicts without end', 'PATCH device', 409],
]

for (const [day, call, status] of REFUSALS) {
  test(`${day}: what an edge reports stays unconfirmed, tries are few, and it arrives when that is over`, async () => {
    const kubernetes = new FakeKubernetes()
    const isMaking = call.startsWith('POST')
    if (isMaking) kubernetes.fail(call, status, 1e9)
    const cloud = await startCloud(kubernetes)
    for (const object of [pumpModel(), pumpDevice('pump-1')]) await cloud.apply(object)
    const edge = cloud.connect('edge-1')
    await cloud.settle(2000)
    const device = await cloud.device()
    assert.ok(device)
    if (!isMaking) {
      reportTwin(edge, device, { speed: { actual: { value: '1' } } })
      await pass(cloud, [edge], 60)
      assert.equal(await reported(cloud.kubernetes), '1')
    }
    if (!isMaking) kubernetes.fail(call, status, 1e9)
    kubernetes.writes.length = 0
    const said = reportTwin(edge, device, { speed: { actual: { value: '7' } } }, { revision: 2, online: true })
    await pass(cloud, [edge], 3600)
    const tries = cloud.kubernetes.writes.filter((each) => each.includes(call)).length
    assert.ok(tries >= 1 && tries < 200, `${tries} tries in an hour`)
    assert.equal(edge.closed, undefined)
    if (call !== 'PATCH devices ') assert.equal(isAnswered(edge, said), false)
    cloud.kubernetes.heal()
    await pass(cloud, [edge], 120)
    assert.equal(await reported(cloud.kubernetes), '7')
    assert.equal(isAnswered(edge, said), true)
    assert.deepEqual(deletions(edge), [])
    await cloud.stop()
  })
}

test('one device that the API cannot take holds up no other', async () => {
  const cloud = await withPump()
  for (const name of ['pump-2', 'pump-3']) await cloud.apply(pumpDevice(name))
  const edge = cloud.connect('edge-1')
  await cloud.settle(2000)
  cloud.kubernetes.fail('devicestatuses default/pump-1', 500, 1e9)
  await pass(cloud, [edge], 600)
  cloud.kubernetes.writes.length = 0
  for (let minute = 1; minute <= 20; minute++) {
    for (const name of ['pump-2', 'pump-3']) {
      const { uid = '' } = (await cloud.device(name))?.metadata ?? {}
      const resource = `device/default/${name}/twin/edge_updated`
      edge.say(
        { source: 'twin', group: 'resource', operation: 'update', resource },
        {
          ...{ event_id: 'e', timestamp: minute, twin: { speed: { actual: { value: String(minute) } } } },
          skerry: { uid, generation: 1, revision: minute, properties: {} },
        },
      )
    }
    await pass(cloud, [edge], 60)
    for (const name of ['pump-2', 'pump-3']) assert.equal(await reported(cloud.kubernetes, name), String(minute))
  }
  const tries = cloud.kubernetes.writes.filter((each) => each.includes('devicestatuses default/pump-1')).length
  assert.ok(tries < 60, `${tries} tries in twenty minutes`)
  await cloud.stop()
})

test('records that cannot be made keep new objects from an edge, which keeps what it has, and gets them afterwards', async () => {
  const cloud = await withPump()
  const edge = cloud.connect('edge-1')
  await cloud.settle(2000)
  cloud.kubernetes.fail('POST objectsyncs', 403, 1e9)
  cloud.kubernetes.writes.length = 0
  await cloud.apply(pumpDevice('pump-2'))
  await pass(cloud, [edge], 3600)
  const tries = cloud.kubernetes.writes.filter((each) => each.startsWith('POST objectsyncs')).length
  assert.ok(tries >= 1 && tries < 200, `${tries} tries in an hour`)
  assert.deepEqual(
    edge.received.map(line).filter((each) => each.includes('pump-2')),
    [],
  )
  cloud.kubernetes.heal()
  await pass(cloud, [edge], 120)
  assert.deepEqual(
    edge.received.map(line).filter((each) => each.includes('pump-2')),
    ['insert default/device/pump-2'],
  )
  assert.deepEqual(deletions(edge), [])
  await cloud.stop()
})

test('while the API is away for an hour, an edge that comes anew is served from what is known', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle(2000)
  for (const verb of ['PATCH', 'POST', 'PUT', 'DELETE', 'GET', 'LIST', 'WATCH']) cloud.kubernetes.fail(verb, 503, 1e9)
  cloud.kubernetes.dropWatches()
  await pass(cloud, [edge], 1800)
  edge.disconnect()
  const anew = cloud.connect('edge-1', { epoch: 'db-2' })
  await pass(cloud, [anew], 1800)
  assert.equal(anew.closed, undefined)
  assert.deepEqual(
    anew.received
      .map(line)
      .filter((each) => each.startsWith('insert'))
      .sort(),
    ['insert default/device/pump-1', 'insert default/devicemodel/pump'],
  )
  cloud.kubernetes.heal()
  await cloud.kubernetes.patch(DEVICES, PUMP, { spec: pumpDevice('pump-1', '900').spec }, { type: 'merge' })
  await pass(cloud, [anew], 60)
  assert.ok(anew.received.map(line).includes('update default/device/pump-1'))
  assert.deepEqual(deletions(anew), [])
  await cloud.stop()
})

test('of two cloud halves one loses the API: its edges keep what they have, the other goes on, and who moved there stays there', async () => {
  const kubernetes = new FakeKubernetes()
  const clock = new FakeClock()
  const cable = new Cable(kubernetes)
  await kubernetes.create(DEVICE_MODELS, 'default', pumpModel())
  const a = await startCloud(cable, clock)
  const b = await startCloud(kubernetes, clock)
  await kubernetes.create(DEVICES, 'default', pumpDevice('pump-1', '100', 'edge-1'))
  await kubernetes.create(DEVICES, 'default', pumpDevice('pump-2', '100', 'edge-2'))
  const [one, two] = [a.connect('edge-1'), b.connect('edge-2')]
  await pass(a, [one, two], 20)
  cable.cut()
  for (const [name, node] of [
    ['pump-1', 'edge-1'],
    ['pump-2', 'edge-2'],
  ] as const) {
    const spec = pumpDevice(name, '900', node).spec
    await kubernetes.patch(DEVICES, { namespace: 'default', name }, { spec }, { type: 'merge' })
  }
  await pass(a, [one, two], 600)
  assert.deepEqual([one.closed, two.closed], [undefined, undefined])
  assert.equal(one.received.map(line).includes('update default/device/pump-1'), false)
  assert.equal(two.received.map(line).includes('update default/device/pump-2'), true)
  // The link to A is half-open, and the node dials B.
  const moved = b.connect('edge-1')
  await pass(a, [moved, two], 60)
  assert.ok(moved.received.map(line).some((each) => each.endsWith('default/device/pump-1')))
  const device = await kubernetes.get(DEVICES, PUMP)
  assert.ok(device)
  reportTwin(moved, device, { speed: { actual: { value: '9' } } })
  await pass(a, [moved, two], 60)
  assert.equal(await reported(kubernetes), '9')
  cable.mend()
  await pass(a, [moved, two], 120)
  assert.equal(a.hub.isConnected('edge-1'), false)
  assert.deepEqual([moved.closed, two.closed], [undefined, undefined])
  assert.equal(await reported(kubernetes), '9')
  assert.deepEqual([one, two, moved].flatMap(deletions), [])
  await Promise.all([a.stop(), b.stop()])
})

/** The way of one cloud half to an API that others use too. */
class Cable extends FakeKubernetes {
  readonly #api: FakeKubernetes
  #cut = new AbortController()

  constructor(api: FakeKubernetes) {
    super()
    this.#api = api
  }

  cut(): void {
    this.#cut.abort(away())
  }

  mend(): void {
    this.#cut = new AbortController()
  }

  override async get<T extends KubeObject>(type: ResourceType<T>, at: ObjectKey) {
    this.#cut.signal.throwIfAborted()
    return this.#api.get(type, at)
  }

  override async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions) {
    this.#cut.signal.throwIfAborted()
    return this.#api.list(type, options)
  }

  override async create<T extends KubeObject>(type: ResourceType<T>, namespace: string | undefined, object: object) {
    this.#cut.signal.throwIfAborted()
    return this.#api.create(type, namespace, object)
  }

  override async patch<T extends KubeObject>(
    type: ResourceType<T>,
    at: ObjectKey,
    body: object,
    options: PatchOptions,
  ) {
    this.#cut.signal.throwIfAborted()
    return this.#api.patch(type, at, body, options)
  }

  override async delete(type: ResourceType, at: ObjectKey, options?: DeleteOptions) {
    this.#cut.signal.throwIfAborted()
    return this.#api.delete(type, at, options)
  }

  override async *watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: ListOptions & { readonly resourceVersion: string },
    signal: AbortSignal,
  ) {
    const cut = this.#cut.signal
    cut.throwIfAborted()
    yield* this.#api.watch(type, options, AbortSignal.any([signal, cut]))
    cut.throwIfAborted()
  }

  override dropWatches(): void {
    this.#api.dropWatches()
  }
}

function away(): UnavailableError {
  return new UnavailableError('Kubernetes cannot be reached', { code: 'HUB_KUBERNETES_UNREACHABLE' })
}
