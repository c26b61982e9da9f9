import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callOf, isRule, isRuleEndpoint, type Rule, subscriptionOf } from './rule.ts'

const rule = (sourceResource: Record<string, string>): Rule => ({
  apiVersion: 'rules.kubeedge.io/v1',
  kind: 'Rule',
  metadata: { name: 'lights', namespace: 'shop' },
  spec: { source: 'bus', sourceResource, target: 'rest', targetResource: { resource: 'http://x' } },
})
const at = { node_name: 'edge-1', topic: 'lights' }

test('an eventbus source names a node and a topic of its namespace', () => {
  assert.deepEqual(subscriptionOf(rule(at), 'eventbus'), { node: 'edge-1', topic: 'shop/lights' })
  assert.equal(subscriptionOf(rule({ ...at, topic: '/lights/on' }), 'eventbus')?.topic, 'shop/lights/on')
})

test('other sources, and those without a node or a topic, ask nothing of a node', () => {
  assert.equal(subscriptionOf(rule(at), undefined), undefined)
  const rest = { ...rule(at), kind: 'RuleEndpoint', spec: { ruleEndpointType: 'rest' as const } }
  assert.equal(subscriptionOf(rule(at), rest), undefined)
  for (const wrong of [{ topic: 'lights' }, { node_name: 'edge-1' }, { ...at, topic: '/' }, { ...at, topic: 'a\0b' }]) {
    assert.equal(subscriptionOf(rule(wrong), 'eventbus'), undefined)
  }
})

test('a servicebus source names a node and the URL by which its applications call', () => {
  const source = { node_name: 'edge-1', target_url: 'http://shop.example/orders' }
  assert.deepEqual(callOf(rule(source), 'servicebus'), { node: 'edge-1', targetUrl: 'http://shop.example/orders' })
  assert.equal(callOf(rule(at), 'servicebus'), undefined)
  const rest = { ...rule(at), kind: 'RuleEndpoint', spec: { ruleEndpointType: 'rest' as const } }
  assert.equal(callOf(rule(source), rest), undefined)
})

test('what is no rule is told from one', () => {
  assert.ok(isRule(rule(at)))
  const object = { apiVersion: 'rules.kubeedge.io/v1', kind: 'Rule', metadata: { name: 'x' } }
  assert.ok(!isRule(object))
  assert.ok(!isRule({ ...object, ...{ spec: { ...rule(at).spec, sourceResource: { node_name: 1 } } } }))
  assert.ok(isRuleEndpoint({ ...object, ...{ spec: { ruleEndpointType: 'eventbus' } } }))
  assert.ok(!isRuleEndpoint({ ...object, ...{ spec: { ruleEndpointType: 'pigeon' } } }))
})
