import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { isKubeObject } from '../../kubernetes/guards.ts'
import { NODES, PODS } from '../../kubernetes/resources.ts'
import { makePod, shopPod, startEdgeController } from '../../testing/edge-controller-bench.ts'

const at = { namespace: 'shop', name: 'till' }

async function setup(t: TestContext) {
  const bench = await startEdgeController()
  t.after(() => bench.stop())
  const edge = bench.connect('edge-1')
  await bench.settle()
  const { metadata } = await makePod(bench, shopPod('till', 'edge-1'))
  await bench.settle(1000)
  return { bench, edge, uid: metadata.uid ?? '' }
}

test('a status patch given as text reaches the pod, and nothing of the pod but its status', async (t) => {
  const { bench, edge, uid } = await setup(t)
  const patch = JSON.stringify({ metadata: { uid, labels: { a: 'b' } }, status: { phase: 'Running' }, spec: { x: 1 } })
  const answer = await bench.ask(edge, 'patch', 'shop/podpatch/till', patch)
  assert.match(JSON.stringify(answer?.content), /"phase":"Running".*"Err":null/)
  const pod = await bench.kubernetes.get(PODS, at)
  assert.deepEqual([pod?.status?.['phase'], pod?.metadata.labels, pod?.spec?.['x']], ['Running', undefined, undefined])
})

test('a node that patches the pod of another node is cut off', async (t) => {
  const { bench, uid } = await setup(t)
  const other = bench.connect('edge-2')
  await bench.settle(1000)
  const patch = { metadata: { uid }, status: { phase: 'Failed' } }
  const answer = await bench.ask(other, 'patch', 'shop/podpatch/till', patch)
  assert.equal(answer?.route.operation, 'error')
  assert.match(String(other.closed), /not on node edge-2/)
  assert.equal((await bench.kubernetes.get(PODS, at))?.status, undefined)
  assert.match(await bench.metrics.text(), /outcome="foreign"\} 1/)
})

test('one that names such a pod without its uid, as after a move, is refused and stays', async (t) => {
  const { bench } = await setup(t)
  const other = bench.connect('edge-2')
  for (const [operation, resource, content] of [
    ['patch', 'shop/podpatch/till', { status: {} }],
    ['query', 'shop/pod/till', null],
    ['delete', 'shop/pod/till', {}],
  ] as const) {
    const answer = await bench.ask(other, operation, resource, content)
    assert.match(JSON.stringify(answer?.content), /not on node edge-2/)
  }
  assert.equal(other.closed, undefined)
  assert.ok(await bench.kubernetes.get(PODS, at))
})

test('a report on a pod that is gone, or has a successor of its name, brings its deletion', async (t) => {
  const { bench, edge } = await setup(t)
  const patched = await bench.ask(edge, 'patch', 'shop/podpatch/till', { metadata: { uid: 'old-1' }, status: {} })
  assert.match(JSON.stringify(patched?.content), /"reason":"NotFound"/)
  const reported = await bench.ask(edge, 'update', 'shop/podstatus/ghost', [
    { UID: 'old-2', Name: 'ghost', Status: {} },
  ])
  assert.equal(reported?.content, 'OK')
  await bench.settle(1000)
  const deletions = edge.received.filter(({ route }) => route.operation === 'delete').map(({ content }) => content)
  assert.deepEqual(
    deletions.map((content) => (isKubeObject(content) ? `${content.metadata.name} ${content.metadata.uid}` : content)),
    ['till old-1', 'ghost old-2'],
  )
  assert.ok(await bench.kubernetes.get(PODS, at))
})

test('a finished pod is deleted in the API by its node, and then at the edge by the API', async (t) => {
  const { bench, edge, uid } = await setup(t)
  await bench.kubernetes.delete(PODS, at)
  await bench.settle(1000)
  const options = { gracePeriodSeconds: 0, preconditions: { uid } }
  assert.equal((await bench.ask(edge, 'delete', 'shop/pod/till', options))?.content, 'OK')
  assert.equal(await bench.kubernetes.get(PODS, at), undefined)
  await bench.settle(1000)
  assert.equal(bench.down(edge).at(-1), 'delete shop/pod/till')
  // An answer was lost, and it says so again.
  assert.equal((await bench.ask(edge, 'delete', 'shop/pod/till', options))?.content, 'OK')
})

test('the bare uid of older edges means the same, and a successor of the name stays', async (t) => {
  const { bench, edge, uid } = await setup(t)
  assert.equal((await bench.ask(edge, 'delete', 'shop/pod/till', 'another-uid'))?.content, 'OK')
  assert.ok(await bench.kubernetes.get(PODS, at))
  assert.equal((await bench.ask(edge, 'delete', 'shop/pod/till', uid))?.content, 'OK')
  assert.equal(await bench.kubernetes.get(PODS, at), undefined)
})

test('a pod that was asked to go goes when its status says that all has ended', async (t) => {
  const { bench, edge, uid } = await setup(t)
  await bench.kubernetes.delete(PODS, at)
  const report = (state: object) => [
    { UID: uid, Name: 'till', Status: { containerStatuses: [{ name: 'main', state }] } },
  ]
  const say = (state: object) =>
    bench.ask(edge, 'update', 'shop/podstatus/till', JSON.parse(JSON.stringify(report(state))))
  await say({ running: {} })
  assert.ok(await bench.kubernetes.get(PODS, at))
  await say({ terminated: { exitCode: 0 } })
  assert.equal(await bench.kubernetes.get(PODS, at), undefined)
})

test('mirror pods are of the node, owned by its Node, and use nothing of the API', async (t) => {
  const { bench, edge } = await setup(t)
  const node = await bench.make(NODES, undefined, { metadata: { name: 'edge-1' } })
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'edge-1', uid: node.metadata.uid ?? '' }
  const annotations = { 'kubernetes.io/config.mirror': 'x' }
  const mirror = (name: string, metadata: object, spec: object) =>
    JSON.parse(
      JSON.stringify({
        metadata: { name, namespace: 'shop', annotations, ownerReferences: [owner], ...metadata },
        spec: { nodeName: 'edge-1', containers: [], ...spec },
      }),
    )
  const insert = async (name: string, metadata: object = {}, spec: object = {}) =>
    JSON.stringify((await bench.ask(edge, 'insert', `shop/pod/${name}`, mirror(name, metadata, spec)))?.content)
  assert.match(await insert('static'), /"Err":null/)
  assert.match(await insert('plain', { annotations: {} }), /mirror pods of its own/)
  assert.match(await insert('orphan', { ownerReferences: [] }), /its Node as its owner/)
  const secret = { volumes: [{ name: 'a', secret: { secretName: 's' } }] }
  assert.match(await insert('greedy', {}, secret), /may not use secrets/)
  // The older name of the same field.
  assert.match(await insert('sly', {}, { serviceAccount: 'admin' }), /service accounts/)
  await bench.ask(edge, 'insert', 'shop/pod/far', mirror('far', {}, { nodeName: 'edge-2' }))
  assert.match(String(edge.closed), /pod on node edge-2/)
})
