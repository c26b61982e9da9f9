import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { RULE_ENDPOINTS, RULES } from '../../kubernetes/resources.ts'
import { startEdgeController } from '../../testing/edge-controller-bench.ts'

async function setup(t: TestContext) {
  const bench = await startEdgeController()
  t.after(() => bench.stop())
  const endpoint = async (name: string, ruleEndpointType: string) => {
    const spec = { ruleEndpointType, properties: {} }
    await bench.kubernetes.create(RULE_ENDPOINTS, 'shop', { metadata: { name, namespace: 'shop' }, spec })
  }
  const rule = async (name: string, source: string, node: string, topic: string) => {
    const spec = {
      source,
      sourceResource: { node_name: node, topic },
      target: 'rest',
      targetResource: { resource: 'http://127.0.0.1/' },
    }
    await bench.kubernetes.create(RULES, 'shop', { metadata: { name, namespace: 'shop' }, spec })
  }
  await endpoint('bus', 'eventbus')
  await endpoint('rest', 'rest')
  await rule('lights', 'bus', 'edge-1', 'lights')
  await rule('far', 'bus', 'edge-2', 'far')
  await rule('calls', 'rest', 'edge-1', 'calls')
  return { ...bench, endpoint, rule }
}

test('a Skerry edge gets the rules whose eventbus names it, their changes and their deletions, also after an outage', async (t) => {
  const { connect, settle, down, kubernetes } = await setup(t)
  const edge = connect('edge-1')
  await settle(1000)
  assert.deepEqual(down(edge), ['insert shop/rule/lights'])
  assert.equal(edge.received.at(-1)?.route.source, 'edgecontroller')
  const at = { namespace: 'shop', name: 'lights' }
  await kubernetes.patch(RULES, at, { spec: { sourceResource: { topic: 'lamps' } } }, { type: 'merge' })
  await settle(1000)
  assert.deepEqual(down(edge).slice(1), ['update shop/rule/lights'])
  edge.disconnect()
  await kubernetes.delete(RULES, at)
  await settle(1000)
  const again = connect('edge-1')
  await settle(1000)
  assert.deepEqual(down(again), ['delete shop/rule/lights'])
})

test('a rule that begins at the ServiceBus of a node goes to a Skerry edge, and an original one is told its target URL', async (t) => {
  const { connect, settle, down, kubernetes, endpoint } = await setup(t)
  await endpoint('here', 'servicebus')
  const spec = {
    source: 'here',
    sourceResource: { node_name: 'edge-1', target_url: 'http://shop.example/orders' },
    target: 'rest',
    targetResource: { resource: 'http://127.0.0.1/' },
  }
  await kubernetes.create(RULES, 'shop', { metadata: { name: 'orders', namespace: 'shop' }, spec })
  const edge = connect('edge-1')
  await settle(1000)
  assert.deepEqual([...down(edge)].sort(), ['insert shop/rule/lights', 'insert shop/rule/orders'])
  edge.disconnect()
  const original = connect('edge-1', { skerry: false })
  await settle(1000)
  const told = () => down(original).filter((each) => /^(start|stop|subscribe) /.test(each))
  assert.deepEqual([...told()].sort(), ['start http://shop.example/orders', 'subscribe shop/lights'])
  const { route } = original.received.find((frame) => frame.route.operation === 'start') ?? {}
  assert.deepEqual([route?.source, route?.group], ['router_servicebus', 'user'])
  await kubernetes.delete(RULES, { namespace: 'shop', name: 'orders' })
  await settle(1000)
  assert.deepEqual(told().slice(2), ['stop http://shop.example/orders'])
})

test('an original edge is told its topics at each connect, and which of them are no more', async (t) => {
  const { connect, settle, down, kubernetes, rule } = await setup(t)
  const edge = connect('edge-1', { skerry: false })
  await settle(1000)
  assert.deepEqual(down(edge), ['subscribe shop/lights'])
  const { route, content } = edge.received[0] ?? {}
  assert.deepEqual([route?.source, route?.group, content], ['router_eventbus', 'user', null])
  await rule('doors', 'bus', 'edge-1', 'doors')
  await settle(1000)
  assert.deepEqual(down(edge).slice(1), ['subscribe shop/doors'])
  edge.disconnect()
  await kubernetes.delete(RULES, { namespace: 'shop', name: 'lights' })
  await settle(1000)
  const again = connect('edge-1', { skerry: false })
  await settle(1000)
  assert.deepEqual(down(again), ['unsubscribe shop/lights', 'subscribe shop/doors'])
})

test('a word that a dying link swallowed is said again: a topic that is no more is unsubscribed at the next connect, too', async (t) => {
  const { connect, settle, down, kubernetes, rule } = await setup(t)
  const edge = connect('edge-1', { skerry: false })
  await settle(1000)
  // Nobody tells the cloud that nothing gets through any more.
  await kubernetes.delete(RULES, { namespace: 'shop', name: 'lights' })
  await settle(1000)
  edge.disconnect()
  const second = connect('edge-1', { skerry: false })
  await settle(1000)
  assert.deepEqual(down(second), ['unsubscribe shop/lights'])
  second.disconnect()
  await rule('lights', 'bus', 'edge-1', 'lights')
  await settle(1000)
  const third = connect('edge-1', { skerry: false })
  await settle(1000)
  assert.deepEqual(down(third), ['subscribe shop/lights'])
})

test('a rule waits for its endpoint, and goes with it', async (t) => {
  const { connect, settle, down, kubernetes, endpoint, rule } = await setup(t)
  await rule('early', 'late-bus', 'edge-1', 'early')
  const edge = connect('edge-1')
  await settle(1000)
  assert.deepEqual(down(edge), ['insert shop/rule/lights'])
  await endpoint('late-bus', 'eventbus')
  await settle(1000)
  assert.deepEqual(down(edge).slice(1), ['insert shop/rule/early'])
  await kubernetes.delete(RULE_ENDPOINTS, { namespace: 'shop', name: 'late-bus' })
  await settle(1000)
  assert.deepEqual(down(edge).slice(2), ['delete shop/rule/early'])
})
