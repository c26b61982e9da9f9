import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { parseCertificate } from '../../../platform/certificates/index.ts'
import { createAuthority } from '../../../platform/certificates/issuing/index.ts'
import { minutes, ms, systemClock, systemRandom } from '../../../platform/time/index.ts'
import { openAuthority } from '../authority/open-authority.ts'
import { NODES, SECRETS } from '../kubernetes/resources.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { call, csrOf, join, startTlsCloud } from '../testing/tls-cloud.ts'

const bearer = (token: string) => `Bearer ${token.split('.').slice(1).join('.')}`

test('an edge fetches the CA, proves it with the token and gets its certificate, once for each bound token', async (t) => {
  const { authority, certificates, stop, kubernetes } = await startTlsCloud(t)
  const token = await authority.createToken({ node: 'edge-1' })
  const ca = await call(certificates.port, { path: '/ca.crt' })
  assert.equal(createHash('sha256').update(ca.body).digest('hex'), token.split('.')[0])
  const caPem = new X509Certificate(ca.body).toString()

  const { csr, keyPair } = await csrOf('edge-1')
  const headers = { NodeName: 'edge-1', Authorization: bearer(token) }
  const ask = (body: Uint8Array, more: Record<string, string> = {}) =>
    call(certificates.port, { path: '/edge.crt', ca: caPem, headers: { ...headers, ...more }, body })
  const first = await ask(csr)
  assert.equal(first.status, 200)
  const certificate = parseCertificate(first.body)
  assert.deepEqual(certificate.publicKeyDer, keyPair.publicKeyDer)
  assert.deepEqual(certificate.subject, { commonName: 'system:node:edge-1', organizations: ['system:nodes'] })
  assert.deepEqual(certificate.usages, ['clientAuth'])
  assert.equal(Math.round((certificate.notAfter.getTime() - systemClock.now()) / 86_400_000), 365)
  assert.ok(new X509Certificate(first.body).verify(new X509Certificate(ca.body).publicKey))

  assert.equal((await ask(csr)).status, 200, 'a retry with the same key is allowed')
  const other = await ask((await csrOf('edge-1')).csr)
  assert.deepEqual([other.status, String(other.body)], [401, 'the token was used already: create a new one\n'])
  const both = await ask(csr, { ExtKeyUsages: '[1,2]' })
  assert.deepEqual(parseCertificate(both.body).usages, ['serverAuth', 'clientAuth'])
  assert.equal((await ask(csr, { ExtKeyUsages: '{' })).status, 400)

  await stop()
  const again = await startTlsCloud(t, { kubernetes })
  assert.equal(again.authority.caHash, authority.caHash, 'a restarted cloud is the same authority')
  assert.equal(again.authority.serving.certificatePem, authority.serving.certificatePem)
})

test('what is not in order is refused with a text', async (t) => {
  const { authority, certificates } = await startTlsCloud(t)
  const { csr } = await csrOf('edge-1')
  const ask = async (headers: Record<string, string>, body: Uint8Array = csr) =>
    (await call(certificates.port, { path: '/edge.crt', ca: authority.caPem, headers, body })).status
  const token = await authority.createToken({})
  const good = { NodeName: 'edge-1', Authorization: bearer(token) }
  assert.equal(await ask({ NodeName: 'edge-1' }), 401)
  assert.equal(await ask({ NodeName: 'edge-1', Authorization: 'Bearer a.b.c' }), 401)
  const bound = await authority.createToken({ node: 'edge-2' })
  assert.equal(await ask({ ...good, Authorization: bearer(bound) }), 401)
  const expired = await authority.createToken({ ttl: ms(-5000) })
  assert.equal(await ask({ ...good, Authorization: bearer(expired) }), 401)
  assert.equal(await ask({ Authorization: good.Authorization }), 400)
  assert.equal(await ask({ ...good, NodeName: '../etc' }), 400)
  assert.equal(await ask(good, new Uint8Array([1, 2, 3])), 403)
  assert.equal(await ask(good, (await csrOf('edge-2')).csr), 403)
  assert.equal(await ask(good, (await csrOf('edge-1', undefined, ['system:masters'])).csr), 403)
  assert.equal(await ask(good), 200)
})

test('a body above 1 MiB is refused before it is read', async (t) => {
  const { certificates } = await startTlsCloud(t)
  const body = new Uint8Array(1024 * 1024 + 1)
  const answer = await call(certificates.port, { path: '/edge.crt', headers: { NodeName: 'edge-1' }, body }).catch(
    (error: unknown) => error,
  )
  // The refusal may cut the connection while the rest is still being written.
  if (!(answer instanceof Error)) assert.deepEqual(Reflect.get(Object(answer), 'status'), 413)
})

test('a node renews with its own certificate and no token, for itself alone', async (t) => {
  const cloud = await startTlsCloud(t)
  const identity = await join(cloud, 'edge-1')
  const renew = async (node: string, as = identity) => {
    const { csr } = await csrOf(node)
    const answer = await call(cloud.certificates.port, {
      path: '/edge.crt',
      ca: cloud.authority.caPem,
      headers: { NodeName: node },
      body: csr,
      identity: as,
    })
    return answer.status
  }
  assert.equal(await renew('edge-1'), 200)
  assert.equal(await renew('edge-2'), 401)
  const foreign = await createAuthority({ commonName: 'Other', validity: minutes(10), clock: systemClock })
  const stranger = await csrOf('edge-1')
  const certificate = await foreign.issue({
    csr: stranger.csr,
    subject: { commonName: 'system:node:edge-1', organizations: ['system:nodes'] },
    usages: ['clientAuth'],
    notBefore: new Date(systemClock.now()),
    notAfter: new Date(systemClock.now() + 600_000),
  })
  const cert = new X509Certificate(certificate).toString()
  assert.equal(await renew('edge-1', { cert, key: stranger.keyPair.privateKeyPem }), 401)
})

test('a node is found after it exists, and other paths and methods are not served', async (t) => {
  const { certificates, kubernetes } = await startTlsCloud(t)
  const status = async (path: string, method = 'GET') => (await call(certificates.port, { path, method })).status
  assert.equal(await status('/node/edge-1'), 404)
  await kubernetes.create(NODES, undefined, { metadata: { name: 'edge-1' } })
  assert.equal(await status('/node/edge-1'), 200)
  assert.equal(await status('/node/'), 400)
  assert.equal(await status('/task/x', 'POST'), 405)
})

test('TLS below 1.2 is refused', async (t) => {
  const { certificates } = await startTlsCloud(t)
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect({
    host: '127.0.0.1',
    port: certificates.port,
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
    ciphers: 'DEFAULT@SECLEVEL=0',
    rejectUnauthorized: false,
  })
  socket.on('secureConnect', () => resolve('connected')).on('error', () => resolve('refused'))
  assert.equal(await promise, 'refused')
  socket.destroy()
})

test('a CA of a KubeEdge installation is adopted, and a broken one is never replaced', async (t) => {
  const kubeedge = await createAuthority({ commonName: 'KubeEdge', validity: minutes(1000), clock: systemClock })
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
  const kubernetes = new FakeKubernetes()
  await kubernetes.create(SECRETS, 'kubeedge', {
    metadata: { name: 'casecret' },
    data: { cadata: base64(kubeedge.certificateDer), cakeydata: base64(kubeedge.privateKeyDer) },
  })
  const { authority } = await startTlsCloud(t, { kubernetes })
  assert.deepEqual(authority.caPem, kubeedge.certificatePem)

  const broken = new FakeKubernetes()
  await broken.create(SECRETS, 'kubeedge', {
    metadata: { name: 'casecret' },
    data: { cadata: 'AAAA', cakeydata: 'AAAA' },
  })
  const ports = { kubernetes: broken, clock: systemClock, random: systemRandom }
  const { signal } = new AbortController()
  await assert.rejects(openAuthority({ names: ['a'], certificateDays: 1 }, ports, signal), { code: 'HUB_CA_UNUSABLE' })
  assert.ok(!broken.writes.some((write) => write.startsWith('PUT')))
})
