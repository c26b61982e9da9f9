import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RefusedError, UnavailableError } from '../../../../platform/lifecycle/index.ts'
import type { JsonObject, ServiceAccountTokenRequest } from '../../../../schemas/index.ts'
import { ObstacleError } from '../../pod/obstacle.ts'
import { configMap, FACTS, NEVER, podWith, secret } from '../testing/volumes-stage.ts'
import { contentOf, isContent, isSecret } from './content.ts'
import type { ContentSources } from './sources.ts'

const CONFIG = { ...configMap({ 'a.conf': 'first', b: 'second' }), binaryData: { logo: 'AAEC/w==' } }
const PASSWORD = secret({ user: 'till', password: 'geheim' })

function sources(requests: ServiceAccountTokenRequest[] = []): ContentSources {
  const of = (objects: Readonly<Record<string, JsonObject>>) => async (namespace: string, name: string) =>
    objects[`${namespace}/${name}`]
  return {
    objects: { configMap: of({ 'shop/settings': CONFIG }), secret: of({ 'shop/login': PASSWORD }) },
    token: async (request) => {
      requests.push(request)
      return { token: 'eyJ', expiresAt: 0 }
    },
  }
}

async function filesOf(volume: JsonObject, more: JsonObject = {}, from = sources()) {
  const pod = podWith([{ name: 'v', ...volume }], more)
  const [first] = pod.spec.volumes
  assert.ok(first)
  const files = await contentOf(first, { pod, facts: FACTS, signal: NEVER }, from)
  return [...files].map(([path, { data, mode, uid }]) => [
    path,
    data.toString('latin1'),
    mode.toString(8),
    ...(uid === undefined ? [] : [uid]),
  ])
}

function refusal(message: string) {
  return (error: unknown) => {
    assert.ok(error instanceof ObstacleError)
    assert.deepEqual(error.waiting, { reason: 'FailedMount', message })
    return true
  }
}

test('a configmap is a file for each key, text or bytes', async () => {
  assert.deepEqual(await filesOf({ configMap: { name: 'settings' } }), [
    ['a.conf', 'first', '644'],
    ['b', 'second', '644'],
    ['logo', '\x00\x01\x02\xff', '644'],
  ])
})

test('items choose keys, their places and modes', async () => {
  const items = [
    { key: 'user', path: 'login/name' },
    { key: 'password', path: './login//password', mode: 0o400 },
  ]
  assert.deepEqual(await filesOf({ secret: { secretName: 'login', items, defaultMode: 0o440 } }), [
    ['login/name', 'till', '440'],
    ['login/password', 'geheim', '400'],
  ])
})

test('what is not there says which object and key it is, and what is optional need not be there', async () => {
  const missing = { items: [{ key: 'c', path: 'c' }] }
  const cases: readonly (readonly [JsonObject, string])[] = [
    [{ configMap: { name: 'none' } }, 'volume "v": configmap "none" of namespace shop is not there'],
    [{ secret: { secretName: 'none' } }, 'volume "v": secret "none" of namespace shop is not there'],
    [
      { configMap: { name: 'settings', ...missing } },
      'volume "v": configmap "settings" of namespace shop has no key "c"',
    ],
  ]
  for (const [volume, message] of cases) await assert.rejects(filesOf(volume), refusal(message))
  assert.deepEqual(await filesOf({ configMap: { name: 'none', optional: true } }), [])
  assert.deepEqual(await filesOf({ configMap: { name: 'settings', optional: true, ...missing } }), [])
})

test('a cloud that is away or says no is told as what it is', async () => {
  const failing = (error: Error): ContentSources => {
    const read = () => Promise.reject(error)
    return { objects: { configMap: read, secret: read }, token: read }
  }
  const away = failing(new UnavailableError('The cloud is not connected', { code: 'HUB_OFFLINE' }))
  const settings = { configMap: { name: 'settings', optional: true } }
  await assert.rejects(
    filesOf(settings, {}, away),
    refusal('volume "v": configmap "settings" of namespace shop: the cloud is away and this node does not have it'),
  )
  const fields = { reason: 'configmaps "settings" is forbidden' }
  const no = new RefusedError('The cloud could not answer the query', { code: 'HUB_QUERY_FAILED', fields })
  await assert.rejects(
    filesOf(settings, {}, failing(no)),
    refusal(
      'volume "v": configmap "settings" of namespace shop: The cloud could not answer the query: configmaps "settings" is forbidden',
    ),
  )
  const expired = new UnavailableError('Expired', { code: 'HUB_TOKEN_EXPIRED' })
  const token = { projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }
  await assert.rejects(
    filesOf(token, {}, failing(expired)),
    refusal(
      'volume "v": token of service account "default" of namespace shop: ' +
        'the token that this node has is expired, and the cloud is away or gives no other',
    ),
  )
})

test('no path leads out of the volume, whoever wrote it', async () => {
  for (const path of ['../x', '/etc/passwd', 'a/../../x', '..', '..data', '..x/y', '']) {
    const items = [{ key: 'b', path }]
    await assert.rejects(
      filesOf({ configMap: { name: 'settings', items } }),
      refusal(`volume "v": ${JSON.stringify(path)} does not lead to a place in the volume`),
    )
  }
  const evil: ContentSources = {
    ...sources(),
    objects: { ...sources().objects, configMap: async () => configMap({ '../../evil': 'x' }) },
  }
  await assert.rejects(
    filesOf({ configMap: { name: 'x' } }, {}, evil),
    refusal('volume "v": "../../evil" does not lead to a place in the volume'),
  )
})

test('a path cannot be a file and a folder', async () => {
  const items = [
    { key: 'b', path: 'a' },
    { key: 'a.conf', path: 'a/b' },
  ]
  await assert.rejects(
    filesOf({ configMap: { name: 'settings', items } }),
    refusal('volume "v": a would be a file, and a folder for a/b'),
  )
})

test('a pod is told of itself in files', async () => {
  const items = [
    { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
    { path: 'app', fieldRef: { fieldPath: "metadata.labels['app']" } },
    { path: 'note', fieldRef: { fieldPath: "metadata.annotations['note']" }, mode: 0o400 },
    { path: 'cpu', resourceFieldRef: { containerName: 'app', resource: 'limits.cpu', divisor: '1m' } },
  ]
  const metadata = { labels: { app: 'till', tier: 'front' }, annotations: { note: 'hello' } }
  assert.deepEqual(await filesOf({ downwardAPI: { items } }, { metadata }), [
    ['labels', 'app="till"\ntier="front"', '644'],
    ['app', 'till', '644'],
    ['note', 'hello', '400'],
    ['cpu', '2000', '644'],
  ])
  const asked = (item: JsonObject) => filesOf({ downwardAPI: { items: [{ path: 'x', ...item }] } })
  await assert.rejects(
    asked({ fieldRef: { fieldPath: 'status.podIP' } }),
    refusal('volume "v": x: fieldPath "status.podIP" cannot be told in a file'),
  )
  await assert.rejects(
    asked({ resourceFieldRef: { resource: 'limits.cpu' } }),
    refusal('volume "v": x: limits.cpu of container "" in units of 1 cannot be told'),
  )
})

const TOKEN = { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 7200 } }

test('a projected volume is all its sources, with a token that ends with the pod', async () => {
  const requests: ServiceAccountTokenRequest[] = []
  const ca = { configMap: { name: 'settings', items: [{ key: 'b', path: 'ca.crt' }] } }
  const namespace = { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } }
  const login = { secret: { name: 'login', items: [{ key: 'user', path: 'user' }] } }
  const volume = { projected: { sources: [TOKEN, ca, namespace, login], defaultMode: 0o640 } }
  assert.deepEqual(await filesOf(volume, { serviceAccountName: 'cashier' }, sources(requests)), [
    ['token', 'eyJ', '640'],
    ['ca.crt', 'second', '640'],
    ['namespace', 'shop', '640'],
    ['user', 'till', '640'],
  ])
  assert.deepEqual(requests, [
    {
      namespace: 'shop',
      serviceAccount: 'cashier',
      expirationSeconds: 7200,
      audiences: ['vault'],
      boundTo: { kind: 'Pod', apiVersion: 'v1', name: 'till', uid: 'u-1' },
    },
  ])
})

test('a token is for the one user or the group of the pod alone, where it has one', async () => {
  const volume = { projected: { sources: [TOKEN] } }
  assert.deepEqual(await filesOf(volume, { securityContext: { runAsUser: 1000 } }), [['token', 'eyJ', '600', 1000]])
  assert.deepEqual(await filesOf(volume, { securityContext: { fsGroup: 2000 } }), [['token', 'eyJ', '600']])
  const other = { name: 'first', image: 'a', securityContext: { runAsUser: 1001 } }
  const both = { securityContext: { runAsUser: 1000 }, initContainers: [other] }
  assert.deepEqual(await filesOf(volume, both), [['token', 'eyJ', '644']])
})

test('what belongs in memory is known', () => {
  const { volumes } = podWith([
    { name: 'a', configMap: { name: 'x' } },
    { name: 'b', secret: { secretName: 'x' } },
    { name: 'c', projected: { sources: [TOKEN] } },
    { name: 'd', projected: { sources: [{ secret: { name: 'x' } }] } },
    { name: 'e', projected: { sources: [{ configMap: { name: 'x' } }] } },
    { name: 'f', downwardAPI: {} },
    { name: 'g', emptyDir: {} },
  ]).spec
  assert.deepEqual(volumes.map(isSecret), [false, true, true, true, false, false, false])
  assert.deepEqual(volumes.map(isContent), [true, true, true, true, true, true, false])
})
