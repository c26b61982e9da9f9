import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rename, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { testAuthority, testIdentity } from '../../../platform/certificates/testing/index.ts'
import { serveHttps } from '../../../platform/http/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { type Clock, seconds, systemClock, systemRandom } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { serveApi } from '../../apiserver/testing/serve.ts'
import { CONFIG_MAPS, type Kubernetes, kubernetesInside, NAMESPACES, SERVICE_ACCOUNTS } from '../kubernetes/index.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { type ClientAuthoritySource, createAccessModule } from './module.ts'
import { clientTls, credentialsOf } from './shown.ts'

const live = AbortSignal.timeout(60_000)
const PUBLISHED = { namespace: 'kube-system', name: 'extension-apiserver-authentication' }

async function start(
  t: TestContext,
  source: ClientAuthoritySource | undefined,
  kubernetes: Kubernetes,
  clock: Clock = systemClock,
) {
  const module = createAccessModule(source, { kubernetes, clock, random: systemRandom, log: silentLogger })
  const onCrash = (error: unknown) => assert.fail(String(error))
  const scope = createScope('access', { clock, log: silentLogger, deadline: seconds(5), onCrash })
  t.after(() => scope[Symbol.asyncDispose]())
  await module.start(scope)
  return module
}

/** Settles with the next bundle. */
function nextBundle({ authority }: { authority: ReturnType<typeof createAccessModule>['authority'] }) {
  const { promise, resolve } = Promise.withResolvers<string>()
  const following = authority.onChange((pem) => {
    following[Symbol.dispose]()
    resolve(pem)
  })
  return promise
}

test('a server knows callers by certificate and by token, and another authority counts as soon as it is published', async (t) => {
  const [first, second] = [await testAuthority({ commonName: 'first' }), await testAuthority({ commonName: 'second' })]
  const kubernetes = new FakeKubernetes()
  kubernetes.answerReview = (_kind, { token }) =>
    token === 'good' ? { authenticated: true, user: { username: 'ann' } } : {}
  const module = await start(t, undefined, kubernetes)
  const own = await testIdentity(await testAuthority(), { commonName: 'server' }, ['serverAuth'])
  const server = await serveHttps({
    at: { host: '127.0.0.1', port: 0 },
    log: silentLogger,
    tls: { key: own.key, cert: own.cert, ...clientTls(module.authority) },
    handler: async (incoming, response, signal) => {
      const user = await module.access.authenticate(credentialsOf(incoming), signal)
      response.end(user?.name ?? 'nobody')
    },
  })
  t.after(() => server.close(seconds(0)))
  const renew = () => server.renew({ key: own.key, cert: own.cert, ...clientTls(module.authority) })
  const renewing = module.authority.onChange(renew)
  t.after(() => renewing[Symbol.dispose]())
  const ask = async (identity: { key?: string; cert?: string }, headers: Readonly<Record<string, string>> = {}) => {
    const { key, cert } = identity
    const shown = { ...(key === undefined ? {} : { key }), ...(cert === undefined ? {} : { cert }) }
    const asking = request({ port: server.port, host: '127.0.0.1', ca: own.ca, agent: false, headers, ...shown }).end()
    const [response] = await once(asking, 'response', { signal: live })
    return await text(response)
  }
  const subject = { commonName: 'kubelet-client', organizations: ['system:masters'] }
  const one = await testIdentity(first, subject, ['clientAuth'])
  const two = await testIdentity(second, { commonName: 'other-client' }, ['clientAuth'])
  const serving = await testIdentity(first, { commonName: 'node-1' }, ['serverAuth'])
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

  assert.equal(await ask(one), 'nobody')
  let changed = nextBundle(module)
  await kubernetes.create(CONFIG_MAPS, PUBLISHED.namespace, {
    metadata: PUBLISHED,
    data: { 'client-ca-file': first.certificatePem },
  })
  assert.equal(await changed, first.certificatePem)
  assert.equal(await ask(one), 'kubelet-client')
  assert.equal(await ask(two), 'nobody')
  assert.equal(await ask(serving), 'nobody')
  assert.equal(await ask(two, bearer('good')), 'ann')
  assert.equal(await ask({}, bearer('good')), 'ann')
  assert.equal(await ask({}, bearer('bad')), 'nobody')
  const protocols = `v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.${Buffer.from('good').toString('base64url')}`
  assert.equal(await ask({}, { 'sec-websocket-protocol': protocols }), 'ann')
  assert.equal(await ask({}, { authorization: 'Basic good' }), 'nobody')

  changed = nextBundle(module)
  await kubernetes.patch(
    CONFIG_MAPS,
    PUBLISHED,
    { data: { 'client-ca-file': second.certificatePem } },
    { type: 'merge' },
  )
  await changed
  assert.equal(await ask(one), 'nobody')
  assert.equal(await ask(two), 'other-client')
})

test('an authority in a file is read again when it changes, and a damaged one leaves the last', async (t) => {
  const file = join(temporaryFolder('skerry-access-'), 'ca.crt')
  const [first, second] = [await testAuthority(), await testAuthority()]
  await writeFile(file, first.certificatePem)
  const clock = new FakeClock()
  const module = await start(t, { file }, new FakeKubernetes(), clock)
  assert.equal(module.authority.pem, first.certificatePem)
  const put = async (content: string) => {
    await writeFile(`${file}.new`, content)
    await rename(`${file}.new`, file)
  }
  const bundle = `${first.certificatePem}${second.certificatePem}`
  const changed = nextBundle(module)
  await put(bundle)
  await clock.advance(seconds(30))
  assert.equal(await changed, bundle)
  await put('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
  await clock.advance(seconds(30))
  assert.equal(module.authority.certificates.length, 2)
})

test('tokens of service accounts and roles of the API decide, with no more than the rights of the cloud half', async (t) => {
  const api = await serveApi(temporaryFolder('skerry-access-'))
  t.after(() => api[Symbol.asyncDispose]())
  const ports = { clock: systemClock, log: silentLogger }
  const admin = kubernetesInside(api.local({ name: 'admin', groups: ['system:masters'] }), ports)
  const cloud = kubernetesInside(api.local({ name: 'skerry-cloud', groups: ['skerry:cloud'] }), ports)
  const module = await start(t, { pem: api.pki.ca }, cloud)
  await admin.create(NAMESPACES, undefined, { metadata: { name: 'shop' } })
  await admin.create(SERVICE_ACCOUNTS, 'shop', { metadata: { name: 'till' } })
  const issued = await admin.createBelow(SERVICE_ACCOUNTS, { namespace: 'shop', name: 'till' }, 'token', {
    ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  })
  const token = String(Reflect.get(Object(issued['status']), 'token'))
  const user = await module.access.authenticate({ token }, live)
  assert.equal(user?.name, 'system:serviceaccount:shop:till')
  assert.equal(await module.access.authenticate({ token: `${token}x` }, live), undefined)
  const wanted = { verb: 'get', resource: { group: '', plural: 'nodes', subresource: 'proxy', name: 'edge-1' } }
  assert.equal((await module.access.authorize(user, wanted, live)).allowed, false)
  const masters = { name: 'root', groups: ['system:masters'] }
  assert.equal((await module.access.authorize(masters, wanted, live)).allowed, true)
})
