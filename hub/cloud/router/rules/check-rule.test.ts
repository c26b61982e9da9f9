import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Rule } from '../../../../schemas/index.ts'
import { ENDPOINTS, endpoint, rule } from '../testing/rules.ts'
import { endpointErrors, ruleErrors } from './check-rule.ts'

function errorsOf(given: Rule, endpoints = ENDPOINTS): readonly string[] {
  const named = (name: string) => endpoints.find(({ metadata }) => metadata.name === name)
  const ends = { source: named(given.spec.source), target: named(given.spec.target) }
  return ruleErrors(given, ends).map(({ field, message }) => `${field}: ${message}`)
}

const heard = { node_name: 'edge-1', topic: 'doors/+' }

test('each of the five pairs is good, and nothing is said of an endpoint that is not there', () => {
  for (const good of [
    rule('rest->eventbus', { path: '/lights' }, { topic: 'lights/cmd' }),
    rule('rest->eventbus', { path: 'lights/{id}/set' }, { topic: 'lights/{id}' }),
    rule('rest->servicebus', { path: 'a' }, { path: '/state' }),
    rule('eventbus->rest', heard, { resource: 'https://shop.example/doors?x=1' }),
    rule('servicebus->rest', { node_name: 'edge-1', target_url: 'http://orders' }, { resource: 'http://10.0.0.1:80/' }),
    rule('eventbus->eventbus', heard, { topic: 'doors/all', node_name: 'edge-2' }),
    rule('nothing->nobody', {}, {}),
  ])
    assert.deepEqual(errorsOf(good), [])
})

test('what KubeEdge refuses is refused: other pairs, and what a source or target needs', () => {
  for (const [wrong, expected] of [
    [rule('rest->rest', { path: 'a' }, { resource: 'http://a' }), /no rule goes from rest to rest/],
    [rule('servicebus->eventbus', { node_name: 'n', target_url: 'http://a' }, { topic: 'a' }), /no rule goes from/],
    [rule('rest->eventbus', {}, { topic: 'a' }), /spec.sourceResource.path: is needed/],
    [rule('eventbus->rest', { node_name: 'edge-1' }, { resource: 'http://a' }), /sourceResource.topic: is needed/],
    [rule('eventbus->rest', { topic: 'a' }, { resource: 'http://a' }), /sourceResource.node_name: is needed/],
    [rule('servicebus->rest', { node_name: 'n' }, { resource: 'http://a' }), /sourceResource.target_url: is needed/],
    [rule('rest->eventbus', { path: 'a' }, {}), /targetResource.topic: is needed/],
    [rule('rest->servicebus', { path: 'a' }, {}), /targetResource.path: is needed/],
    [rule('eventbus->rest', heard, {}), /targetResource.resource: is needed/],
  ] as const)
    assert.match(errorsOf(wrong).join('\n'), expected)
})

test('paths, topics, nodes and places that cannot be served are refused with what to write', () => {
  for (const [wrong, expected] of [
    [rule('rest->eventbus', { path: 'a/../b' }, { topic: 'a' }), /no empty segment, . or ../],
    [rule('rest->eventbus', { path: '/' }, { topic: 'a' }), /at least one segment/],
    [rule('rest->eventbus', { path: 'a/x{id}' }, { topic: 'a' }), /whole segment, \{name\}/],
    [rule('rest->eventbus', { path: '{a}/{a}' }, { topic: 'a' }), /twice/],
    [rule('rest->eventbus', { path: 'a/{id}' }, { topic: 'a/{door}' }), /no parameter of spec.sourceResource.path/],
    [rule('rest->eventbus', { path: 'a' }, { topic: 'a/#' }), /without wildcards/],
    [rule('eventbus->rest', { ...heard, topic: 'a#' }, { resource: 'http://a' }), /topic filter/],
    [rule('eventbus->rest', { ...heard, node_name: 'Edge_1' }, { resource: 'http://a' }), /name of a node/],
    [rule('eventbus->eventbus', heard, { topic: 'shop/doors/1' }), /heard by the source of the same rule/],
    [rule('rest->servicebus', { path: 'a' }, { path: '/a?b' }), /without query/],
    [rule('eventbus->rest', heard, { resource: 'file:///etc/passwd' }), /http or https/],
    [rule('eventbus->rest', heard, { resource: 'http://me:secret@a/' }), /no credentials/],
  ] as const)
    assert.match(errorsOf(wrong).join('\n'), expected)
})

test('addresses of machine metadata are refused in each spelling, unless the endpoint allows them', () => {
  const resources = [
    'http://169.254.169.254/latest',
    'http://[::ffff:169.254.169.254]/',
    'http://[fe80::1]/',
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://metadata.google.internal./x',
    'http://[fd00:ec2::254]/',
  ]
  const open = [endpoint('rest', 'rest', { allow_link_local: 'true' }), endpoint('eventbus', 'eventbus')]
  for (const resource of resources) {
    assert.match(errorsOf(rule('eventbus->rest', heard, { resource })).join(), /link-local or metadata/, resource)
    assert.deepEqual(errorsOf(rule('eventbus->rest', heard, { resource }), open), [])
  }
})

test('limits are whole numbers within bounds', () => {
  const given = rule(
    'rest->eventbus',
    { path: 'a' },
    { topic: 'a' },
    { annotations: { 'skerry.dev/concurrency': '0' } },
  )
  assert.match(
    errorsOf(given).join(),
    /annotations\[skerry.dev\/concurrency\]: "0": must be a whole number from 1 to 1000/,
  )
})

test('an endpoint of a service needs its port, and one of REST a CA that can be read', () => {
  const messages = (...given: Parameters<typeof endpoint>) =>
    endpointErrors(endpoint(...given)).map(({ field }) => field)
  assert.deepEqual(messages('a', 'servicebus'), ['spec.properties.service_port'])
  assert.deepEqual(messages('a', 'servicebus', { service_port: '70000' }), ['spec.properties.service_port'])
  assert.deepEqual(messages('a', 'servicebus', { service_port: '8080' }), [])
  assert.deepEqual(messages('a', 'rest', { ca: 'no PEM' }), ['spec.properties.ca'])
  assert.deepEqual(messages('a', 'eventbus'), [])
})
