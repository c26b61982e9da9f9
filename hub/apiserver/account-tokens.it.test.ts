import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { needs } from '../../tools/testing/needs.ts'
import { kubectl } from './testing/kubectl.ts'
import { ask, type Reply } from './testing/request.ts'
import { serveTestApi } from './testing/serve.ts'

const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts'
const PODS = '/api/v1/namespaces/default/pods'

async function setup(t: TestContext) {
  const api = await serveTestApi(t)
  const post = (path: string, body: object) => ask(api, { method: 'POST', path, body })
  await post(ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } })
  const token = (spec: object, name = 'robot') =>
    post(`${ACCOUNTS}/${name}/token`, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec })
  const as = (bearer: string) =>
    ask(api, { path: '/api/v1/pods', anonymous: true, headers: { authorization: `Bearer ${bearer}` } })
  return { api, post, token, as }
}

const statusOf = (reply: Reply) => Reflect.get(Object(reply.json), 'status')
const tokenOf = (reply: Reply): string => String(Object(statusOf(reply))['token'])
const messageOf = (reply: Reply): string => String(Reflect.get(Object(reply.json), 'message'))

test('a token is the service account that it was issued for, and nobody else after a change', async (t) => {
  const { token, as } = await setup(t)
  const issued = tokenOf(await token({}))
  // Known, and allowed nothing: 403 and not 401.
  const known = await as(issued)
  assert.equal(known.status, 403)
  assert.match(messageOf(known), /User "system:serviceaccount:default:robot" cannot list/)
  const [header, payload = '', signature] = issued.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'system:admin' })).toString('base64url')
  for (const wrong of [`${header}.${forged}.${signature}`, `${header}.${payload}.`, `${payload}.x`, 'nonsense']) {
    assert.equal((await as(wrong)).status, 401, wrong)
  }
  assert.equal((await as(tokenOf(await token({ audiences: ['elsewhere'] })))).status, 401)
})

test('a bound token ends with its pod, and every token with its service account', async (t) => {
  const { api, post, token, as } = await setup(t)
  const spec = { serviceAccountName: 'robot', containers: [{ name: 'main', image: 'x' }] }
  const pod = await post(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'till' }, spec })
  const uid = Reflect.get(Object(Reflect.get(Object(pod.json), 'metadata')), 'uid')
  const bound = { kind: 'Pod', apiVersion: 'v1', name: 'till' }
  assert.equal((await token({ boundObjectRef: { ...bound, uid: 'another' } })).status, 409)
  const [ofPod, free] = [await token({ boundObjectRef: { ...bound, uid } }), await token({})].map(tokenOf)
  assert.equal((await as(ofPod ?? '')).status, 403)
  await ask(api, { method: 'DELETE', path: `${PODS}/till` })
  assert.deepEqual([(await as(ofPod ?? '')).status, (await as(free ?? '')).status], [401, 403])
  await ask(api, { method: 'DELETE', path: `${ACCOUNTS}/robot` })
  assert.equal((await as(free ?? '')).status, 401)
})

test('the token that pods get by themselves outlasts the hour after which it is to be made anew, and no other does', async (t) => {
  const { post, token } = await setup(t)
  const pod = { serviceAccountName: 'robot', containers: [{ name: 'main', image: 'x' }] }
  await post(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'till' }, spec: pod })
  const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'till' }
  const spanOf = async (spec: object) => {
    const reply = await token(spec)
    const { iat, exp, ...claims } = JSON.parse(Buffer.from(tokenOf(reply).split('.')[1] ?? '', 'base64url').toString())
    const told = Date.parse(String(Object(statusOf(reply))['expirationTimestamp'])) / 1000 - iat
    return [exp - iat, told, (claims['kubernetes.io'].warnafter ?? iat) - iat]
  }
  assert.deepEqual(await spanOf({ boundObjectRef, expirationSeconds: 3607 }), [31_536_000, 3607, 3607])
  assert.deepEqual(await spanOf({ boundObjectRef, expirationSeconds: 3600 }), [3600, 3600, 0])
  assert.deepEqual(await spanOf({ boundObjectRef, expirationSeconds: 3607, audiences: ['vault'] }), [3607, 3607, 0])
  assert.deepEqual(await spanOf({ expirationSeconds: 3607 }), [3607, 3607, 0])
})

test('a token may end with a Secret or a node, and with nothing else', async (t) => {
  const { api, post, token, as } = await setup(t)
  const secrets = '/api/v1/namespaces/default/secrets'
  await post(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'till' } })
  await post('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'till' } })
  const boundTo = async (kind: string) => {
    const made = await token({ boundObjectRef: { kind, apiVersion: 'v1', name: 'till' } })
    return made.status === 201 ? (tokenOf(made) ?? '') : messageOf(made)
  }
  const [secret, node] = [await boundTo('Secret'), await boundTo('Node')]
  assert.deepEqual([(await as(secret)).status, (await as(node)).status], [403, 403])
  await ask(api, { method: 'DELETE', path: `${secrets}/till` })
  assert.deepEqual([(await as(secret)).status, (await as(node)).status], [401, 403])
  await ask(api, { method: 'DELETE', path: '/api/v1/nodes/till' })
  assert.equal((await as(node)).status, 401)
  assert.equal(await boundTo('ConfigMap'), 'cannot bind token to object of type /v1, Kind=ConfigMap')
})

test('what cannot be issued is refused as Kubernetes does', async (t) => {
  const { api, token } = await setup(t)
  assert.equal((await token({}, 'missing')).status, 404)
  const short = await token({ expirationSeconds: 60 })
  assert.equal(short.status, 422)
  assert.match(messageOf(short), /spec\.expirationSeconds: Invalid value: 60/)
  assert.equal((await token({ audiences: 'one' })).status, 400)
  assert.equal((await ask(api, { path: `${ACCOUNTS}/robot/token` })).status, 405)
  assert.equal((await ask(api, { method: 'POST', path: `${PODS}/x/token`, body: {} })).status, 404)
})

test('kubectl gets a token', { skip: needs('kubectl') }, async (t) => {
  const { api, as } = await setup(t)
  const { out, err } = await kubectl(api, ['create', 'token', 'robot', '--duration=10m'])
  assert.equal((await as(out.trim())).status, 403, err)
})
