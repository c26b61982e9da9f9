import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { CONFIG_MAPS, type Kubernetes, SERVICE_ACCOUNTS } from '../../cloud/index.ts'
import { startWholeCloud } from '../../cloud/testing/kubeedge/whole-cloud.ts'
import { eventually, joinEdge } from '../testing/joined-edge.ts'
import type { Applications, WatchedEvent } from './applications.ts'

const MAPS = { group: '', version: 'v1', resource: 'configmaps', namespace: 'default' }
const live = () => AbortSignal.timeout(30_000)

/** A Skerry edge and the whole cloud half over the embedded API, and a service account with rights of its own. */
async function start(t: TestContext) {
  const whole = await startWholeCloud(t)
  const { certificates, cloudhub, authority } = whole.cloud
  const joined = await joinEdge(t, { certificates, cloudhub, authority: authority.current })
  const edge = await joined.start()
  const { applications } = edge.hub
  await eventually(() => applications.isConnected || undefined)
  const token = await robot(whole.kubernetes)
  return { ...whole, edge, applications, token }
}

async function robot(kubernetes: Kubernetes, name = 'robot'): Promise<string> {
  await kubernetes.create(SERVICE_ACCOUNTS, 'default', { metadata: { name } })
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
  const { status } = await kubernetes.createBelow(SERVICE_ACCOUNTS, { namespace: 'default', name }, 'token', body)
  return String(Reflect.get(Object(status), 'token'))
}

async function allow({ kubernetes }: Pick<Awaited<ReturnType<typeof start>>, 'kubernetes'>, verbs: readonly string[]) {
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'robot' } }
  const root = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs }]
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'robot' }
  const subjects = [{ kind: 'ServiceAccount', name: 'robot', namespace: 'default' }]
  const post = (path: string, body: object) => kubernetes.send({ method: 'POST', path, body }, 'cloud', live())
  await post(`${root}/roles`, { ...rbac, kind: 'Role', rules })
  await post(`${root}/rolebindings`, { ...rbac, kind: 'RoleBinding', roleRef, subjects })
}

const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: '1' } })

async function codes(applications: Applications, token?: string) {
  const own = token === undefined ? {} : { token }
  const one = { ...MAPS, name: 'one' }
  const ask = async (request: object) =>
    (await applications.ask({ verb: 'get', at: one, ...own, ...request }, live())).code
  return [
    await ask({ verb: 'create', at: MAPS, body: map('one') }),
    await ask({ verb: 'create', at: MAPS, body: map('one') }),
    await ask({ verb: 'list', at: MAPS }),
    await ask({ verb: 'patch', body: { data: { b: '2' } }, patchType: 'application/merge-patch+json' }),
    await ask({ verb: 'update', body: { ...map('one'), metadata: { name: 'one', resourceVersion: '1' } } }),
    await ask({ verb: 'update', body: { ...map('one'), data: { a: 1 } } }),
    await ask({ verb: 'delete' }),
    await ask({}),
  ]
}

test('a caller’s token decides what is done for him, in the cluster’s own words: conflicts, faults and what is missing', async (t) => {
  const world = await start(t)
  const { applications, token } = world
  assert.deepEqual(await codes(applications, token), [403, 403, 403, 403, 403, 403, 403, 403])
  assert.deepEqual(await codes(applications, 'e30.e30.e30'), [401, 401, 401, 401, 401, 401, 401, 401])
  // The node has rights to none of these, and the cloud half has to all.
  assert.deepEqual(await codes(applications), [403, 403, 403, 403, 403, 403, 403, 403])
  await allow(world, ['*'])
  assert.deepEqual(await codes(applications, token), [201, 409, 200, 200, 409, 400, 200, 404])
})

test('a watch resumes with what changed while the link was down, and ends with the rights of its caller', async (t) => {
  const world = await start(t)
  const { applications, token, kubernetes, edge } = world
  await allow(world, ['list', 'watch'])
  await kubernetes.create(CONFIG_MAPS, 'default', map('before'))
  const seen: WatchedEvent[] = []
  const reader = new AbortController()
  const watching = (async () => {
    for await (const event of applications.watch({ at: MAPS, token }, reader.signal)) {
      if (event.type !== 'BOOKMARK') seen.push(event)
    }
  })().catch((error: unknown) => assert.equal(error, reader.signal.reason))
  const names = () => seen.map(({ type, object }) => `${type} ${Object(object['metadata']).name}`)
  await eventually(() => names().includes('ADDED before') || undefined)
  await kubernetes.create(CONFIG_MAPS, 'default', map('during'))
  await eventually(() => names().includes('ADDED during') || undefined)
  edge.hub.reconnect('test')
  await kubernetes.delete(CONFIG_MAPS, { namespace: 'default', name: 'before' })
  await kubernetes.create(CONFIG_MAPS, 'default', map('after'))
  await eventually(() => names().includes('ADDED after') || undefined)
  assert.deepEqual(
    names().filter((each) => !each.includes('kube-root')),
    ['ADDED before', 'ADDED during', 'DELETED before', 'ADDED after'],
  )
  reader.abort(new Error('read enough'))
  await watching
  const none = await robot(kubernetes, 'stranger')
  const refused: WatchedEvent[] = []
  for await (const event of applications.watch({ at: MAPS, token: none }, live())) refused.push(event)
  assert.deepEqual(
    refused.map(({ type, object }) => [type, object['code']]),
    [['ERROR', 403]],
  )
})

test('what an API is, anybody on the node reads through the cloud', async (t) => {
  const { applications } = await start(t)
  const version = await applications.read({ path: '/version' }, live())
  assert.deepEqual([version.code, version.object?.['major']], [200, '1'])
  const groups = await applications.read({ path: '/apis' }, live())
  assert.equal(groups.object?.['kind'], 'APIGroupList')
})

const kinds = (applications: Applications, more: { readonly knownTag?: string; readonly token?: string } = {}) =>
  applications.read({ path: '/apis', aggregated: true, ...more }, live())

test('kinds come in one answer, and again only where they changed', async (t) => {
  const { applications, token } = await start(t)
  const { code, object, tag } = await kinds(applications)
  assert.deepEqual([code, object?.['kind']], [200, 'APIGroupDiscoveryList'])
  assert.ok(tag)
  assert.deepEqual(await kinds(applications, { knownTag: tag }), { code: 304, tag })
  assert.deepEqual(await kinds(applications, { knownTag: tag, token }), { code: 304, tag })
  assert.equal((await kinds(applications, { knownTag: '"other"' })).code, 200)
  assert.equal((await kinds(applications, { knownTag: tag, token: 'e30.e30.e30' })).code, 401)
  const document = await applications.read({ path: '/openapi/v3/apis/apps/v1' }, live())
  assert.equal(document.object?.['openapi'], '3.0.0')
})

test('where a cluster does not tell everybody what it serves, neither node nor caller learns it', async (t) => {
  const { applications, kubernetes, token } = await start(t)
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system:discovery'
  assert.equal((await kubernetes.send({ method: 'DELETE', path }, 'cloud', live())).status, 200)
  await eventually(async () => (await kinds(applications, { token })).code === 403 || undefined)
  const refused = await kinds(applications)
  assert.equal(refused.code, 403)
  assert.match(JSON.stringify(refused.object), /node edge-1 may not/)
  assert.equal((await applications.read({ path: '/version' }, live())).code, 200)
})

test('what is asked by path is no way to objects, least of all with the rights of the cloud half', async (t) => {
  const { applications } = await start(t)
  const path = '/openapi/v3/../../api/v1/namespaces/default/configmaps'
  assert.equal((await applications.read({ path }, live())).code, 400)
  assert.equal((await applications.read({ path: '/openapi/v3/api/v1' }, live())).code, 200)
})

test('a Table has whole objects in it, and a node gets none of what it may have in part', async (t) => {
  const started = await start(t)
  const { applications, token } = started
  await allow(started, ['create', 'list'])
  await applications.ask({ verb: 'create', at: MAPS, body: map('one'), token }, live())
  const listed = await applications.ask({ verb: 'list', at: MAPS, token, table: true }, live())
  const rows: unknown = listed.object?.['rows']
  assert.ok(Array.isArray(rows))
  const one = rows.find(({ cells }) => cells[0] === 'one')
  assert.equal(one?.object.data.a, '1')
  const devices = { group: 'devices.kubeedge.io', version: 'v1beta1', resource: 'devices', namespace: 'default' }
  const own = await applications.ask({ verb: 'list', at: devices, table: true }, live())
  assert.deepEqual([own.code, own.object?.['kind']], [200, 'DeviceList'])
  const nodes = { group: '', version: 'v1', resource: 'nodes' }
  const self = await applications.ask({ verb: 'list', at: nodes, table: true }, live())
  assert.deepEqual([self.code, self.object?.['kind']], [200, 'NodeList'])
})
