import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Frame, Json, JsonObject } from '../../schemas/index.ts'
import { isJsonObject } from './kubernetes/guards.ts'
import { CONFIG_MAPS, PODS } from './kubernetes/index.ts'
import { register } from './testing/kubeedge/kubelet.ts'
import type { OriginalEdge } from './testing/kubeedge/original-edge.ts'
import { startWholeCloud } from './testing/kubeedge/whole-cloud.ts'

const ROUTE = { source: 'metaserver', group: 'dynamiccontroller', operation: 'null', resource: 'null' }
const base64 = (value: Json) => Buffer.from(JSON.stringify(value)).toString('base64')

function application(Key: string, Verb: string, over: JsonObject = {}): JsonObject {
  return {
    ...{ ID: `id of ${Verb} ${Key}`, Key, Verb, Nodename: 'edge-1', Option: base64({}), ReqBody: null, RespBody: null },
    ...{ Subresource: '', Status: 'InApplying', Reason: '', Error: {}, Timestamp: '0001-01-01T00:00:00Z' },
    ...over,
  }
}

async function answerTo(edge: OriginalEdge, asked: Frame): Promise<Frame> {
  return edge.hears(({ header }) => header.parent_msg_id === asked.header.msg_id, 'the answer')
}

async function apply(edge: OriginalEdge, given: JsonObject): Promise<JsonObject> {
  const answer = await answerTo(edge, edge.say(ROUTE, given))
  assert.deepEqual(answer.route, {
    source: 'dynamiccontroller',
    group: 'resource',
    operation: 'applicationResponse',
    resource: 'ignore/Application/ignore',
  })
  assert.ok(isJsonObject(answer.content))
  assert.deepEqual([answer.content['ID'], 'skerry' in answer.content], [given['ID'], false])
  return answer.content
}

const bodyOf = ({ RespBody }: JsonObject) => JSON.parse(Buffer.from(String(RespBody), 'base64').toString())
const codeOf = ({ Error: error }: JsonObject) => Object(Object(error)['ErrStatus'])['code']

/** A registered edge with a pod that uses one ConfigMap; another pod is elsewhere. */
async function start(t: TestContext) {
  const whole = await startWholeCloud(t)
  const edge = await whole.edge()
  await register(edge)
  const { kubernetes } = whole
  await kubernetes.create(CONFIG_MAPS, 'default', { metadata: { name: 'till-cfg' }, data: { a: '1' } })
  await kubernetes.create(CONFIG_MAPS, 'default', { metadata: { name: 'another' }, data: { a: '2' } })
  const pod = (name: string, nodeName: string) => ({
    metadata: { name },
    spec: { nodeName, containers: [{ name: 'main', image: 'x', envFrom: [{ configMapRef: { name: 'till-cfg' } }] }] },
  })
  await kubernetes.create(PODS, 'default', pod('till', 'edge-1'))
  await kubernetes.create(PODS, 'default', pod('foreign', 'edge-2'))
  await edge.hears(({ route }) => route.resource === 'default/configmap/till-cfg', 'what the pod uses')
  return { ...whole, edge }
}

test('requests of MetaServer are answered with the object and the same ID, for what is the node’s own', async (t) => {
  const { edge } = await start(t)
  const got = await apply(edge, application('/core/v1/configmaps/default/till-cfg', 'get'))
  assert.equal(got['Status'], 'Approved')
  assert.deepEqual(bodyOf(got).data, { a: '1' })
  const listed = await apply(edge, application('/core/v1/pods/null/null', 'list'))
  const names = bodyOf(listed).items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)
  assert.deepEqual(names, ['till'])
  const version = await apply(edge, application('/version', 'get'))
  assert.equal(bodyOf(version).major, '1')
})

test('a missing object is Rejected to MetaServer with a Status of 404, and what is another’s with 403', async (t) => {
  const { edge, kubernetes } = await start(t)
  const missing = await apply(edge, application('/core/v1/pods/default/none', 'get'))
  assert.deepEqual([missing['Status'], missing['RespBody'], codeOf(missing)], ['Rejected', null, 404])
  const refusals = [
    application('/core/v1/configmaps/default/another', 'get'),
    application('/core/v1/configmaps/default/null', 'list'),
    application('/core/v1/secrets/null/null', 'list'),
    application('/core/v1/pods/default/foreign', 'get'),
    application('/core/v1/nodes/null/edge-2', 'get'),
    application('/apps/v1/deployments/default/null', 'list'),
    application('/core/v1/pods/default/till', 'delete'),
    application('/core/v1/configmaps/default/new', 'create', { ReqBody: base64({ metadata: { name: 'new' } }) }),
    // A token is nothing that an original edge knows of.
    application('/core/v1/configmaps/default/another', 'get', { Nodename: 'edge-2', skerry: { token: 'x' } }),
  ]
  for (const refused of refusals) {
    const answer = await apply(edge, refused)
    assert.deepEqual([answer['Status'], codeOf(answer)], ['Rejected', 403], JSON.stringify(refused))
  }
  const strange = await apply(edge, application('/core/v1/../x', 'dance'))
  assert.deepEqual([strange['Status'], codeOf(strange)], ['Rejected', 400])
  assert.ok(await kubernetes.get(PODS, { namespace: 'default', name: 'till' }))
})

test('what the roles of nodes allow is done in the name of the node', async (t) => {
  const { edge, kubernetes } = await start(t)
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'mesh' } }
  const root = '/apis/rbac.authorization.k8s.io/v1'
  const rules = [{ apiGroups: [''], resources: ['services'], verbs: ['list', 'create'] }]
  const signal = AbortSignal.timeout(20_000)
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'mesh' }
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:nodes' }]
  const post = (path: string, body: object) => kubernetes.send({ method: 'POST', path, body }, 'cloud', signal)
  await post(`${root}/clusterroles`, { ...rbac, kind: 'ClusterRole', rules })
  await post(`${root}/clusterrolebindings`, { ...rbac, kind: 'ClusterRoleBinding', roleRef, subjects })
  const listed = await apply(edge, application('/core/v1/services/null/null', 'list'))
  assert.deepEqual([listed['Status'], bodyOf(listed).kind], ['Approved', 'ServiceList'])
  const invalid = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'till' }, spec: { ports: [] } }
  const made = await apply(edge, application('/core/v1/services/default/null', 'create', { ReqBody: base64(invalid) }))
  assert.deepEqual([made['Status'], codeOf(made)], ['Rejected', 422])
})

test('a watch of MetaServer gets what is there as insert, then changes, each with a receipt, also over a reconnect', async (t) => {
  const { edge, kubernetes, identityOf, dial } = await start(t)
  const at = { namespace: 'default', name: 'till' }
  const watch = application('/core/v1/pods/default/null', 'watch')
  assert.equal((await apply(edge, watch))['Status'], 'Approved')
  const isTold = (operation: string, version?: string) => (frame: Frame) =>
    frame.route.source === 'dynamiccontroller' &&
    frame.route.operation === operation &&
    frame.route.resource === 'default/pod/till' &&
    (version === undefined || metadataIn(frame)['resourceVersion'] === version)
  await edge.hears(isTold('insert'), 'the pod')
  const changed = await kubernetes.patch(PODS, at, { metadata: { labels: { a: 'b' } } }, { type: 'merge' })
  await edge.hears(isTold('update', changed.metadata.resourceVersion), 'the change')
  await edge.cut()
  const again = await kubernetes.patch(PODS, at, { metadata: { labels: { a: 'c' } } }, { type: 'merge' })
  const next = await dial('edge-1', { identity: await identityOf('edge-1') })
  assert.ok(typeof next !== 'string')
  await next.hears(isTold('update', again.metadata.resourceVersion), 'what changed meanwhile')
  await kubernetes.delete(PODS, at, { gracePeriodSeconds: 0 })
  await next.hears(isTold('delete'), 'the deletion')
  assert.ok(!next.heard.some((frame) => frame.route.resource === 'default/pod/foreign'))
  assert.deepEqual([...edge.strange, ...next.strange], [])
})

test('watchapp/sync begins what is missing, ends what is not named, and answers with what failed', async (t) => {
  const { edge, kubernetes } = await start(t)
  const good = application('/core/v1/pods/default/null', 'watch')
  const bad = application('/core/v1/secrets/null/null', 'watch')
  const sync = async (...all: JsonObject[]) => {
    const content = Object.fromEntries(all.map((each) => [String(each['ID']), each]))
    return answerTo(edge, edge.say({ ...ROUTE, resource: 'watchapp/sync' }, content))
  }
  const answer = await sync(good, bad)
  assert.deepEqual([answer.route.operation, answer.route.resource], ['applicationResponse', 'watchapp/sync'])
  assert.ok(isJsonObject(answer.content))
  assert.deepEqual(Object.keys(answer.content), [bad['ID']])
  const isTold = ({ route }: Frame) => route.source === 'dynamiccontroller' && route.resource === 'default/pod/till'
  await edge.hears(isTold, 'the pod')
  assert.deepEqual((await sync()).content, {})
  const told = edge.heard.filter(isTold).length
  await kubernetes.patch(
    PODS,
    { namespace: 'default', name: 'till' },
    { metadata: { labels: { a: 'b' } } },
    { type: 'merge' },
  )
  await edge.hears(({ route }) => route.source === 'edgecontroller' && route.operation === 'update', 'its pod')
  assert.equal(edge.heard.filter(isTold).length, told)
})

function metadataIn({ content }: Frame): JsonObject {
  const metadata = isJsonObject(content) ? content['metadata'] : undefined
  return isJsonObject(metadata) ? metadata : {}
}
