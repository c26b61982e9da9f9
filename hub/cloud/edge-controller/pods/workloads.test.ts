import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { seconds } from '../../../../platform/time/index.ts'
import type { Frame, JsonObject } from '../../../../schemas/index.ts'
import { CONFIG_MAPS, PODS, SECRETS, SERVICE_ACCOUNTS } from '../../kubernetes/resources.ts'
import { makePod, shopPod, startEdgeController } from '../../testing/edge-controller-bench.ts'
import { pumpDevice, pumpModel } from '../../testing/harness.ts'

async function setup(t: TestContext) {
  const bench = await startEdgeController()
  t.after(() => bench.stop())
  return bench
}

const shop = (name: string): JsonObject => ({ metadata: { name, namespace: 'shop' }, data: { a: '1' } })
const using: JsonObject = {
  volumes: [
    { name: 'a', configMap: { name: 'settings' } },
    { name: 'b', secret: { secretName: 'password' } },
  ],
}
const at = (name: string) => ({ namespace: 'shop', name })
const last = (frames: readonly Frame[], resource: string) =>
  frames.filter(({ route }) => route.resource === resource).at(-1)

test('a pod comes after what it uses, and nothing else of the namespace comes', async (t) => {
  const { make, connect, settle, down, kubernetes, hub } = await setup(t)
  for (const name of ['settings', 'unused']) await make(CONFIG_MAPS, 'shop', shop(name))
  for (const name of ['password', 'hidden']) await make(SECRETS, 'shop', shop(name))
  await make(PODS, 'shop', shopPod('till', 'edge-1', using))
  await make(PODS, 'shop', shopPod('other', 'edge-2', using))
  const edge = connect('edge-1')
  await settle(1000)
  assert.deepEqual(down(edge), [
    'insert shop/configmap/settings',
    'update shop/secret/password',
    'insert shop/pod/till',
  ])
  const pod = last(edge.received, 'shop/pod/till')
  const stored = await kubernetes.get(PODS, at('till'))
  assert.deepEqual(
    [pod?.route.source, pod?.route.group, pod?.header.resourceversion],
    ['edgecontroller', 'resource', stored?.metadata.resourceVersion],
  )
  assert.equal(hub.isConnected('edge-1'), true)
})

test('reports of status go unsaid, changes of intent and of what is used do not', async (t) => {
  const { make, connect, settle, down, kubernetes } = await setup(t)
  await make(CONFIG_MAPS, 'shop', shop('settings'))
  await make(PODS, 'shop', shopPod('till', 'edge-1', using))
  const edge = connect('edge-1')
  await settle(1000)
  edge.received.length = 0
  const status = { type: 'merge', subresource: 'status' } as const
  await kubernetes.patch(PODS, at('till'), { status: { phase: 'Running' } }, status)
  await settle(1000)
  assert.deepEqual(down(edge), [])
  await kubernetes.patch(PODS, at('till'), { metadata: { labels: { a: 'b' } } }, { type: 'merge' })
  await kubernetes.patch(CONFIG_MAPS, at('settings'), { data: { a: '2' } }, { type: 'merge' })
  // The secret was missing until now.
  await make(SECRETS, 'shop', shop('password'))
  await settle(1000)
  assert.deepEqual(down(edge).toSorted(), [
    'update shop/configmap/settings',
    'update shop/pod/till',
    'update shop/secret/password',
  ])
})

test('two nodes that share a ConfigMap both get it, and each loses it with its own last pod', async (t) => {
  const { make, connect, settle, down, kubernetes } = await setup(t)
  await make(CONFIG_MAPS, 'shop', shop('settings'))
  await make(PODS, 'shop', shopPod('one', 'edge-1', using))
  await make(PODS, 'shop', shopPod('two', 'edge-2', using))
  await make(PODS, 'shop', shopPod('three', 'edge-2', using))
  const [first, second] = [connect('edge-1'), connect('edge-2')]
  await settle(1000)
  assert.ok([first, second].every((edge) => down(edge).includes('insert shop/configmap/settings')))
  await kubernetes.delete(PODS, at('one'), { gracePeriodSeconds: 0 })
  await kubernetes.delete(PODS, at('two'), { gracePeriodSeconds: 0 })
  await settle(1000)
  assert.deepEqual(down(first).slice(-2), ['delete shop/pod/one', 'delete shop/configmap/settings'])
  assert.deepEqual(down(second).slice(-1), ['delete shop/pod/two'])
})

test('a pod that is asked to go comes as an update, and goes with its uid when the API has let it go', async (t) => {
  const bench = await setup(t)
  const { connect, settle, kubernetes } = bench
  const edge = connect('edge-1')
  const pod = await makePod(bench, shopPod('till', 'edge-1'))
  await settle(1000)
  await kubernetes.delete(PODS, at('till'))
  await settle(1000)
  const asked = last(edge.received, 'shop/pod/till')
  assert.equal(asked?.route.operation, 'update')
  assert.match(JSON.stringify(asked?.content), /deletionTimestamp/)
  await kubernetes.delete(PODS, at('till'), { gracePeriodSeconds: 0 })
  await settle(1000)
  const gone = last(edge.received, 'shop/pod/till')
  const { uid } = pod.metadata
  assert.deepEqual(
    [gone?.route.operation, gone?.header.resourceversion, Reflect.get(Object(gone?.content), 'metadata')],
    ['delete', undefined, { name: 'till', namespace: 'shop', uid }],
  )
})

test('what changes while the node is away arrives afterwards, deletions too', async (t) => {
  const { make, connect, settle, down, kubernetes } = await setup(t)
  await make(SECRETS, 'shop', shop('password'))
  await make(PODS, 'shop', shopPod('old', 'edge-1', using))
  const edge = connect('edge-1')
  await settle(1000)
  edge.disconnect()
  await kubernetes.delete(PODS, at('old'), { gracePeriodSeconds: 0 })
  await make(PODS, 'shop', shopPod('new', 'edge-1', using))
  await kubernetes.patch(SECRETS, at('password'), { data: { a: '2' } }, { type: 'merge' })
  await settle(60_000)
  const again = connect('edge-1')
  await settle(1000)
  assert.deepEqual(down(again), ['delete shop/pod/old', 'update shop/secret/password', 'insert shop/pod/new'])
})

test('a pod that has moved to another node under its name, while no watch told of it, leaves the first', async (t) => {
  const { make, connect, settle, down, kubernetes } = await setup(t)
  const names = ['till-0', 'till-1']
  for (const name of names) await make(PODS, 'shop', shopPod(name, 'edge-1'))
  const [first, second] = [connect('edge-1'), connect('edge-2')]
  await settle(1000)
  // The second one moves to a node that has never been here.
  const moved = names.flatMap((name, to) => [
    kubernetes.delete(PODS, at(name), { gracePeriodSeconds: 0 }),
    make(PODS, 'shop', shopPod(name, `edge-${to + 2}`)),
  ])
  kubernetes.compact()
  await Promise.all(moved)
  first.received.length = 0
  await settle(20_000)
  assert.deepEqual(down(first).toSorted(), ['delete shop/pod/till-0', 'delete shop/pod/till-1'])
  assert.deepEqual(down(second), ['insert shop/pod/till-0'])
})

test('the secrets of a service account come to the pods that run under it', async (t) => {
  const { make, connect, settle, down, kubernetes, ask } = await setup(t)
  await make(SECRETS, 'shop', shop('pull'))
  await make(PODS, 'shop', shopPod('till', 'edge-1', { serviceAccountName: 'robot' }))
  const edge = connect('edge-1')
  await settle(1000)
  assert.deepEqual(down(edge), ['insert shop/pod/till'])
  await make(SERVICE_ACCOUNTS, 'shop', {
    metadata: { name: 'robot', namespace: 'shop' },
    imagePullSecrets: [{ name: 'pull' }],
  })
  await settle(1000)
  assert.deepEqual(down(edge).slice(1), ['update shop/secret/pull'])
  assert.equal((await ask(edge, 'query', 'shop/secret/pull'))?.route.operation, 'response')
  await kubernetes.patch(SERVICE_ACCOUNTS, at('robot'), { imagePullSecrets: [] }, { type: 'merge' })
  await settle(1000)
  assert.deepEqual(down(edge).slice(2), ['delete shop/secret/pull'])
})

test('a thousand references of one pod all arrive, none of them twice', async (t) => {
  const { make, connect, settle, down } = await setup(t)
  const names = Array.from({ length: 1000 }, (_, at) => `settings-${at}`)
  for (const name of names) await make(CONFIG_MAPS, 'shop', shop(name))
  const volumes = names.map((name) => ({ name, configMap: { name } }))
  await make(PODS, 'shop', shopPod('till', 'edge-1', { volumes }))
  const edge = connect('edge-1', { skerry: false })
  await settle(3000)
  assert.equal(down(edge).length, 1001)
  assert.equal(new Set(down(edge)).size, 1001)
  assert.equal(down(edge).at(-1), 'insert shop/pod/till')
})

test('a kind that may not be read stops neither pods nor devices, is counted, and comes when it may', async (t) => {
  const { make, connect, settle, down, kubernetes, apply, metrics } = await setup(t)
  await apply(pumpModel())
  await apply(pumpDevice())
  await make(SECRETS, 'shop', shop('password'))
  await make(CONFIG_MAPS, 'shop', shop('settings'))
  await make(PODS, 'shop', shopPod('till', 'edge-1', using))
  kubernetes.fail('LIST secrets', 403, 3)
  const edge = connect('edge-1')
  await settle(400)
  const arrived = down(edge)
  assert.ok(arrived.includes('insert default/device/pump-1'), String(arrived))
  assert.deepEqual(arrived.slice(-2), ['insert shop/configmap/settings', 'insert shop/pod/till'])
  assert.match(await metrics.text(), /watch_failures_total\{kind="Secret",reason="[A-Za-z]+"\} [123]/)
  await settle(20_000)
  assert.deepEqual(down(edge).slice(arrived.length), ['update shop/secret/password'])
})

test('pods that may not be read leave devices alone, and delete nothing at the edge', async () => {
  const bench = await startEdgeController()
  const { make, connect, settle, kubernetes } = bench
  await make(PODS, 'shop', shopPod('till', 'edge-1', using))
  const edge = connect('edge-1')
  await settle(1000)
  edge.disconnect()
  await bench.stop()
  // A cloud that starts anew, with less rights.
  kubernetes.fail('LIST pods', 403, 1000)
  const restarted = await startEdgeController(kubernetes)
  await restarted.apply(pumpModel())
  await restarted.apply(pumpDevice())
  const again = restarted.connect('edge-1')
  await restarted.settle(5000)
  assert.deepEqual(restarted.down(again), ['insert default/devicemodel/pump', 'insert default/device/pump-1'])
  await restarted.stop()
})

test('secrets that cannot be read any more stay where pods still use them', async () => {
  const bench = await startEdgeController()
  const { make, connect, settle, kubernetes } = bench
  await make(SECRETS, 'shop', shop('password'))
  await make(PODS, 'shop', shopPod('till', 'edge-1', using))
  connect('edge-1')
  await settle(1000)
  await bench.stop()
  kubernetes.fail('LIST secrets', 403, 1000)
  const restarted = await startEdgeController(kubernetes)
  const again = restarted.connect('edge-1')
  await restarted.settle(10_000)
  assert.deepEqual(restarted.down(again), [])
  await restarted.stop()
})

test('a Secret that is deleted while a pod uses it is deleted at the edge, and comes again when it is made again', async (t) => {
  const { make, connect, settle, down, kubernetes } = await setup(t)
  await make(SECRETS, 'shop', shop('password'))
  await make(PODS, 'shop', shopPod('till', 'edge-1', using))
  const edge = connect('edge-1')
  await settle(1000)
  await kubernetes.delete(SECRETS, at('password'))
  await settle(1000)
  assert.deepEqual(down(edge).slice(-1), ['delete shop/secret/password'])
  await make(SECRETS, 'shop', shop('password'))
  await settle(1000)
  assert.deepEqual(down(edge).slice(-1), ['update shop/secret/password'])
})

test('watches of a namespace end when no pod uses it any more', async (t) => {
  const bench = await setup(t)
  const { connect, settle, kubernetes, clock } = bench
  connect('edge-1')
  await settle(1000)
  const before = kubernetes.watching
  await makePod(bench, shopPod('till', 'edge-1'))
  await settle(1000)
  assert.equal(kubernetes.watching, before + 3)
  await kubernetes.delete(PODS, at('till'), { gracePeriodSeconds: 0 })
  await settle(1000)
  assert.equal(kubernetes.watching, before + 3)
  await clock.advance(seconds(121))
  assert.equal(kubernetes.watching, before)
})
