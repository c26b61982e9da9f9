import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Frame, JsonObject } from '../../../schemas/index.ts'
import {
  CONFIG_MAPS,
  DEVICE_MODELS,
  DEVICES,
  PODS,
  RULE_ENDPOINTS,
  RULES,
  SECRETS,
} from '../../cloud/kubernetes/resources.ts'
import { BothHalves } from '../../cloud/testing/both-halves.ts'
import { shopPod } from '../../cloud/testing/edge-controller-bench.ts'
import { pumpDevice, pumpModel } from '../../cloud/testing/harness.ts'
import { startEdge } from '../testing/edge-bench.ts'

const USING: JsonObject = {
  volumes: [
    { name: 'a', configMap: { name: 'settings' } },
    { name: 'b', secret: { secretName: 'key' } },
  ],
}
const metadata = (name: string) => ({ metadata: { name, namespace: 'shop' } })
const rule = (topic: string) => ({
  ...metadata('lights'),
  spec: {
    source: 'bus',
    sourceResource: { node_name: 'edge-1', topic },
    target: 'rest',
    targetResource: { resource: 'http://x' },
  },
})

/** Reports of status move the resourceVersion, and nothing is sent for that. */
function contentOf(object: JsonObject | undefined) {
  const text = JSON.stringify(object, (key, value: unknown) => (key === 'resourceVersion' ? undefined : value))
  return text === undefined ? undefined : JSON.parse(text)
}

/** A node with an object of each kind. */
async function setup(t: TestContext) {
  const both = new BothHalves()
  const { kubernetes } = both
  await both.startCloud()
  await both.startEdge()
  t.after(() => both.stop())
  await kubernetes.create(DEVICE_MODELS, 'default', pumpModel())
  for (const name of ['pump-1', 'pump-2']) await kubernetes.create(DEVICES, 'default', pumpDevice(name, '10'))
  await kubernetes.create(CONFIG_MAPS, 'shop', { ...metadata('settings'), data: { a: '1' } })
  await kubernetes.create(SECRETS, 'shop', { ...metadata('key'), data: { a: 'MQ==' } })
  await kubernetes.create(PODS, 'shop', shopPod('till', 'edge-1', USING))
  await kubernetes.create(RULE_ENDPOINTS, 'shop', { ...metadata('bus'), spec: { ruleEndpointType: 'eventbus' } })
  await kubernetes.create(RULE_ENDPOINTS, 'shop', { ...metadata('rest'), spec: { ruleEndpointType: 'rest' } })
  await kubernetes.create(RULES, 'shop', rule('lights'))
  await both.pass(40_000)
  const held = () => {
    const keys = both.edge.meta.keys().filter((key) => !key.includes('/node/'))
    return Object.fromEntries(keys.toSorted().map((key) => [key, contentOf(both.edge.meta.stored(key))]))
  }
  /** The cloud is away while `change` happens. */
  const without = async (change: () => void) => {
    await both.stopCloud()
    change()
    await both.startCloud()
    both.down.splice(0)
    await both.pass(40_000)
  }
  return { both, kubernetes, held, without }
}

test('after a restart of the cloud half, and after a broken link, nothing is sent again', async (t) => {
  const { both, held, without } = await setup(t)
  assert.deepEqual(Object.keys(held()).toSorted(), [
    'default/device/pump-1',
    'default/device/pump-2',
    'default/devicemodel/pump',
    'shop/configmap/settings',
    'shop/pod/till',
    'shop/rule/lights',
    'shop/secret/key',
  ])
  await without(() => undefined)
  assert.deepEqual(both.down, [])
  both.edge.dialer.pair?.cut('the cable')
  await both.pass(40_000)
  assert.deepEqual(both.down, [])
})

test('where the API went back to a backup with its records, the node gets what that holds, of each kind', async (t) => {
  const { both, kubernetes, held, without } = await setup(t)
  const before = held()
  const backup = kubernetes.snapshot()
  const shop = (name: string) => ({ namespace: 'shop', name })
  const change = { type: 'merge' } as const
  await kubernetes.patch(CONFIG_MAPS, shop('settings'), { data: { a: '2' } }, change)
  await kubernetes.patch(SECRETS, shop('key'), { data: { a: 'Mg==' } }, change)
  await kubernetes.patch(PODS, shop('till'), { metadata: { annotations: { a: 'later' } } }, change)
  await kubernetes.patch(RULES, shop('lights'), { spec: rule('later').spec }, change)
  await kubernetes.patch(
    DEVICES,
    { namespace: 'default', name: 'pump-1' },
    { spec: pumpDevice('pump-1', '20').spec },
    change,
  )
  await kubernetes.patch(DEVICE_MODELS, { namespace: 'default', name: 'pump' }, { spec: { protocol: 'opcua' } }, change)
  await kubernetes.delete(DEVICES, { namespace: 'default', name: 'pump-2' })
  await kubernetes.create(DEVICES, 'default', pumpDevice('pump-3'))
  await kubernetes.create(CONFIG_MAPS, 'shop', { ...metadata('more'), data: {} })
  await kubernetes.create(
    PODS,
    'shop',
    shopPod('new', 'edge-1', { volumes: [{ name: 'a', configMap: { name: 'more' } }] }),
  )
  await both.pass(40_000)
  assert.deepEqual(Object.keys(held()).length, 9)
  await without(() => kubernetes.restore(backup))
  assert.deepEqual(held(), before)
  await without(() => undefined)
  assert.deepEqual(both.down, [], 'and it is known')
})

const isDigest = ({ route }: Frame) => route.resource === 'object/digest'

test('objects are told 500 at a time, by key, uid and version, to a Skerry cloud alone', async () => {
  for (const isSkerry of [true, false]) {
    const edge = await startEdge({ isReachable: false, isSkerry })
    for (let index = 0; index < 501; index++) {
      const metadata = { name: `c-${index}`, namespace: 'shop', uid: `u-${index}`, resourceVersion: '7' }
      const route = {
        group: 'resource',
        source: 'edgecontroller',
        operation: 'insert',
        resource: `shop/configmap/c-${index}`,
      }
      await edge.meta.receive({
        header: { msg_id: `m-${index}`, timestamp: 1 },
        route,
        content: { metadata, data: { secret: 'x' } },
      })
    }
    edge.dialer.isReachable = true
    await edge.advance(31_000)
    const pages = edge.cloud.received.filter(isDigest).map(({ content }) => Object(content).skerry)
    assert.deepEqual(
      pages.map(({ objects, isLast }) => [objects.length, isLast]),
      isSkerry
        ? [
            [500, false],
            [1, true],
          ]
        : [],
    )
    if (isSkerry) assert.deepEqual(pages[1].objects, [{ resource: 'shop/configmap/c-500', uid: 'u-500', version: '7' }])
    await edge.stop()
  }
})

test('a cloud that does not know the question is asked once for each link, one that is silent again', async () => {
  const edge = await startEdge({ isReachable: false })
  const usual = edge.cloud.answers
  const count = () => edge.cloud.received.filter(isDigest).length
  edge.cloud.answers = (frame) =>
    isDigest(frame)
      ? {
          ...frame,
          header: { ...frame.header, parent_msg_id: frame.header.msg_id },
          route: { operation: 'error' },
          content: 'this cloud does not serve it',
        }
      : usual(frame)
  edge.dialer.isReachable = true
  await edge.advance(200_000)
  assert.equal(count(), 1)
  edge.cloud.answers = (frame) => (isDigest(frame) ? undefined : usual(frame))
  edge.dialer.pair?.cut('the cable')
  await edge.advance(50_000)
  const asked = count()
  assert.ok(asked >= 2, String(asked))
  edge.cloud.answers = usual
  await edge.advance(60_000)
  const end = count()
  await edge.advance(120_000)
  assert.equal(count(), end)
  assert.equal(edge.hub.isConnected, true)
  await edge.stop()
})
