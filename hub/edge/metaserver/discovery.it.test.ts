import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { ask } from './testing/ask.ts'
import { clusterTokens } from './testing/cluster-tokens.ts'
import { access, pod } from './testing/objects.ts'
import { type ServedNode, serveTestNode } from './testing/served-node.ts'

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const FOREIGN = '/apis/example.com/v1'
const DEVICES = '/apis/devices.kubeedge.io/v1beta1'

function resource(plural: string, kind: string, more: object = {}): object {
  return {
    ...{ resource: plural, scope: 'Namespaced', singularResource: '', verbs: ['get', 'list'] },
    responseKind: { group: '', version: '', kind },
    ...more,
  }
}

function kinds(
  ...groups: readonly { readonly name?: string; readonly version: string; readonly resources: readonly object[] }[]
) {
  const items = groups.map(({ name, version, resources }) => ({
    metadata: name === undefined ? {} : { name },
    versions: [{ version, resources, freshness: 'Current' }],
  }))
  const list = { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items }
  const object: JsonObject = JSON.parse(JSON.stringify(list))
  return { code: 200, object, tag: `"${JSON.stringify(items).length}"` }
}

const WIDGETS = {
  name: 'example.com',
  version: 'v1',
  resources: [resource('widgets', 'Widget', { shortNames: ['wd'] })],
}
const CORE = kinds({ version: 'v1', resources: [resource('pods', 'Intruder'), resource('crates', 'Crate')] })

async function start(
  t: TestContext,
  apis = kinds(WIDGETS),
): Promise<{ readonly node: ServedNode; readonly token: string }> {
  const node = await serveTestNode()
  t.after(() => node.stop())
  const issuer = clusterTokens()
  issuer.publish(node.cloud)
  node.cloud.paths.set('/api', CORE)
  node.cloud.paths.set('/apis', apis)
  await node.give('shop/pod/till', pod('till'))
  return { node, token: issuer.issue() }
}

const namesAt = async (node: ServedNode, path: string, token?: string) => {
  const { json, status } = await ask(node, { path, ...(token === undefined ? {} : { token }) })
  const { resources = [] }: { readonly resources?: readonly { readonly name: string }[] } =
    status === 200 ? Object(json) : {}
  return resources.map(({ name }) => name)
}

test('all forms of discovery tell kinds of both, and what the node serves itself wins', async (t) => {
  const theirs = {
    name: 'devices.kubeedge.io',
    version: 'v1beta1',
    resources: [resource('devices', 'Bogus'), resource('others', 'Device'), resource('racks', 'Rack')],
  }
  const { node, token } = await start(t, kinds(WIDGETS, theirs, { ...theirs, version: 'v2' }))
  const before = await namesAt(node, DEVICES, '')
  assert.deepEqual(before, [])
  const core = await namesAt(node, '/api/v1', token)
  assert.ok(core.includes('pods/log') && core.includes('crates'))
  assert.deepEqual(await namesAt(node, FOREIGN, token), ['widgets'])
  const { json } = await ask(node, { path: DEVICES, token })
  const own: readonly { readonly name: string; readonly kind: string }[] = Object(json).resources
  assert.equal(own.find(({ name }) => name === 'devices')?.kind, 'Device')
  assert.deepEqual(
    own.map(({ name }) => name).filter((name) => name === 'others' || name === 'racks'),
    ['racks'],
  )
  const group = Object((await ask(node, { path: '/apis/devices.kubeedge.io', token })).json)
  assert.equal(group.preferredVersion.version, 'v1beta1')
  assert.match((await ask(node, { path: '/apis', token })).text, /"name":"example\.com"/)
  const all = await ask(node, { path: '/apis', token, headers: { accept: AGGREGATED } })
  assert.match(all.text, /"resource":"widgets".*"shortNames":\["wd"\]/)
  const tag = String(all.headers['etag'])
  const again = await ask(node, { path: '/apis', token, headers: { accept: AGGREGATED, 'if-none-match': tag } })
  assert.equal(again.status, 304)
  assert.ok(node.cloud.reads.filter(({ path }) => path === '/apis').every(({ aggregated }) => aggregated))
})

test('who may not know it in the cluster is told of the node alone, as with a cloud of KubeEdge', async (t) => {
  const { node, token } = await start(t)
  node.cloud.refuse = (request) => (request.token === token ? { code: 403, object: {} } : undefined)
  assert.deepEqual(await namesAt(node, FOREIGN), ['widgets'], 'the operator asks as the node')
  assert.deepEqual(await namesAt(node, FOREIGN, token), [])
  assert.ok((await namesAt(node, DEVICES, token)).includes('devices'))
  assert.equal((await ask(node, { path: '/apis', token: '' })).status, 403)
  node.cloud.peer = 'kubeedge'
  assert.deepEqual(await namesAt(node, FOREIGN), [])
  assert.ok((await namesAt(node, DEVICES)).includes('devices'))
})

test('without the cloud those may know whose synchronised rights say so', async (t) => {
  const { node, token } = await start(t)
  await namesAt(node, FOREIGN)
  // The node learns the keys of the issuer.
  assert.equal((await ask(node, { path: '/version', token })).status, 200)
  node.cloud.isConnected = false
  assert.deepEqual(await namesAt(node, FOREIGN, token), [], 'nobody told this one')
  const rules = [{ verbs: ['get'], nonResourceURLs: ['/api', '/api/*', '/apis', '/apis/*'] }]
  const bound = access([])
  const spec = Object(bound['spec'])
  const [{ roleBinding }] = spec.accessRoleBinding
  const clusterRoleBinding = {
    ...roleBinding,
    metadata: { name: 'all' },
    roleRef: { ...roleBinding.roleRef, kind: 'ClusterRole' },
  }
  const given = { ...spec, accessClusterRoleBinding: [{ clusterRoleBinding, rules }] }
  await node.give('shop/serviceaccountaccess/robot', { ...bound, spec: given })
  assert.deepEqual(await namesAt(node, FOREIGN, token), ['widgets'])
})

test('a kind that comes up, or is gone, makes the node ask again at once', async (t) => {
  const { node } = await start(t)
  assert.deepEqual(await namesAt(node, FOREIGN), ['widgets'])
  const gadgets = { ...WIDGETS, resources: [...WIDGETS.resources, resource('gadgets', 'Gadget')] }
  node.cloud.paths.set('/apis', kinds(gadgets))
  node.cloud.answer = () => ({
    code: 200,
    object: { apiVersion: 'example.com/v1', kind: 'GadgetList', metadata: {}, items: [] },
  })
  assert.equal((await ask(node, { path: `${FOREIGN}/gadgets` })).status, 200)
  assert.deepEqual(await namesAt(node, FOREIGN), ['gadgets', 'widgets'])
  node.cloud.paths.set('/apis', kinds({ ...gadgets, resources: [resource('gadgets', 'Gadget')] }))
  node.cloud.answer = () => ({ code: 404, object: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 } })
  await ask(node, { path: `${FOREIGN}/widgets` })
  assert.deepEqual(await namesAt(node, FOREIGN), ['gadgets'])
})

test('a cluster that tells nonsense, or too much, leaves the node what it has', async (t) => {
  const { node } = await start(t, {
    code: 200,
    object: { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
    tag: '"old"',
  })
  assert.ok((await namesAt(node, DEVICES)).includes('devices'))
  assert.deepEqual(
    await namesAt(node, '/api/v1'),
    (await namesAt(node, '/api/v1')).filter((name) => name !== 'crates'),
  )
  assert.deepEqual(node.log.messages('warn'), [
    'What the cluster serves could not be asked for; what was known before serves',
  ])
  const many = Array.from({ length: 6000 }, (_, at) => ({
    name: `g${at}.example.com`,
    version: 'v1',
    resources: [resource('widgets', 'Widget')],
  }))
  const huge = await start(t, kinds({ name: '../x', version: 'v1', resources: [resource('a/b', '<script>')] }, ...many))
  const { text } = await ask(huge.node, { path: '/apis', headers: { accept: AGGREGATED } })
  assert.equal(text.match(/"resource":"widgets"/g)?.length, 5000)
  assert.doesNotMatch(text, /script|\.\.\/x/)
  assert.deepEqual(huge.node.log.messages('warn'), ['Some kinds of the cluster are not shown'])
})

test('OpenAPI of both is listed with the cloud, and what is kept of it without', async (t) => {
  const { node } = await start(t)
  const document = { openapi: '3.0.0', paths: {}, components: { schemas: { Widget: { type: 'object' } } } }
  const at = (path: string) => `/openapi/v3/${path}`
  const listed = ['apis/example.com/v1', 'api/v1', 'apis/apps/v1', 'apis/unknown/v1', 'version']
  const paths = Object.fromEntries(listed.map((path) => [path, { serverRelativeURL: `${at(path)}?hash=AB12` }]))
  node.cloud.paths.set('/openapi/v3', { code: 200, object: { paths }, tag: '"i"' })
  node.cloud.paths.set(at('apis/example.com/v1'), { code: 200, object: document })
  node.cloud.paths.set(at('api/v1'), {
    code: 200,
    object: { ...document, components: { schemas: { 'io.k8s.api.core.v1.Pod': { type: 'string' }, Crate: {} } } },
  })
  const index = async () => {
    const found: Readonly<Record<string, { readonly serverRelativeURL: string }>> = Object(
      (await ask(node, { path: '/openapi/v3' })).json,
    ).paths
    return found
  }
  const all = await index()
  assert.equal(all['apis/example.com/v1']?.serverRelativeURL, '/openapi/v3/apis/example.com/v1?hash=AB12')
  assert.deepEqual([all['apis/unknown/v1'], all['version']], [undefined, undefined])
  const asked = () => node.cloud.reads.filter(({ path }) => path.startsWith('/openapi/v3/')).map(({ path }) => path)
  const core = await ask(node, { path: all['api/v1']?.serverRelativeURL ?? '' })
  const { schemas } = Object(core.json).components
  assert.deepEqual([schemas['io.k8s.api.core.v1.Pod'].type, schemas['Crate']], ['object', {}])
  assert.equal((await ask(node, { path: all['apis/apps/v1']?.serverRelativeURL ?? '' })).status, 200)
  assert.deepEqual(asked(), [at('api/v1')], 'what the node describes itself is not asked for')
  node.cloud.isConnected = false
  assert.equal((await index())['apis/example.com/v1'], undefined)
  const missing = await ask(node, { path: at('apis/example.com/v1') })
  assert.equal(missing.status, 503)
  assert.match(missing.text, /no copy of the description of apis\/example\.com\/v1/)
  node.cloud.isConnected = true
  const { json } = await ask(node, { path: at('apis/example.com/v1?hash=AB12') })
  assert.deepEqual(json, document)
  node.cloud.isConnected = false
  assert.deepEqual((await ask(node, { path: at('apis/example.com/v1?hash=AB12') })).json, document)
  assert.ok((await index())['apis/example.com/v1'])
  assert.ok(
    (await index())['api/v1']?.serverRelativeURL.endsWith(all['api/v1']?.serverRelativeURL.split('?')[1] ?? '?'),
  )
})

test('kubectl of earlier days gets both in OpenAPI 2.0, also as protobuf', async (t) => {
  const { node } = await start(t)
  const told: JsonObject = {
    swagger: '2.0',
    paths: {},
    definitions: { Crate: { type: 'object', description: 'A crate.' } },
  }
  const own = (await ask(node, { path: '/openapi/v2' })).text
  assert.doesNotMatch(own, /A crate\./)
  node.cloud.paths.set('/openapi/v2', { code: 200, object: told, tag: '"w"' })
  const issuer = clusterTokens('key-2')
  issuer.publish(node.cloud)
  const both = await ask(node, { path: '/openapi/v2', token: issuer.issue() })
  assert.match(both.text, /A crate\..*io\.kubeedge\.devices/)
  const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'
  const binary = await ask(node, { path: '/openapi/v2', token: issuer.issue(), headers: { accept } })
  assert.match(binary.text, /A crate\./)
  assert.equal(binary.headers['etag'], both.headers['etag'])
})
