import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { CoreV1Api, CustomObjectsApi, KubeConfig, makeInformer } from '@kubernetes/client-node'
import { twins } from '../../../schemas/index.ts'
import { twinOf } from '../testing/edge-bench.ts'
import { ask, open } from './testing/ask.ts'
import { device, pod } from './testing/objects.ts'
import { type ServedNode, serveTestNode } from './testing/served-node.ts'

const PODS = '/api/v1/pods'

/** Events of a watch as they come. */
async function watch(node: ServedNode, path: string) {
  const response = await open(node, { path })
  const lines = createInterface({ input: response })[Symbol.asyncIterator]()
  return {
    async next() {
      const { value } = await lines.next()
      const event: { readonly type: string; readonly object: Shown } = JSON.parse(String(value))
      return event
    },
    end: () => response.destroy(),
  }
}

interface Shown {
  readonly code?: number
  readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly annotations?: object }
  readonly status?: { readonly twins?: readonly unknown[]; readonly state?: string }
}

async function listed(
  node: ServedNode,
  path: string,
): Promise<{ readonly version: string; readonly names: readonly string[] }> {
  const { json } = await ask(node, { path })
  const list: { readonly metadata: { readonly resourceVersion: string }; readonly items: readonly Shown[] } =
    Object(json)
  return { version: list.metadata.resourceVersion, names: list.items.map(({ metadata }) => metadata.name) }
}

test('a watch tells what is there, then each change in order, and goes on from any version that is remembered', async (t) => {
  const node = await serveTestNode()
  t.after(() => node.stop())
  await node.give('shop/pod/a', pod('a'))
  const first = await watch(
    node,
    `${PODS}?watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`,
  )
  assert.equal((await first.next()).object.metadata.name, 'a')
  const bookmark = await first.next()
  assert.equal(bookmark.type, 'BOOKMARK')
  assert.deepEqual(bookmark.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' })
  await node.give('shop/pod/b', pod('b'))
  await node.give('shop/pod/b', pod('b', { version: '11', labels: { app: 'c' } }))
  await node.take('shop/pod/b', pod('b'))
  const seen = [await first.next(), await first.next(), await first.next()]
  assert.deepEqual(
    seen.map(({ type }) => type),
    ['ADDED', 'MODIFIED', 'DELETED'],
  )
  const versions = seen.map(({ object }) => Number(object.metadata.resourceVersion))
  assert.deepEqual(
    [...versions].sort((a, b) => a - b),
    versions,
  )
  first.end()
  const later = await watch(node, `${PODS}?watch=1&resourceVersion=${versions[0]}`)
  assert.deepEqual([(await later.next()).type, (await later.next()).type], ['MODIFIED', 'DELETED'])
  later.end()
})

test('the values of a device come as changes of its status, whatever becomes of the cloud', async (t) => {
  const node = await serveTestNode()
  t.after(() => node.stop())
  node.cloud.isConnected = false
  await node.give('shop/device/pump-1', device('pump-1'))
  const path = '/apis/devices.kubeedge.io/v1beta1/namespaces/shop/devices'
  const { version } = await listed(node, path)
  const events = await watch(node, `${path}?watch=1&resourceVersion=${version}`)
  node.bus.set(twins, 'shop/pump-1', twinOf('pump-1', 7, { id: 'shop/pump-1', uid: 'uid-pump-1', state: 'online' }))
  const { type, object } = await events.next()
  assert.deepEqual([type, object.status?.state], ['MODIFIED', 'online'])
  events.end()
})

test('after a restart versions go on, and a watch from before gets 410', async (t) => {
  const before = await serveTestNode()
  await before.give('shop/pod/a', pod('a'))
  const { version } = await listed(before, PODS)
  await before.stop()
  const node = await serveTestNode({ after: before })
  t.after(() => node.stop())
  const now = await listed(node, PODS)
  assert.ok(Number(now.version) > Number(version))
  const events = await watch(node, `${PODS}?watch=1&resourceVersion=${version}`)
  const { type, object } = await events.next()
  assert.deepEqual([type, object.code], ['ERROR', 410])
})

test('informers of client-node see what changed while MetaServer was away', async (t) => {
  const current = { node: await serveTestNode() }
  await current.node.give('shop/pod/a', pod('a'))
  await current.node.give('shop/pod/b', pod('b'))
  const config = new KubeConfig()
  config.loadFromFile(current.node.kubeconfig)
  const api = config.makeApiClient(CoreV1Api)
  const informer = makeInformer(config, PODS, () => api.listPodForAllNamespaces())
  const names = () => informer.list().map(({ metadata }) => metadata?.name)
  const waiting = new Set<() => void>()
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, () => {
      for (const each of waiting) each()
    })
  }
  const sees = async (wanted: readonly string[]) => {
    while (names().sort().join() !== wanted.join()) {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.add(resolve)
      await promise
      waiting.delete(resolve)
    }
  }
  const over = { is: false }
  const again = () => void (over.is || informer.start().catch(() => setImmediate(again)))
  informer.on('error', () => setImmediate(again))
  t.after(async () => {
    over.is = true
    await informer.stop()
    await current.node.stop()
  })
  await informer.start()
  await sees(['a', 'b'])
  await current.node.stop()
  await current.node.meta.receive({
    header: { msg_id: 'm', timestamp: 0 },
    route: { source: 'edgecontroller', group: 'resource', operation: 'delete', resource: 'shop/pod/a' },
    content: pod('a'),
  })
  current.node = await serveTestNode({ after: current.node })
  await current.node.give('shop/pod/c', pod('c'))
  await sees(['b', 'c'])
})

test('lists come in pages of one version', async (t) => {
  const node = await serveTestNode()
  t.after(() => node.stop())
  for (const name of ['a', 'b', 'c']) await node.give(`shop/device/${name}`, device(name))
  const config = new KubeConfig()
  config.loadFromFile(node.kubeconfig)
  const api = config.makeApiClient(CustomObjectsApi)
  const kind = { group: 'devices.kubeedge.io', version: 'v1beta1', plural: 'devices', namespace: 'shop' }
  const first = await api.listNamespacedCustomObject({ ...kind, limit: 2 })
  await node.give('shop/device/d', device('d'))
  const rest = await api.listNamespacedCustomObject({
    ...kind,
    limit: 2,
    _continue: first.metadata._continue ?? first.metadata.continue,
  })
  const names = [first, rest].map((page) => page.items.map((item: Shown) => item.metadata.name))
  assert.deepEqual(names, [['a', 'b'], ['c']])
})

test('a client that asks in the middle of the stop is let go', async () => {
  const node = await serveTestNode()
  await node.give('shop/pod/a', pod('a'))
  const response = await open(node, { path: `${PODS}?watch=1` })
  response.resume().on('error', () => undefined)
  const closed = once(response, 'close')
  await node.stop()
  await closed
})
