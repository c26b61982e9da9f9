import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Frame, Json } from '../../../../schemas/index.ts'
import { patchToPlace } from '../../cloudstream/kubelet-endpoint.ts'
import { NODES } from '../../kubernetes/resources.ts'
import { startEdgeController } from '../../testing/edge-controller-bench.ts'

async function setup(t: TestContext) {
  const bench = await startEdgeController()
  t.after(() => bench.stop())
  const edge = bench.connect('edge-1')
  const ask = (operation: string, resource: string, content: Json = null): Promise<Frame | undefined> =>
    bench.ask(edge, operation, resource, content)
  return { ...bench, edge, ask }
}

const node = { kind: 'Node', apiVersion: 'v1', metadata: { name: 'edge-1', labels: { a: 'b' } }, spec: {} }

test('a node registers itself, and a second time is told AlreadyExists', async (t) => {
  const { kubernetes, ask } = await setup(t)
  const first = await ask('insert', 'null/node/edge-1', node)
  assert.deepEqual(
    [first?.route.operation, first?.route.group, first?.route.source],
    ['response', 'resource', 'edgecontroller'],
  )
  assert.match(JSON.stringify(first?.content), /"Err":null/)
  assert.equal((await kubernetes.get(NODES, { name: 'edge-1' }))?.metadata.labels?.['a'], 'b')
  const second = await ask('insert', 'null/node/edge-1', node)
  assert.match(JSON.stringify(second?.content), /"Object":null,"Err":\{"ErrStatus":\{.*"reason":"AlreadyExists"/)
})

test('labels of administrators, and those that draw what is of the control plane to a node, are not for nodes to set', async (t) => {
  const { kubernetes, ask } = await setup(t)
  const labels = {
    mine: 'yes',
    'node-restriction.kubernetes.io/zone': 'a',
    'node-role.kubernetes.io/control-plane': '',
    'node-role.kubernetes.io/master': '',
  }
  await ask('insert', 'null/node/edge-1', { ...node, metadata: { name: 'edge-1', labels } })
  assert.deepEqual((await kubernetes.get(NODES, { name: 'edge-1' }))?.metadata.labels, { mine: 'yes' })
})

test('of the metadata of its Node a node gives name, labels and annotations, without the marks of the cloud', async (t) => {
  const { kubernetes, ask } = await setup(t)
  const annotations = { mine: 'yes', 'skerry.dev/resync': 'always' }
  const metadata = {
    name: 'edge-1',
    annotations,
    uid: 'chosen',
    finalizers: ['a.example/stay'],
    ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'y' }],
  }
  await ask('insert', 'null/node/edge-1', { ...node, metadata })
  const made = await kubernetes.get(NODES, { name: 'edge-1' })
  assert.deepEqual(made?.metadata.annotations, { mine: 'yes' })
  assert.notEqual(made?.metadata.uid, 'chosen')
  assert.deepEqual(
    [made?.metadata.ownerReferences, Reflect.get(made?.metadata ?? {}, 'finalizers')],
    [undefined, undefined],
  )
  await ask('update', 'null/node/edge-1', { ...node, metadata })
  assert.deepEqual((await kubernetes.get(NODES, { name: 'edge-1' }))?.metadata.annotations, { mine: 'yes' })
})

test('a status patch given as text is applied, and answers with the new version', async (t) => {
  const { kubernetes, ask } = await setup(t)
  await ask('insert', 'null/node/edge-1', node)
  const patch = JSON.stringify({ status: { phase: 'Running' }, spec: { unschedulable: true } })
  const answer = await ask('patch', 'null/nodepatch/edge-1', patch)
  assert.match(JSON.stringify(answer?.content), /"resourceVersion":"\d+".*"Err":null/)
  const stored = await kubernetes.get(NODES, { name: 'edge-1' })
  assert.deepEqual([stored?.status, stored?.spec], [{ phase: 'Running' }, {}])
})

test('a missing lease is NotFound, then inserted, then renewed', async (t) => {
  const { ask } = await setup(t)
  const at = 'kube-node-lease/lease/edge-1'
  assert.match(JSON.stringify((await ask('query', at))?.content), /"Object":null,.*"reason":"NotFound"/)
  const lease = { metadata: { name: 'edge-1', namespace: 'kube-node-lease' }, spec: { renewTime: '1' } }
  assert.match(JSON.stringify((await ask('insert', at, lease))?.content), /"Err":null/)
  const renewed = await ask('update', at, { ...lease, spec: { renewTime: '2' } })
  assert.match(JSON.stringify(renewed?.content), /"renewTime":"2"/)
  const stale = { ...lease, metadata: { ...lease.metadata, resourceVersion: '1' } }
  assert.match(JSON.stringify((await ask('update', at, stale))?.content), /"reason":"Conflict"/)
})

test('a node that speaks for another is answered with an error, and its connection is closed', async (t) => {
  const cases: readonly (readonly [string, string, Json])[] = [
    ['insert', 'null/node/edge-2', { ...node, metadata: { name: 'edge-2' } }],
    ['insert', 'null/node/edge-1', { ...node, metadata: { name: 'edge-2' } }],
    ['patch', 'null/nodepatch/edge-2', { status: {} }],
    ['query', 'null/node/edge-2', null],
    ['update', 'kube-node-lease/lease/edge-2', { metadata: { name: 'edge-2' } }],
    ['insert', 'kube-node-lease/lease/edge-1', { metadata: { name: 'edge-2' } }],
  ]
  const bench = await startEdgeController()
  t.after(() => bench.stop())
  const { writes } = bench.kubernetes
  for (const [operation, resource, content] of cases) {
    const edge = bench.connect('edge-1')
    const answer = await bench.ask(edge, operation, resource, content)
    assert.equal(answer?.route.operation, 'error', resource)
    assert.match(String(answer?.content), /may only speak of itself/)
    assert.notEqual(edge.closed, undefined, `${operation} ${resource}`)
  }
  // Who holds the session is written down, too.
  assert.deepEqual(
    writes.filter((call) => !call.includes(' kubeedge/')),
    [],
  )
  assert.match(await bench.metrics.text(), /requests_total\{outcome="foreign"\} 6/)
})

test('what is not served, and what is malformed, gets an error on which the edge waits, and harms nobody', async (t) => {
  const { ask, edge } = await setup(t)
  const wrong: readonly (readonly [string, string, Json])[] = [
    ['query', 'shop/pizza/margherita', null],
    ['dance', 'null/node/edge-1', null],
    ['query', 'nonsense', null],
    ['update', 'null/node/edge-1', 'not JSON'],
    ['query', 'shop/lease/edge-1', null],
  ]
  for (const [operation, resource, content] of wrong) {
    const { route } = (await ask(operation, resource, content)) ?? {}
    // Without this group an original edge does not find who waits.
    const isError = route?.operation === 'error' || route?.resource === 'shop/lease/edge-1'
    assert.deepEqual([isError, route?.group, route?.source], [true, 'resource', 'edgecontroller'], resource)
  }
  assert.equal(edge.closed, undefined)
})

test('a bare query that fails is answered with op error, never with an object', async (t) => {
  const { ask } = await setup(t)
  const answer = await ask('query', 'null/node/edge-1')
  assert.deepEqual([answer?.route.operation, answer?.content], ['error', 'nodes "edge-1" not found'])
})

test('where its kubelet is reached the cloud says: a report leaves that, and the node hears of its own addresses', async (t) => {
  const { kubernetes, ask, settle } = await setup(t)
  const own = [{ type: 'InternalIP', address: '192.0.2.7' }]
  await ask('insert', 'null/node/edge-1', node)
  await ask('patch', 'null/nodepatch/edge-1', { status: { addresses: own } })
  const before = await kubernetes.get(NODES, { name: 'edge-1' })
  assert.ok(before)
  const patch = patchToPlace(before, { address: '10.1.1.1', port: 4711, replica: 'a' })
  await kubernetes.patch(NODES, { name: 'edge-1' }, patch ?? {}, { type: 'merge', subresource: 'status' })
  await settle()
  const daemonEndpoints = { kubeletEndpoint: { Port: 10_350 } }
  const answer = await ask('patch', 'null/nodepatch/edge-1', { status: { phase: 'x', daemonEndpoints } })
  const after = await kubernetes.get(NODES, { name: 'edge-1' })
  assert.deepEqual(after?.status?.['daemonEndpoints'], { kubeletEndpoint: { Port: 4711 } })
  assert.equal(after?.status?.['phase'], 'x')
  assert.match(JSON.stringify(answer?.content), /192\.0\.2\.7.*"Port":10350/)
  const asked = await ask('query', 'null/node/edge-1')
  assert.match(JSON.stringify(asked?.content), /192\.0\.2\.7/)
  assert.doesNotMatch(JSON.stringify(Object(asked?.content).status), /10\.1\.1\.1/)
})
