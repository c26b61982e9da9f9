import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { CoreV1Api, KubeConfig, makeInformer, type V1Service } from '@kubernetes/client-node'
import type { JsonObject } from '../../../schemas/index.ts'
import { needs } from '../../../tools/testing/needs.ts'
import { kubectl } from '../../apiserver/testing/kubectl.ts'
import { ask } from './testing/ask.ts'
import { clusterTokens } from './testing/cluster-tokens.ts'
import { access, endpointSlice, pod, service, wholeNamespace } from './testing/objects.ts'
import { type ServedNode, serveTestNode } from './testing/served-node.ts'

const SERVICES = '/api/v1/namespaces/shop/services'
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices'

async function setup(t: TestContext) {
  const state = { node: await serveTestNode() }
  t.after(() => state.node.stop())
  await state.node.give('shop/pod/till', pod('till'))
  await state.node.give('shop/service/till', service('till'))
  await state.node.give('shop/endpointslice/till-1', endpointSlice('till-1'))
  return {
    get node() {
      return state.node
    },
    whole: (leftOut: JsonObject = {}) => state.node.give('shop/namespaceservices/all', wholeNamespace('shop', leftOut)),
    async restart() {
      await state.node.stop()
      state.node = await serveTestNode({ after: state.node })
    },
  }
}

interface Listed {
  readonly metadata: { readonly resourceVersion: string }
  readonly items: readonly { readonly metadata: { readonly name: string } }[]
}

async function names(node: ServedNode, path: string, token?: string): Promise<readonly string[]> {
  const { json, status, text } = await ask(node, { path, ...(token === undefined ? {} : { token }) })
  assert.equal(status, 200, text)
  const list: Listed = Object(json)
  return list.items.map(({ metadata }) => metadata.name)
}

test('what is first asked without the cloud is answered from the disk, also after a restart', async (t) => {
  const bench = await setup(t)
  await bench.whole()
  await bench.restart()
  const { node } = bench
  node.cloud.isConnected = false
  assert.deepEqual(await names(node, SERVICES), ['till'])
  assert.deepEqual(await names(node, SLICES), ['till-1'])
  assert.deepEqual(await names(node, '/api/v1/namespaces/shop/endpoints'), [], 'it is known that there are none')
  assert.equal((await ask(node, { path: `${SERVICES}/till` })).status, 200)
  assert.equal((await ask(node, { path: `${SERVICES}/ghost` })).status, 404)
  const { text } = await ask(node, { path: `${SERVICES}/all` })
  assert.doesNotMatch(text, /NamespaceServices/)
  assert.deepEqual(node.cloud.asked, [])
})

test('the list of a namespace of which all is here is this node’s, online too; any other one is the cloud’s', async (t) => {
  const { node, whole } = await setup(t)
  const answer: JsonObject = { apiVersion: 'v1', kind: 'ServiceList', metadata: { resourceVersion: '80' }, items: [] }
  node.cloud.answer = () => ({ code: 200, object: answer })
  assert.deepEqual(await names(node, SERVICES), [], 'until it is known that all is here')
  await whole()
  assert.deepEqual(await names(node, SERVICES), ['till'])
  assert.equal(node.cloud.asked.length, 1)
  assert.deepEqual(await names(node, '/api/v1/services'), [])
  assert.deepEqual(await names(node, '/api/v1/namespaces/home/services'), [])
  assert.equal((await ask(node, { path: `${SERVICES}/ghost` })).status, 200, 'what was made a moment ago')
  assert.equal(node.cloud.asked.length, 4)
})

test('where a part is here, the cloud answers; without it and without a copy what is here is told with a warning', async (t) => {
  const { node, whole } = await setup(t)
  await whole({ Service: 2 })
  node.cloud.isConnected = false
  const list = await ask(node, { path: SERVICES })
  assert.match(
    String(list.headers['warning']),
    /services that this node has, and 2 of namespace shop are not among them/,
  )
  const { metadata, items }: Listed = Object(list.json)
  assert.deepEqual(items.length, 1)
  assert.deepEqual(await names(node, SLICES), ['till-1'], 'of slices all is here')
  const everywhere = await ask(node, { path: '/api/v1/services' })
  assert.match(String(everywhere.headers['warning']), /of the namespaces of pods of this node \(shop\)/)
  assert.equal((await ask(node, { path: '/api/v1/namespaces/home/services' })).status, 503)
  node.cloud.isConnected = true
  const answer: JsonObject = { apiVersion: 'v1', kind: 'ServiceList', metadata: { resourceVersion: '80' }, items: [] }
  node.cloud.answer = () => ({ code: 200, object: answer })
  const goesOn = await ask(node, { path: `${SERVICES}?watch=1&resourceVersion=${metadata.resourceVersion}` })
  assert.match(goesOn.text, /"code":410/, 'who began with a part lists again')
  assert.deepEqual(await names(node, SERVICES), [])
  node.cloud.isConnected = false
  const copy = await ask(node, { path: SERVICES })
  assert.match(String(copy.headers['warning']), /this is a copy of 20/)
})

test('a service account lists services where its role says so, without the cloud too, and nowhere else', async (t) => {
  const { node, whole } = await setup(t)
  await whole()
  const issuer = clusterTokens()
  issuer.publish(node.cloud)
  const token = issuer.issue()
  await node.give(
    'shop/serviceaccountaccess/robot',
    access([{ apiGroups: [''], resources: ['services'], verbs: ['list'] }]),
  )
  assert.deepEqual(await names(node, SERVICES, token), ['till'])
  node.cloud.isConnected = false
  assert.deepEqual(await names(node, SERVICES, token), ['till'])
  assert.equal((await ask(node, { path: SLICES, token })).status, 403)
  assert.equal((await ask(node, { path: '/api/v1/services', token })).status, 403)
})

test('an informer of @kubernetes/client-node sees what comes, changes and goes, across an outage, and lists anew where not all is here any more', async (t) => {
  const { node, whole } = await setup(t)
  await whole()
  const config = new KubeConfig()
  config.loadFromFile(node.kubeconfig)
  const api = config.makeApiClient(CoreV1Api)
  const informer = makeInformer<V1Service>(config, SERVICES, () => api.listNamespacedService({ namespace: 'shop' }))
  const seen: string[] = []
  const waiting = new Set<() => void>()
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, (object) => {
      seen.push(`${verb} ${object.metadata?.name}`)
      for (const look of waiting) look()
    })
  }
  const until = (line: string) =>
    new Promise<void>((resolve) => {
      const look = () => seen.includes(line) && resolve()
      waiting.add(look)
      look()
    })
  await informer.start()
  t.after(() => informer.stop())
  await until('add till')
  await node.give('shop/service/new', service('new'))
  await until('add new')
  node.cloud.isConnected = false
  await node.give('shop/service/new', { ...service('new', '21'), spec: { type: 'ClusterIP', clusterIP: '10.0.0.8' } })
  await until('update new')
  await node.take('shop/service/new', service('new', '21'))
  await until('delete new')
  node.cloud.isConnected = true
  const items = [service('till'), service('elsewhere')]
  const list: JsonObject = { apiVersion: 'v1', kind: 'ServiceList', metadata: { resourceVersion: '80' }, items }
  node.cloud.answer = () => ({ code: 200, object: list })
  node.cloud.events = async function* (_request, signal) {
    await once(signal, 'abort')
    yield* []
  }
  await node.take('shop/namespaceservices/all', wholeNamespace('shop'))
  await node.take('shop/service/till', service('till'))
  await until('add elsewhere')
  const deleted = seen.filter((line) => line.startsWith('delete'))
  assert.deepEqual(deleted, ['delete new'], 'what left the node was not deleted')
})

test('who comes with a version of this node to what it has not got lists again, and the cloud is not asked', async (t) => {
  const { node } = await setup(t)
  const version = '1700000000000000'
  for (const path of ['/apis/apps/v1/deployments', '/apis/example.com/v1/widgets']) {
    const { status, text } = await ask(node, { path: `${path}?watch=1&resourceVersion=${version}` })
    assert.equal(status, 410, text)
  }
  assert.deepEqual(node.cloud.asked, [])
})

test('a service that a client makes is on its list at once, and one that it deletes is not', async (t) => {
  const { node, whole } = await setup(t)
  await whole()
  const issuer = clusterTokens()
  issuer.publish(node.cloud)
  await node.give(
    'shop/serviceaccountaccess/robot',
    access([{ apiGroups: [''], resources: ['services'], verbs: ['*'] }]),
  )
  const token = issuer.issue()
  node.cloud.answer = ({ verb }) =>
    verb === 'create'
      ? { code: 201, object: service('made') }
      : { code: 200, object: { apiVersion: 'v1', kind: 'Status', status: 'Success' } }
  const made = await ask(node, { method: 'POST', path: SERVICES, body: { metadata: { name: 'made' } }, token })
  assert.equal(made.status, 201, made.text)
  assert.deepEqual(await names(node, SERVICES, token), ['made', 'till'])
  const tried = await ask(node, { method: 'DELETE', path: `${SERVICES}/till?dryRun=All`, token })
  assert.equal(tried.status, 200)
  assert.equal((await ask(node, { method: 'DELETE', path: `${SERVICES}/made`, token })).status, 200)
  assert.deepEqual(await names(node, SERVICES, token), ['till'])
})

test('services that an original cloud sends are known by name, and a list of them is the cloud’s', async (t) => {
  const node = await serveTestNode()
  t.after(() => node.stop())
  node.cloud.peer = 'kubeedge'
  await node.give('shop/service/till', service('till'))
  await node.give('shop/endpoints/till', { metadata: service('till')['metadata'] ?? {}, subsets: [] })
  assert.equal((await ask(node, { path: `${SERVICES}/till` })).status, 200)
  assert.equal((await ask(node, { path: '/api/v1/namespaces/shop/endpoints/till' })).status, 200)
  assert.equal((await ask(node, { path: SERVICES })).status, 403, 'it is asked with rights of its own')
  node.cloud.isConnected = false
  const list = await ask(node, { path: SERVICES })
  assert.match(String(list.headers['warning']), /services that this node has, and there may be more/)
})

test('kubectl lists services, endpoints and slices of a node without the cloud', {
  skip: needs('kubectl'),
}, async (t) => {
  const { node, whole } = await setup(t)
  await whole()
  node.cloud.isConnected = false
  const { out, err, code } = await kubectl(node, ['get', '-n', 'shop', 'services,endpointslices'])
  assert.equal(code, 0, err)
  assert.match(out, /^service\/till +ClusterIP +10\.0\.0\.7 /m)
  assert.match(out, /^endpointslice\.discovery\.k8s\.io\/till-1 +IPv4 +80 +10\.1\.0\.7 /m)
})
