import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { minutes, systemClock } from '../../platform/time/index.ts'
import { at, done, gone, refused, until } from './testing/objects.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

const SHOP = '/api/v1/namespaces/shop'
const SYSTEM_SECRETS = '/api/v1/namespaces/kube-system/secrets'
const isThere = (object: unknown) => object !== undefined

describe('accounts and tokens', () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) })
    await post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const post = (path: string, body: object) => done(api, { method: 'POST', path, body })
  const as = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` }
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
    const { status, json } = await ask(api, { method: 'POST', path, body, headers, anonymous: true })
    return {
      status,
      name: at(json, 'status', 'userInfo', 'username'),
      groups: at(json, 'status', 'userInfo', 'groups'),
    }
  }

  it('each namespace has its default account and the authority of the API, and gets them again', async () => {
    for (const path of [`${SHOP}/serviceaccounts/default`, `${SHOP}/configmaps/kube-root-ca.crt`]) {
      const first = at(await until(api, path, isThere), 'metadata', 'uid')
      await done(api, { method: 'DELETE', path })
      await until(api, path, (object) => isThere(object) && at(object, 'metadata', 'uid') !== first)
    }
    const patch = { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' } }
    await done(api, { ...patch, path: `${SHOP}/configmaps/kube-root-ca.crt`, body: { data: { 'ca.crt': 'mine' } } })
    await until(api, `${SHOP}/configmaps/kube-root-ca.crt`, (map) => at(map, 'data', 'ca.crt') === api.pki.ca)
  })

  it('a namespace goes with its account', async () => {
    await post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'brief' } })
    await until(api, '/api/v1/namespaces/brief/serviceaccounts/default', isThere)
    await done(api, { method: 'DELETE', path: '/api/v1/namespaces/brief' })
    await gone(api, '/api/v1/namespaces/brief')
  })

  it('a pod runs under an account that is there', async () => {
    const pod = (name: string, spec: object = {}, annotations: object = {}) => ({
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, annotations } },
      spec: { containers: [{ name: 'main', image: 'x' }], ...spec },
    })
    const plain = await post(`${SHOP}/pods`, pod('plain'))
    assert.deepEqual(
      [at(plain, 'spec', 'serviceAccountName'), at(plain, 'spec', 'serviceAccount')],
      ['default', 'default'],
    )
    assert.match(String(at(plain, 'spec', 'volumes', 0, 'name')), /^kube-api-access-[a-z0-9]{5}$/)
    const without = await post(`${SHOP}/pods`, pod('without', { automountServiceAccountToken: false }))
    assert.equal(at(without, 'spec', 'volumes'), undefined)
    const lost = { method: 'POST', path: `${SHOP}/pods`, body: pod('lost', { serviceAccountName: 'nobody' }) }
    const { json } = await refused(api, lost, 403, 'Forbidden')
    assert.equal(
      at(json, 'message'),
      'pods "lost" is forbidden: error looking up service account shop/nobody: serviceaccount "nobody" not found',
    )
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'puller' } }
    await post(`${SHOP}/serviceaccounts`, { ...account, imagePullSecrets: [{ name: 'registry' }] })
    const pulling = await post(`${SHOP}/pods`, pod('pulling', { serviceAccountName: 'puller' }))
    assert.deepEqual(at(pulling, 'spec', 'imagePullSecrets'), [{ name: 'registry' }])
    const mirror = await post(`${SHOP}/pods`, pod('mirror', { nodeName: 'n' }, { 'kubernetes.io/config.mirror': 'x' }))
    assert.equal(at(mirror, 'spec', 'serviceAccountName'), undefined)
  })

  it('a bootstrap token is who its Secret says, until it ends', async () => {
    const token = (id: string, more: object = {}) => ({
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: `bootstrap-token-${id}` } },
      type: 'bootstrap.kubernetes.io/token',
      stringData: {
        ...{ 'token-id': id, 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true' },
        ...more,
      },
    })
    await post(SYSTEM_SECRETS, token('abcdef', { 'auth-extra-groups': 'system:bootstrappers:shop' }))
    await post(SYSTEM_SECRETS, token('unused', { 'usage-bootstrap-authentication': 'false' }))
    await post(SYSTEM_SECRETS, token('bossy1', { 'auth-extra-groups': 'system:masters' }))
    const past = new Date(systemClock.now() - minutes(1).milliseconds).toISOString()
    await post(SYSTEM_SECRETS, token('ended1', { expiration: past }))
    const known = await as('abcdef.0123456789abcdef')
    assert.deepEqual(known, {
      ...{ status: 201, name: 'system:bootstrap:abcdef' },
      groups: ['system:bootstrappers', 'system:bootstrappers:shop', 'system:authenticated'],
    })
    const review = {
      ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview' },
      spec: { token: 'abcdef.0123456789abcdef', audiences: ['vault'] },
    }
    const reviewed = await post('/apis/authentication.k8s.io/v1/tokenreviews', review)
    assert.equal(at(reviewed, 'status', 'authenticated'), undefined, 'it is for this API alone')
    for (const wrong of ['abcdef.0123456789abcdee', 'unused', 'bossy1', 'ended1', 'nobody']) {
      const text = wrong.includes('.') ? wrong : `${wrong}.0123456789abcdef`
      assert.equal((await as(text)).status, 401, text)
    }
    await done(api, { method: 'DELETE', path: `${SYSTEM_SECRETS}/bootstrap-token-abcdef` })
    assert.equal((await as('abcdef.0123456789abcdef')).status, 401)
  })

  it('a Secret that asks for a token of an account gets it, and goes with the account', async () => {
    await post(`${SHOP}/serviceaccounts`, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } })
    const annotations = { 'kubernetes.io/service-account.name': 'robot' }
    const metadata = { name: 'robot-token', annotations }
    await post(`${SHOP}/secrets`, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata,
      type: 'kubernetes.io/service-account-token',
    })
    const filled = await until(
      api,
      `${SHOP}/secrets/robot-token`,
      (secret) => at(secret, 'data', 'token') !== undefined,
    )
    const token = Buffer.from(String(at(filled, 'data', 'token')), 'base64').toString()
    assert.equal((await as(token)).name, 'system:serviceaccount:shop:robot')
    assert.equal(Buffer.from(String(at(filled, 'data', 'ca.crt')), 'base64').toString(), api.pki.ca)
    const patch = { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' } }
    await done(api, { ...patch, path: `${SHOP}/secrets/robot-token`, body: { data: { token: null } } })
    await until(api, `${SHOP}/secrets/robot-token`, (secret) => at(secret, 'data', 'token') !== undefined)
    assert.equal((await as(token)).status, 401, 'a token that was taken out of its Secret has ended')
    await done(api, { method: 'DELETE', path: `${SHOP}/serviceaccounts/robot` })
    await gone(api, `${SHOP}/secrets/robot-token`)
    assert.equal((await as(token)).status, 401)
  })
})
