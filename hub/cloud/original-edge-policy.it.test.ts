import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Frame } from '../../schemas/index.ts'
import { PODS, SERVICE_ACCOUNTS } from './kubernetes/index.ts'
import { register } from './testing/kubeedge/kubelet.ts'
import { startWholeCloud } from './testing/kubeedge/whole-cloud.ts'

const RBAC = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'

test('a node gets what the accounts of its pods may do, again when roles change, until the last such pod is gone', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const edge = await connect()
  await register(edge)
  const signal = AbortSignal.timeout(30_000)
  const send = (method: 'POST' | 'PUT', path: string, body: object) =>
    kubernetes.send({ method, path: `${RBAC}/${path}`, body }, 'cloud', signal)
  await kubernetes.create(SERVICE_ACCOUNTS, 'default', { metadata: { name: 'robot' } })
  const spec = { nodeName: 'edge-1', serviceAccountName: 'robot', containers: [{ name: 'main', image: 'x' }] }
  await kubernetes.create(PODS, 'default', { metadata: { name: 'till' }, spec })
  const resource = 'default/serviceaccountaccess/robot'
  const isAccess = ({ route }: Frame) => route.source === 'policycontroller' && route.resource === resource
  const first = await edge.hears(isAccess, 'the rights')
  assert.deepEqual([first.route.operation, first.route.group], ['insert', 'resource'])
  const { apiVersion, kind, spec: given } = Object(first.content)
  assert.deepEqual([apiVersion, kind], ['policy.kubeedge.io/v1alpha1', 'ServiceAccountAccess'])
  assert.deepEqual([given.serviceAccount.metadata.name, given.accessRoleBinding], ['robot', []])

  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' }
  const subjects = [{ kind: 'ServiceAccount', name: 'robot', namespace: 'default' }]
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' }
  await send('POST', 'roles', { ...rbac, kind: 'Role', metadata: { name: 'reader' }, rules })
  await send('POST', 'rolebindings', { ...rbac, kind: 'RoleBinding', metadata: { name: 'robot' }, roleRef, subjects })
  const verbs = (frame: Frame): unknown => Object(frame.content).spec?.accessRoleBinding[0]?.rules?.[0].verbs
  const bound = await edge.hears((frame) => isAccess(frame) && verbs(frame) !== undefined, 'the binding')
  assert.deepEqual([bound.route.operation, verbs(bound)], ['update', ['get']])
  const more = [{ ...rules[0], verbs: ['get', 'list'] }]
  await send('PUT', 'roles/reader', { ...rbac, kind: 'Role', metadata: { name: 'reader' }, rules: more })
  await edge.hears((frame) => isAccess(frame) && JSON.stringify(verbs(frame)) === '["get","list"]', 'the new rules')

  await kubernetes.delete(PODS, { namespace: 'default', name: 'till' }, { gracePeriodSeconds: 0 })
  await edge.hears((frame) => isAccess(frame) && frame.route.operation === 'delete', 'the end')
  assert.deepEqual(edge.strange, [])
})

test('who issues tokens, and its keys, are read through the cloud by MetaServers', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const edge = await connect()
  await register(edge)
  const read = async (Key: string) => {
    const route = { source: 'metaserver', group: 'dynamiccontroller', operation: 'null', resource: 'null' }
    const asked = edge.say(route, { ID: Key, Key, Verb: 'get', Nodename: 'edge-1', Option: null })
    const { content } = await edge.hears(({ header }) => header.parent_msg_id === asked.header.msg_id, 'the answer')
    return JSON.parse(Buffer.from(String(Object(content).RespBody), 'base64').toString())
  }
  const { issuer } = await read('/.well-known/openid-configuration')
  const { keys } = await read('/openid/v1/jwks')
  await kubernetes.create(SERVICE_ACCOUNTS, 'default', { metadata: { name: 'robot' } })
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
  const at = { namespace: 'default', name: 'robot' }
  const { status } = await kubernetes.createBelow(SERVICE_ACCOUNTS, at, 'token', body)
  const [header = '', payload = '', signature = ''] = String(Object(status).token).split('.')
  assert.equal(JSON.parse(Buffer.from(payload, 'base64url').toString()).iss, issuer)
  const key = await crypto.subtle.importKey('jwk', keys[0], { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])
  const by = { name: 'ECDSA', hash: 'SHA-256' }
  const text = Buffer.from(`${header}.${payload}`)
  assert.ok(await crypto.subtle.verify(by, key, Buffer.from(signature, 'base64url'), text))
})
