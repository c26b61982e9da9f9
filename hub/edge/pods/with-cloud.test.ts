import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { minutes, seconds } from '../../../platform/time/index.ts'
import {
  assignedPods,
  type JsonObject,
  type ObjectAnswer,
  podReports,
  requestObject,
  requestToken,
} from '../../../schemas/index.ts'
import { CONFIG_MAPS, NODES, PODS, RULE_ENDPOINTS, RULES, SERVICE_ACCOUNTS } from '../../cloud/kubernetes/resources.ts'
import { BothHalves } from '../../cloud/testing/both-halves.ts'
import { shopPod } from '../../cloud/testing/edge-controller-bench.ts'
import { createNodeSelf } from '../node/node-self.ts'

const LIMITS = { maxMessages: 1000, maxBytes: 1_000_000, maxAgeHours: 24 }
const MACHINE = {
  directory: '/',
  health: () => ({ failing: [], waiting: [] }),
  extras: { labels: {}, taints: [] },
  measure: async () => ({}),
}
const TILL = { namespace: 'shop', name: 'till' }
const USING: JsonObject = {
  serviceAccountName: 'till',
  volumes: [{ name: 'a', configMap: { name: 'settings' } }],
}

/** A pod with its ConfigMap on a node, and this test in the part of whoever runs pods. */
async function setup(t: TestContext) {
  const both = new BothHalves()
  const { kubernetes } = both
  await both.startCloud()
  await both.startEdge({ userMessages: LIMITS, node: (ports) => createNodeSelf({ ...ports, ...MACHINE }) })
  t.after(() => both.stop())
  await both.pass(31_000)
  const settings = { metadata: { name: 'settings', namespace: 'shop' }, data: { a: '1' } }
  await kubernetes.create(CONFIG_MAPS, 'shop', settings)
  await kubernetes.create(PODS, 'shop', shopPod('till', 'edge-1', USING))
  await both.pass(2000)
  const assigned = () => both.edge.bus.get(assignedPods, 'shop/till')
  const run = (phase: string, more: object = {}) => {
    const uid = assigned()?.uid ?? ''
    both.edge.bus.set(podReports, 'shop/till', { uid, status: { phase }, ...more })
  }
  const phase = async () => {
    const pod = await kubernetes.get(PODS, TILL)
    return pod && Reflect.get(Object(Reflect.get(pod, 'status')), 'phase')
  }
  const configMap = async (): Promise<ObjectAnswer> => {
    const asked = both.edge.bus.request(
      requestObject,
      { resource: 'shop/configmap/settings', freshness: 'stored-first' },
      { deadline: seconds(60) },
    )
    asked.catch(() => undefined)
    await both.pass(100)
    return asked
  }
  const goOffline = async () => {
    both.edge.dialer.isReachable = false
    both.edge.dialer.pair?.cut('the cable')
    await both.pass(100)
  }
  const goOnline = async () => {
    both.edge.dialer.isReachable = true
    await both.pass(35_000)
  }
  return { both, kubernetes, assigned, run, phase, configMap, goOffline, goOnline }
}

test('a pod comes with what it uses, its status is seen in the API, and its end is finished there', async (t) => {
  const { both, kubernetes, assigned, run, phase, configMap } = await setup(t)
  assert.ok(assigned())
  const { object, from } = await configMap()
  assert.deepEqual([from, object?.['data']], ['node', { a: '1' }], 'it was there before it was asked for')
  run('Running')
  await both.pass(1000)
  assert.equal(await phase(), 'Running')
  await kubernetes.patch(CONFIG_MAPS, { ...TILL, name: 'settings' }, { data: { a: '2' } }, { type: 'merge' })
  await both.pass(2000)
  assert.deepEqual((await configMap()).object?.['data'], { a: '2' })

  await kubernetes.delete(PODS, TILL)
  await both.pass(2000)
  assert.match(JSON.stringify(assigned()?.pod['metadata']), /deletionTimestamp/)
  run('Succeeded', { isFinished: true })
  await both.pass(5000)
  assert.equal(await kubernetes.get(PODS, TILL), undefined)
  assert.equal(assigned(), undefined)
  await assert.rejects(configMap(), { code: 'HUB_QUERY_FAILED' }, 'nothing here uses it any more')
})

test('108, 111: an outage of hours leaves the pod running here; afterwards the latest status and deletion hold', async (t) => {
  const { both, kubernetes, assigned, run, phase, goOffline, goOnline } = await setup(t)
  await goOffline()
  for (const each of ['Pending', 'Running', 'Failed']) run(each)
  await both.pass(minutes(300).milliseconds)
  assert.ok(assigned())
  await goOnline()
  assert.equal(await phase(), 'Failed')
  await goOffline()
  await kubernetes.delete(PODS, TILL, { gracePeriodSeconds: 0 })
  await kubernetes.create(PODS, 'shop', shopPod('till', 'edge-1', USING))
  const before = assigned()?.uid
  await goOnline()
  const present = await kubernetes.get(PODS, TILL)
  assert.notEqual(present?.metadata.uid, before)
  assert.equal(assigned()?.uid, present?.metadata.uid)
})

test('109: a start without the cloud has the pods, what they use and their tokens', async (t) => {
  const { both, kubernetes, assigned, goOffline } = await setup(t)
  await kubernetes.create(SERVICE_ACCOUNTS, 'shop', { metadata: { name: 'till', namespace: 'shop' } })
  const pod = assigned()
  assert.ok(pod)
  const boundTo = { kind: 'Pod', apiVersion: 'v1', name: 'till', uid: pod.uid }
  const request = { namespace: 'shop', serviceAccount: 'till', audiences: ['api'], expirationSeconds: 3600, boundTo }
  const ask = async () => {
    const asked = both.edge.bus.request(requestToken, request, { deadline: seconds(60) })
    await both.pass(100)
    return asked
  }
  const token = await ask()
  assert.notEqual(token.token, '')
  await goOffline()
  const before = both.edge
  await before.stop()
  await both.stopCloud()
  await both.startEdge({ userMessages: LIMITS, after: before })
  assert.deepEqual(assigned(), pod)
  assert.deepEqual(await ask(), token)
})

test('104: a rule that begins at this node has its topic uploaded, until the rule is deleted', async (t) => {
  const { both, kubernetes } = await setup(t)
  const got: string[] = []
  both.cloud.hub.onUserMessage(async ({ resource, payload }) => {
    got.push(`${resource} ${Buffer.from(payload).toString()}`)
    return 'done'
  })
  for (const [name, ruleEndpointType] of [
    ['bus', 'eventbus'],
    ['web', 'rest'],
  ] as const) {
    await kubernetes.create(RULE_ENDPOINTS, 'shop', {
      metadata: { name, namespace: 'shop' },
      spec: { ruleEndpointType },
    })
  }
  const sourceResource = { node_name: 'edge-1', topic: 'lights' }
  const spec = { source: 'bus', sourceResource, target: 'web', targetResource: { resource: 'http://x' } }
  await kubernetes.create(RULES, 'shop', { metadata: { name: 'lights', namespace: 'shop' }, spec })
  await both.pass(2000)
  await both.edge.mqtt.send('shop/lights', 'on')
  await both.pass(1000)
  await kubernetes.delete(RULES, { namespace: 'shop', name: 'lights' })
  await both.pass(2000)
  await both.edge.mqtt.send('shop/lights', 'off')
  await both.pass(1000)
  assert.deepEqual(got, ['node/edge-1/shop/lights on'])
})

test('a bound that was met at the edge is seen in the API as a condition of the Node', async (t) => {
  const { both, kubernetes, goOffline, goOnline } = await setup(t)
  await goOffline()
  for (let count = 0; count < 1001; count++) await both.edge.mqtt.send('room/user/door', String(count))
  await goOnline()
  const node = await kubernetes.get(NODES, { name: 'edge-1' })
  const conditions: unknown = Reflect.get(Object(Reflect.get(Object(node), 'status')), 'conditions')
  assert.ok(Array.isArray(conditions))
  const { status, message } = conditions.find(({ type }) => type === 'UserMessagesDropped') ?? {}
  assert.deepEqual(
    [status, message],
    ['True', 'Messages of MQTT clients were dropped: 1 by count, since this node was set up'],
  )
})
