import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../../../platform/log/index.ts'
import { ms } from '../../../../platform/time/index.ts'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import type { Rule } from '../../../../schemas/index.ts'
import { createInformer } from '../../kubernetes/informer.ts'
import { RULE_ENDPOINTS, RULES } from '../../kubernetes/resources.ts'
import { FakeKubernetes } from '../../testing/fake-kubernetes.ts'
import { countingRandom } from '../../testing/harness.ts'
import { ENDPOINTS, rule } from '../testing/rules.ts'
import { RuleTable } from './rule-table.ts'

async function start(rules: readonly Rule[], endpoints = ENDPOINTS) {
  const kubernetes = new FakeKubernetes()
  const clock = new FakeClock()
  const stopping = new AbortController()
  const ports = { kubernetes, clock, random: countingRandom(), log: silentLogger }
  const informers = {
    rules: createInformer(RULES, {}, ports),
    endpoints: createInformer(RULE_ENDPOINTS, {}, ports),
  }
  const settle = () => clock.advance(ms(5))
  for (const each of endpoints) await kubernetes.create(RULE_ENDPOINTS, 'shop', each)
  for (const each of rules) await kubernetes.create(RULES, 'shop', each)
  const work = Object.values(informers).map((informer) => informer.run(stopping.signal))
  const table = new RuleTable(informers)
  await settle()
  return {
    kubernetes,
    table,
    settle,
    found: (path: string) => table.find('shop', path.split('/'))?.live.key,
    async stop() {
      stopping.abort(new Error('stop'))
      kubernetes.dropWatches()
      await clock.advance(ms(0))
      await Promise.all(work)
    },
  }
}

const toTopic = (name: string, path: string) => rule('rest->eventbus', { path }, { topic: name }, { name })

test('the more specific path is preferred, whatever the order in which the rules came', async () => {
  const { table, found, stop } = await start([
    toTopic('any', '{kind}'),
    toTopic('lights', 'lights'),
    toTopic('one', 'lights/{id}'),
    toTopic('hall', 'lights/hall'),
  ])
  assert.equal(found('lights/hall/set'), 'shop/hall')
  assert.equal(found('lights/7'), 'shop/one')
  assert.equal(found('lights'), 'shop/lights')
  assert.equal(found('doors'), 'shop/any')
  assert.equal(found(''), undefined)
  assert.equal(table.find('other', ['lights']), undefined)
  assert.deepEqual(table.find('shop', ['lights', '7', 'set'])?.match, { parameters: { id: '7' }, taken: 2 })
  await stop()
})

test('rules and endpoints that come, change and go are followed at once', async () => {
  const { kubernetes, table, found, settle, stop } = await start([toTopic('lights', 'lights')])
  const before = table.live('shop/lights')
  await kubernetes.patch(
    RULES,
    { namespace: 'shop', name: 'lights' },
    { spec: { sourceResource: { path: 'lamps' } } },
    { type: 'merge' },
  )
  await settle()
  assert.deepEqual([found('lights'), found('lamps')], [undefined, 'shop/lights'])
  assert.equal(before?.rule.spec.sourceResource['path'], 'lights')
  await kubernetes.delete(RULE_ENDPOINTS, { namespace: 'shop', name: 'eventbus' })
  await settle()
  assert.equal(found('lamps'), undefined)
  assert.deepEqual(table.verdict('shop/lights'), {
    accepted: false,
    reason: 'EndpointMissing',
    message: 'there is no RuleEndpoint eventbus',
  })
  await kubernetes.delete(RULES, { namespace: 'shop', name: 'lights' })
  await settle()
  assert.equal(table.verdict('shop/lights'), undefined)
  await stop()
})

test('of two rules that hear the same, the older is followed, and the other says which it is', async () => {
  const first = rule('rest->eventbus', { path: 'a/{x}' }, { topic: 'a' }, { name: 'z' })
  const second = rule('rest->eventbus', { path: '/a/{y}/' }, { topic: 'b' }, { name: 'b', age: 9 })
  const { table, found, stop } = await start([second, first])
  assert.equal(found('a/1'), 'shop/z')
  assert.match(table.verdict('shop/b')?.message ?? '', /rule z, which is older, hears the same/)
  await stop()
})

test('whose place is free after all is told, and followed', async () => {
  const first = rule('rest->eventbus', { path: 'a' }, { topic: 'a' }, { name: 'first' })
  const second = rule('rest->eventbus', { path: 'a' }, { topic: 'b' }, { name: 'second', age: 9 })
  const { kubernetes, table, settle, stop } = await start([first, second])
  assert.equal(table.verdict('shop/second')?.reason, 'Duplicate')
  const told: string[] = []
  using _following = table.onChange((key) => told.push(key))
  told.length = 0
  await kubernetes.delete(RULES, { namespace: 'shop', name: 'first' })
  await settle()
  assert.equal(table.verdict('shop/second')?.reason, 'Accepted')
  assert.ok(told.includes('shop/second'))
  await stop()
})

test('a rule that would send messages round is not followed while the circle is there, also across namespaces', async () => {
  const there = rule(
    'eventbus->eventbus',
    { node_name: 'edge-1', topic: 'a' },
    { node_name: 'edge-2', topic: 'yard/a' },
  )
  const back = rule(
    'eventbus->eventbus',
    { node_name: 'edge-2', topic: 'a' },
    { node_name: 'edge-1', topic: 'shop/a' },
    { name: 'back', age: 9 },
  )
  const { kubernetes, table, settle, stop } = await start([there])
  for (const each of ENDPOINTS) await kubernetes.create(RULE_ENDPOINTS, 'yard', inYard(each))
  await kubernetes.create(RULES, 'yard', inYard(back))
  await settle()
  assert.deepEqual(table.verdict('yard/back'), {
    accepted: false,
    reason: 'Circle',
    message:
      'a message would go round for ever, by rules yard/back, shop/lights, yard/back: change a topic, or delete one of them',
  })
  assert.deepEqual([table.heard('edge-1', 'shop/a').length, table.heard('edge-2', 'yard/a').length], [1, 0])
  const followed = table.live('shop/lights')
  const told: string[] = []
  using _following = table.onChange((key) => told.push(key))
  told.length = 0
  await kubernetes.delete(RULES, { namespace: 'shop', name: 'lights' })
  await settle()
  assert.deepEqual([table.verdict('yard/back')?.accepted, table.heard('edge-2', 'yard/a').length], [true, 1])
  assert.ok(told.includes('yard/back'))
  assert.equal(followed?.key, 'shop/lights')
  await stop()
})

function inYard<T extends { readonly metadata: object }>(object: T): T {
  return { ...object, metadata: { ...object.metadata, namespace: 'yard' } }
}

test('what was published at a node is heard by the rules of that node alone', async () => {
  const hears = (name: string, node_name: string, topic: string) =>
    rule('eventbus->rest', { node_name, topic }, { resource: 'http://a' }, { name })
  const { table, stop } = await start([
    hears('a', 'edge-1', 'doors/+'),
    hears('b', 'edge-2', '#'),
    hears('c', 'edge-1', '/doors/1'),
  ])
  const heard = (node: string, topic: string) => table.heard(node, topic).map(({ key }) => key)
  assert.deepEqual(heard('edge-1', 'shop/doors/1').sort(), ['shop/a', 'shop/c'])
  assert.deepEqual(heard('edge-2', 'shop/doors/1'), ['shop/b'])
  assert.deepEqual(heard('edge-1', 'doors/1'), [])
  await stop()
})
