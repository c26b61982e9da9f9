import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { seconds } from '../../../../platform/time/index.ts'
import type { Frame, HeldObject, JsonObject } from '../../../../schemas/index.ts'
import { ENDPOINT_SLICES, ENDPOINTS, OBJECT_SYNCS, PODS, SERVICES } from '../../kubernetes/resources.ts'
import { makePod, shopPod, startEdgeController } from '../../testing/edge-controller-bench.ts'
import type { ScriptedEdge } from '../../testing/harness.ts'
import { DEFAULT_SERVICE_LIMITS, type ServiceLimits } from './service-limits.ts'

const LIMITS: ServiceLimits = { ...DEFAULT_SERVICE_LIMITS, every: seconds(30) }
const DIGEST = { source: 'metamanager', group: 'resource', operation: 'query', resource: 'object/digest' }
const KEEPALIVE = { source: 'websocket', group: 'resource', operation: 'keepalive', resource: 'node' }
const KEEPS = { keepsServices: true }

async function setup(t: TestContext, limits: Partial<ServiceLimits> = {}) {
  const bench = await startEdgeController(undefined, { ...LIMITS, ...limits })
  t.after(() => bench.stop())
  const { connect, make, down, kubernetes } = bench
  const edges = new Set<ScriptedEdge>()
  return {
    ...bench,
    /** Time passes, in which nodes say that they are there. */
    async settle(milliseconds: number) {
      for (let passed = 0; passed < milliseconds; passed += 10_000) {
        for (const edge of edges) edge.say(KEEPALIVE, 'ping')
        await bench.settle(Math.min(10_000, milliseconds - passed))
      }
    },
    /** A node with MetaServer, which says that it has these. */
    join(node: string, held: readonly HeldObject[] = []) {
      const edge = connect(node, KEEPS)
      edges.add(edge)
      tell(edge, held)
      return edge
    },
    service: (name: string, more: JsonObject = {}) => make(SERVICES, 'shop', service(name, more)),
    change: (name: string, more: JsonObject) => kubernetes.patch(SERVICES, at(name), more, { type: 'merge' }),
    /** Everything but pods. */
    told: (edge: ScriptedEdge) => down(edge).filter((line) => !line.includes('/pod/')),
  }
}

function tell(edge: ScriptedEdge, held: readonly HeldObject[] = []): void {
  edge.say(DIGEST, { skerry: { objects: held.map((each) => ({ ...each })), isLast: true } })
}

const at = (name: string) => ({ namespace: 'shop', name })
const service = (name: string, more: JsonObject = {}): JsonObject => ({
  ...{ metadata: { name, namespace: 'shop' }, spec: { clusterIP: '10.0.0.1', ports: [{ port: 80 }] } },
  ...more,
})
const slice = (name: string, address = '10.1.0.1'): JsonObject => ({
  metadata: { name, namespace: 'shop' },
  addressType: 'IPv4',
  endpoints: [{ addresses: [address] }],
})
const last = ({ received }: ScriptedEdge, resource: string): Frame | undefined =>
  received.filter(({ route }) => route.resource === resource).at(-1)
const contentOf = (frame: Frame | undefined): { readonly spec: { readonly leftOut?: object; readonly tag?: string } } =>
  Object(frame?.content)

test('a node with MetaServer gets the services of the namespaces of its pods, and last that these are all', async (t) => {
  const { join, make, service: add, told, settle, kubernetes } = await setup(t)
  await make(PODS, 'shop', shopPod('till', 'edge-1'))
  await add('till')
  await make(ENDPOINT_SLICES, 'shop', slice('till-1'))
  await make(ENDPOINTS, 'shop', { metadata: { name: 'till', namespace: 'shop' }, subsets: [] })
  await make(SERVICES, 'home', { metadata: { name: 'lamp', namespace: 'home' } })
  const edge = join('edge-1')
  await settle(1000)
  assert.deepEqual(told(edge), [
    'insert shop/service/till',
    'insert shop/endpointslice/till-1',
    'insert shop/endpoints/till',
    'insert shop/namespaceservices/all',
  ])
  const { apiVersion, kind } = Object(last(edge, 'shop/endpointslice/till-1')?.content)
  assert.deepEqual([apiVersion, kind], ['discovery.k8s.io/v1', 'EndpointSlice'])
  const { items } = await kubernetes.list(OBJECT_SYNCS, {})
  assert.deepEqual(
    items.map(({ spec }) => spec?.objectKind),
    ['Pod'],
    'the API keeps no record of them',
  )
})

test('without a node that keeps them, and has a pod, nothing is watched', async (t) => {
  const { join, connect, make, service: add, told, settle, kubernetes } = await setup(t)
  await add('till')
  await settle(1000)
  const before = kubernetes.watching
  const idle = join('edge-2')
  await settle(1000)
  assert.equal(kubernetes.watching, before)
  await make(PODS, 'shop', shopPod('till', 'edge-1'))
  const without = connect('edge-1')
  const original = connect('edge-3', { skerry: false })
  await make(PODS, 'shop', shopPod('old', 'edge-3'))
  await settle(1000)
  // ConfigMaps, Secrets and service accounts.
  assert.equal(kubernetes.watching, before + 3)
  await make(PODS, 'shop', { ...shopPod('own', 'edge-2'), metadata: mirror('own') })
  await settle(1000)
  assert.equal(kubernetes.watching, before + 3, 'a pod that a node made itself brings it nothing')
  assert.deepEqual([told(idle), told(without), told(original)], [[], [], []])
  await make(PODS, 'shop', shopPod('other', 'edge-2'))
  await settle(1000)
  assert.equal(kubernetes.watching, before + 6)
  assert.deepEqual(told(idle), ['insert shop/service/till', 'insert shop/namespaceservices/all'])
})

const mirror = (name: string): JsonObject => ({
  ...{ name, namespace: 'shop' },
  annotations: { 'kubernetes.io/config.mirror': 'x' },
})

test('of an object that changes all the time a node gets the latest form, once in each interval', async (t) => {
  const { join, make, service: add, change, told, settle, metrics } = await setup(t)
  await make(PODS, 'shop', shopPod('till', 'edge-1'))
  await add('till')
  const edge = join('edge-1')
  await settle(60_000)
  edge.received.length = 0
  await change('till', { spec: { tag: 'first' } })
  await settle(2000)
  assert.equal(contentOf(last(edge, 'shop/service/till')).spec.tag, 'first', 'after a rest a change is told at once')
  edge.received.length = 0
  for (let second = 0; second < 300; second++) {
    await change('till', { spec: { tag: String(second) } })
    await settle(1000)
  }
  const updates = told(edge)
  assert.ok(updates.length >= 9 && updates.length <= 10, `${updates.length} in 300 s`)
  assert.ok(updates.every((line) => line === 'update shop/service/till'))
  await settle(30_000)
  assert.equal(contentOf(last(edge, 'shop/service/till')).spec.tag, '299')
  assert.match(await metrics.text(), /services_changes_total\{outcome="coalesced"\} 2\d\d/)
})

test('a node that comes back gets what differs from what it says that it has, and loses what is gone', async (t) => {
  const { join, make, service: add, change, told, settle, kubernetes } = await setup(t)
  await make(PODS, 'shop', shopPod('till', 'edge-1'))
  const made = [await add('same'), await add('newer'), await add('gone')]
  const edge = join('edge-1')
  await settle(1000)
  const marker = last(edge, 'shop/namespaceservices/all')
  edge.disconnect()
  await change('newer', { spec: { tag: '2' } })
  await kubernetes.delete(SERVICES, at('gone'))
  await add('new')
  await settle(60_000)
  const held = made.map(({ metadata: { name, uid = '', resourceVersion = '' } }) => ({
    resource: `shop/service/${name}`,
    ...{ uid, version: resourceVersion },
  }))
  const { metadata } = Object(marker?.content)
  held.push({ resource: 'shop/namespaceservices/all', uid: metadata.uid, version: metadata.resourceVersion })
  const again = join('edge-1', held)
  await settle(1000)
  assert.deepEqual(told(again).toSorted(), [
    'delete shop/service/gone',
    'insert shop/service/new',
    'update shop/service/newer',
  ])
})

test('with its last pod of the namespace everything goes, that it is all first; so does what an edge without MetaServer kept', async (t) => {
  const { join, connect, make, service: add, told, settle, kubernetes } = await setup(t)
  await make(PODS, 'shop', shopPod('till', 'edge-1'))
  const { uid = '', resourceVersion = '' } = (await add('till')).metadata
  const edge = join('edge-1')
  await settle(1000)
  edge.received.length = 0
  await kubernetes.delete(PODS, at('till'), { gracePeriodSeconds: 0 })
  await settle(1000)
  assert.deepEqual(told(edge), ['delete shop/namespaceservices/all', 'delete shop/service/till'])
  await make(PODS, 'shop', shopPod('till', 'edge-2'))
  const without = connect('edge-2')
  tell(without, [{ resource: 'shop/service/till', uid, version: resourceVersion }])
  await settle(1000)
  assert.deepEqual(told(without), ['delete shop/service/till'])
})

test('what is beyond the bounds of a node is left out, Endpoints first, and told, logged and counted', async (t) => {
  const {
    join,
    make,
    service: add,
    told,
    settle,
    metrics,
    kubernetes,
  } = await setup(t, { objects: 3, objectBytes: 500 })
  await make(PODS, 'shop', shopPod('till', 'edge-1'))
  for (const name of ['a', 'b']) {
    await add(name)
    await make(ENDPOINTS, 'shop', { metadata: { name, namespace: 'shop' }, subsets: [] })
  }
  await add('large', { spec: { tag: 'x'.repeat(600) } })
  const edge = join('edge-1')
  await settle(1000)
  const told3 = ['insert shop/service/a', 'insert shop/service/b', 'insert shop/endpoints/a']
  assert.deepEqual(told(edge), [...told3, 'insert shop/namespaceservices/all'])
  const leftOut = () => contentOf(last(edge, 'shop/namespaceservices/all')).spec.leftOut
  assert.deepEqual(leftOut(), { Service: 1, EndpointSlice: 0, Endpoints: 1 })
  const text = await metrics.text()
  assert.match(text, /services_left_out_total\{cause="beyond"\} 1/)
  assert.match(text, /services_left_out_total\{cause="too-large"\} 1/)
  assert.match(text, /services\{what="beyond"\} 1/)
  await kubernetes.delete(SERVICES, at('b'))
  await kubernetes.delete(SERVICES, at('large'))
  await settle(60_000)
  assert.deepEqual(leftOut(), { Service: 0, EndpointSlice: 0, Endpoints: 0 })
  assert.match(await metrics.text(), /services\{what="beyond"\} 0/)
})

test('before something is left out that a node has, it is told that it has not all', async (t) => {
  const { join, make, service: add, change, told, settle } = await setup(t)
  await make(PODS, 'shop', shopPod('till', 'edge-1'))
  await add('till')
  const edge = join('edge-1')
  await settle(60_000)
  edge.received.length = 0
  const marker = 'shop/namespaceservices/all'
  await change('till', { spec: { tag: 'x'.repeat(100_000) } })
  await settle(60_000)
  assert.deepEqual(told(edge), [`delete ${marker}`, 'delete shop/service/till', `insert ${marker}`])
  edge.received.length = 0
  await change('till', { spec: { tag: 'short' } })
  await settle(60_000)
  assert.deepEqual(told(edge), [`delete ${marker}`, 'insert shop/service/till', `insert ${marker}`])
})

test('a service that goes before the node has acknowledged it goes from the node, too', async (t) => {
  const { join, make, service: add, settle, told, kubernetes } = await setup(t)
  await make(PODS, 'shop', shopPod('till', 'edge-1'))
  await add('till')
  const edge = join('edge-1')
  edge.deaf.add('shop/service/till')
  await settle(2000)
  const sent = last(edge, 'shop/service/till')
  assert.ok(sent)
  await kubernetes.delete(SERVICES, at('till'))
  await settle(2000)
  edge.deaf.clear()
  edge.acknowledge(sent)
  await settle(60_000)
  assert.equal(
    told(edge).findLast((line) => line.endsWith('/till')),
    'delete shop/service/till',
  )
})

test('what a node says that it cannot take counts as left out', async (t) => {
  const { join, make, service: add, settle } = await setup(t)
  await make(PODS, 'shop', shopPod('till', 'edge-1'))
  await add('till')
  const edge = join('edge-1')
  edge.deaf.add('shop/service/till')
  await settle(1000)
  const frame = last(edge, 'shop/service/till')
  assert.ok(frame)
  edge.answer(frame, 'this node has no room', { ...frame.route, operation: 'error' })
  await settle(1000)
  assert.deepEqual(contentOf(last(edge, 'shop/namespaceservices/all')).spec.leftOut, {
    ...{ Service: 1, EndpointSlice: 0, Endpoints: 0 },
  })
})

test('a namespace that cannot be read now stays where it is', async (t) => {
  const { join, make, service: add, told, settle, kubernetes } = await setup(t)
  await make(PODS, 'shop', shopPod('till', 'edge-1'))
  const { uid = '', resourceVersion = '' } = (await add('till')).metadata
  kubernetes.fail('LIST endpointslices', 403, 5)
  const edge = join('edge-1', [{ resource: 'shop/service/till', uid, version: resourceVersion }])
  await settle(2000)
  assert.deepEqual(told(edge), [])
  await settle(60_000)
  assert.deepEqual(told(edge), ['insert shop/namespaceservices/all'])
})

test('writes that say nothing to a node are not told: elections by Endpoints, owners of fields', async (t) => {
  const { join, make, told, settle, kubernetes } = await setup(t)
  await make(PODS, 'shop', shopPod('till', 'edge-1'))
  await make(ENDPOINTS, 'shop', { metadata: { name: 'leader', namespace: 'shop' } })
  const edge = join('edge-1')
  await settle(60_000)
  edge.received.length = 0
  for (let second = 0; second < 60; second++) {
    const annotations = { 'control-plane.alpha.kubernetes.io/leader': `{"renewTime":"${second}"}` }
    await kubernetes.patch(ENDPOINTS, at('leader'), { metadata: { annotations } }, { type: 'merge' })
    await settle(1000)
  }
  assert.deepEqual(told(edge), [])
})

test('a pod that is made while its node is connected brings the services of its namespace', async (t) => {
  const bench = await setup(t)
  const { join, service: add, told, settle } = bench
  await add('till')
  const edge = join('edge-1')
  await settle(1000)
  assert.deepEqual(told(edge), [])
  await makePod(bench, shopPod('till', 'edge-1'))
  await settle(1000)
  assert.deepEqual(told(edge), ['insert shop/service/till', 'insert shop/namespaceservices/all'])
})
