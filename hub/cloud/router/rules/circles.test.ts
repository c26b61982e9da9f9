import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchesTopic, subscriptionOf } from '../../../../schemas/index.ts'
import { endpoint, rule } from '../testing/rules.ts'
import { circles, circleText } from './circles.ts'
import type { LiveRule } from './live-rule.ts'
import { settingsOf } from './rule-settings.ts'

const eventbus = endpoint('eventbus', 'eventbus')

/** `edge-1 a/+ -> edge-2 shop/b`; without a node behind the arrow it is the same one. */
function live(text: string, name = text): LiveRule {
  const [, from = '', heard = '', to, said = ''] = /^(\S+) (\S+) -> (?:(\S+) )?(\S+)$/.exec(text) ?? []
  const target = { topic: said, ...(to === undefined ? {} : { node_name: to }) }
  const made = rule('eventbus->eventbus', { node_name: from, topic: heard }, target, { name })
  const subscription = subscriptionOf(made, eventbus)
  assert.ok(subscription, text)
  return { key: name, rule: made, source: eventbus, target: eventbus, settings: settingsOf(made), subscription }
}

const closing = (...texts: readonly string[]) => [...circles(texts.map((text) => live(text)))]

test('two rules that send to each other are a circle, which the younger closes', () => {
  const there = 'edge-1 a -> edge-2 shop/a'
  const back = 'edge-2 a -> edge-1 shop/a'
  assert.deepEqual(closing(there, back), [[back, [back, there]]])
  assert.deepEqual(closing(back, there), [[there, [there, back]]])
})

test('a way back over several nodes and topics is found, the shortest one', () => {
  const ring = ['edge-1 a/+ -> edge-2 shop/b', 'edge-2 b -> edge-3 shop/c', 'edge-3 # -> edge-1 shop/a/1']
  const [first, second, third] = ring
  assert.deepEqual(closing(...ring), [[third, [third, first, second]]])
  const shorter = 'edge-2 b -> edge-1 shop/a/2'
  assert.deepEqual(closing(...ring.slice(0, 2), shorter), [[shorter, [shorter, first]]])
})

test('without the rule that closes a circle the others go on, and close none', () => {
  const closes = 'edge-2 a -> edge-1 shop/a'
  const after = 'edge-2 a -> edge-3 shop/a'
  assert.deepEqual(
    closing('edge-1 a -> edge-2 shop/a', closes, after).map(([key]) => key),
    [closes],
  )
})

test('rules that only look alike are no circle: chains, fans, other topics, other nodes, other namespaces', () => {
  for (const good of [
    ['edge-1 a -> edge-2 shop/a', 'edge-2 a -> edge-3 shop/a', 'edge-1 b -> edge-2 shop/a'],
    ['edge-1 a -> edge-2 shop/a', 'edge-2 b -> edge-1 shop/a'],
    ['edge-1 a -> edge-2 shop/a', 'edge-2 a -> edge-1 shop/b'],
    ['edge-1 a -> edge-2 yard/a', 'edge-2 a -> edge-1 shop/a'],
    ['edge-1 a -> shop/b', 'edge-1 b -> shop/c', 'edge-1 + -> edge-2 shop/a'],
  ])
    assert.deepEqual(closing(...good), [], good.join())
})

test('a long circle is named by its first rules', () => {
  assert.equal(circleText(['a', 'b']), 'a, b, a')
  const many = Array.from({ length: 10 }, (_, index) => `r${index}`)
  assert.equal(circleText(many), 'r0, r1, r2, r3, r4, r5, r6, r7, 2 more, r0')
})

test('whatever rules there are, a message ends by those that are left, and each that is left out would have kept one going', () => {
  const node = fc.constantFrom('n1', 'n2', 'n3')
  const heard = fc.constantFrom('a', 'b', '+', 'c/+', 'c/#')
  const said = fc.constantFrom('shop/a', 'shop/b', 'shop/c/1', 'shop/c')
  const text = fc.tuple(node, heard, node, said).map(([from, topic, to, out]) => `${from} ${topic} -> ${to} ${out}`)
  fc.assert(
    fc.property(fc.uniqueArray(text, { maxLength: 12 }), (texts) => {
      const rules = texts.map((each) => live(each))
      const left = new Set<LiveRule>()
      const out = circles(rules)
      for (const each of rules) {
        const isOut = out.has(each.key)
        assert.equal(goesRound([...left, each]), isOut)
        if (!isOut) left.add(each)
      }
    }),
  )
})

/** By sending a message to each rule: one that is passed on more often than there are rules goes round. */
function goesRound(rules: readonly LiveRule[]): boolean {
  let at: readonly LiveRule[] = rules
  for (let hops = 0; hops <= rules.length && at.length > 0; hops++) at = rules.filter((next) => at.some(passesTo(next)))
  return at.length > 0
}

function passesTo({ subscription }: LiveRule): (rule: LiveRule) => boolean {
  return ({ rule: { spec } }) =>
    spec.targetResource['node_name'] === subscription?.node &&
    matchesTopic(subscription?.topic ?? '', spec.targetResource['topic'] ?? '')
}
