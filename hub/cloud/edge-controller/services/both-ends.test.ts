import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { nodeConditions } from '../../../../schemas/index.ts'
import { PODS, SERVICES } from '../../kubernetes/resources.ts'
import { BothHalves } from '../../testing/both-halves.ts'
import { shopPod } from '../../testing/edge-controller-bench.ts'

async function setup(t: TestContext) {
  const halves = new BothHalves()
  t.after(() => halves.stop())
  const { kubernetes } = halves
  const make = (name: string, tag = '1') =>
    kubernetes.create(SERVICES, 'shop', { metadata: { name, namespace: 'shop' }, spec: { tag } })
  await kubernetes.create(PODS, 'shop', shopPod('till', 'edge-1'))
  await make('till')
  await halves.startEdge({ keepsServices: true })
  await halves.startCloud()
  await halves.pass(60_000)
  const services = () => halves.edge.meta.keys().filter((key) => /\/(service|namespaceservices)\//.test(key))
  const told = () => halves.down.splice(0).filter((line) => /service/.test(line))
  const change = (name: string, tag: string) =>
    kubernetes.patch(SERVICES, { namespace: 'shop', name }, { spec: { tag } }, { type: 'merge' })
  return { halves, make, change, services, told, at: (name: string) => ({ namespace: 'shop', name }) }
}

test('an edge keeps services, and after an outage gets what it missed and nothing again', async (t) => {
  const { halves, make, change, services, told, at } = await setup(t)
  assert.deepEqual(services().toSorted(), ['shop/namespaceservices/all', 'shop/service/till'])
  told()
  await halves.stopCloud()
  await make('new')
  await make('passing')
  await halves.kubernetes.delete(SERVICES, at('passing'))
  await halves.pass(60_000)
  await halves.startCloud()
  await halves.pass(60_000)
  assert.deepEqual(told(), ['insert shop/service/new'])
  await change('till', '2')
  await halves.pass(30_000)
  assert.deepEqual(told(), ['update shop/service/till'])
  await halves.kubernetes.delete(SERVICES, at('new'))
  await halves.pass(30_000)
  assert.deepEqual(services().toSorted(), ['shop/namespaceservices/all', 'shop/service/till'])
})

test('an edge that starts anew has them from its disk, without a word of the cloud', async (t) => {
  const { halves, services, told } = await setup(t)
  const { edge } = halves
  told()
  await edge.stop()
  await halves.startEdge({ keepsServices: true, after: edge })
  assert.equal(services().length, 2)
  await halves.pass(60_000)
  assert.deepEqual(told(), [])
  await halves.edge.stop()
  await halves.startEdge({ after: halves.edge })
  await halves.pass(60_000)
  assert.deepEqual(services(), [], 'MetaServer is off now')
})

test('where the cloud left something out, the Node says what, as long as it is so', async (t) => {
  const { halves, change } = await setup(t)
  await change('till', 'x'.repeat(100_000))
  await halves.pass(60_000)
  const condition = halves.edge.bus.get(nodeConditions, 'ServicesLeftOut')
  assert.match(condition?.message ?? '', /^This node has not 1 Service of namespace shop: /)
  await change('till', 'short')
  await halves.pass(60_000)
  assert.equal(halves.edge.bus.get(nodeConditions, 'ServicesLeftOut'), undefined)
})
