import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import type { Frame, Json } from '../../../schemas/index.ts'
import { NODES } from '../kubernetes/resources.ts'
import { countingRandom, startCloud } from '../testing/harness.ts'
import { createEdgeControllerModule } from './controller.ts'

async function setup() {
  const cloud = await startCloud()
  const { kubernetes, clock, hub } = cloud
  const scope = createScope('edgecontroller', {
    clock,
    log: silentLogger,
    deadline: seconds(1),
    onCrash: (error) => assert.fail(String(error)),
  })
  const module = createEdgeControllerModule({ kubernetes, hub, clock, random: countingRandom(), log: silentLogger })
  await module.start(scope)
  const edge = cloud.connect('edge-1')
  const ask = async (operation: string, resource: string, content: Json = null): Promise<Frame | undefined> => {
    const frame = edge.say({ source: 'edged', group: 'meta', operation, resource }, content)
    await cloud.settle()
    return edge.received.find((answer) => answer.header.parent_msg_id === frame.header.msg_id)
  }
  return { cloud, ask, stop: () => cloud.stop() }
}

const node = { kind: 'Node', apiVersion: 'v1', metadata: { name: 'edge-1', labels: { a: 'b' } }, spec: {} }

test('a node registers itself, and a second time is told AlreadyExists', async () => {
  const { cloud, ask, stop } = await setup()
  const first = await ask('insert', 'null/node/edge-1', node)
  assert.deepEqual(
    [first?.route.operation, first?.route.group, first?.route.source],
    ['response', 'resource', 'edgecontroller'],
  )
  const content: unknown = first?.content
  assert.equal(Reflect.get(Object(content), 'Err'), null)
  assert.equal((await cloud.kubernetes.get(NODES, { name: 'edge-1' }))?.metadata.labels?.['a'], 'b')
  const second = await ask('insert', 'null/node/edge-1', node)
  assert.match(JSON.stringify(second?.content), /"Object":null,"Err":\{"ErrStatus":\{.*"reason":"AlreadyExists"/)
  await stop()
})

test('a status patch given as text is applied, and answers with the new version', async () => {
  const { cloud, ask, stop } = await setup()
  await ask('insert', 'null/node/edge-1', node)
  const patch = JSON.stringify({ status: { phase: 'Running' }, spec: { unschedulable: true } })
  const answer = await ask('patch', 'null/nodepatch/edge-1', patch)
  assert.match(JSON.stringify(answer?.content), /"resourceVersion":"\d+".*"Err":null/)
  const stored = await cloud.kubernetes.get(NODES, { name: 'edge-1' })
  assert.deepEqual([stored?.status, stored?.spec], [{ phase: 'Running' }, {}])
  await stop()
})

test('a missing lease is NotFound, then inserted, then renewed', async () => {
  const { ask, stop } = await setup()
  const at = 'kube-node-lease/lease/edge-1'
  assert.match(JSON.stringify((await ask('query', at))?.content), /"reason":"NotFound"/)
  const lease = { metadata: { name: 'edge-1', namespace: 'kube-node-lease' }, spec: { renewTime: '1' } }
  assert.match(JSON.stringify((await ask('insert', at, lease))?.content), /"Err":null/)
  assert.match(
    JSON.stringify((await ask('update', at, { ...lease, spec: { renewTime: '2' } }))?.content),
    /"renewTime":"2"/,
  )
  await stop()
})

test('a node that speaks for another is refused, and what is not served gets an error', async () => {
  const { cloud, ask, stop } = await setup()
  const foreign = await ask('insert', 'null/node/edge-2', { ...node, metadata: { name: 'edge-2' } })
  assert.deepEqual([foreign?.route.operation, foreign?.content], ['error', 'a node may only speak of itself'])
  const hidden = await ask('insert', 'null/node/edge-1', { ...node, metadata: { name: 'edge-2' } })
  assert.equal(hidden?.route.operation, 'error')
  assert.deepEqual((await cloud.kubernetes.list(NODES, {})).items, [])
  assert.equal((await ask('query', 'shop/secret/password'))?.route.operation, 'error')
  assert.equal(await ask('insert', 'default/event/e1', {}), undefined)
  await stop()
})

test('a bare query that fails is answered with op error, never with an object', async () => {
  const { ask, stop } = await setup()
  const answer = await ask('query', 'null/node/edge-1')
  assert.deepEqual([answer?.route.operation, typeof answer?.content], ['error', 'string'])
  await stop()
})
