import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NODES } from '../../kubernetes/resources.ts'
import { startEdgeController } from '../../testing/edge-controller-bench.ts'

test('a node gets its own Node as an update, again when its labels change, and not when its status does', async (t) => {
  const bench = await startEdgeController()
  t.after(() => bench.stop())
  const { connect, settle, down, kubernetes } = bench
  const role = { 'node-role.kubernetes.io/edge': '' }
  for (const name of ['edge-1', 'edge-2']) await bench.make(NODES, undefined, { metadata: { name, labels: role } })
  const edge = connect('edge-1', { skerry: false })
  await settle(1000)
  assert.deepEqual(down(edge), ['update null/node/edge-1'])
  const frame = edge.received[0]
  assert.deepEqual([frame?.route.source, frame?.route.group], ['edgecontroller', 'resource'])
  const status = { type: 'merge', subresource: 'status' } as const
  await kubernetes.patch(NODES, { name: 'edge-1' }, { status: { phase: 'x' } }, status)
  await settle(1000)
  assert.equal(down(edge).length, 1)
  // The label is KubeEdge's mark of its nodes; here a certificate is, and the node stays one.
  await kubernetes.patch(NODES, { name: 'edge-1' }, { metadata: { labels: null } }, { type: 'merge' })
  await settle(1000)
  assert.deepEqual(down(edge), ['update null/node/edge-1', 'update null/node/edge-1'])
  assert.equal(edge.closed, undefined)
})
