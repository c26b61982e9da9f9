import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { parseCertificate } from '../../../platform/certificates/index.ts'
import { createAuthority } from '../../../platform/certificates/issuing/index.ts'
import { memoryLogger } from '../../../platform/log/testing/index.ts'
import { minutes, ms, systemClock, systemRandom } from '../../../platform/time/index.ts'
import { openAuthority } from '../authority/open-authority.ts'
import { NODES, SECRETS } from '../kubernetes/resources.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { call, certificateBetween, csrOf, join, startTlsCloud, type TlsCloud } from '../testing/tls-cloud.ts'

const bearer = (token: string) => `Bearer ${token.split('.').slice(1).join('.')}`

test('an edge fetches the CA, proves it with the token and gets its certificate, once for each bound token', async (t) => {
  const { authority, certificates, stop, kubernetes } = await startTlsCloud(t)
  const token = await authority.createToken({ node: 'edge-1' })
  const ca = await call(certificates.port, { path: '/ca.crt' })
  assert.equal(createHash('sha256').update(ca.body).digest('hex'), token.split('.')[0])
  const caPem = new X509Certificate(ca.body).toString()
  assert.equal(ca.body[0], 0x30, 'DER, not PEM')

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
  assert.equal(await ask(good, (await csrOf('edge-1', undefined, ['system:nodes'], ['edge-1', 'edge-2'])).csr), 403)
  assert.equal(await ask(good), 200)
})

test('a certificate names its node and nobody else, whatever the request wished for, and the connection is closed', async (t) => {
  const { authority, certificates } = await startTlsCloud(t)
  const { csr } = await csrOf('edge-1', undefined, ['system:nodes'], ['edge-1'])
  const headers = { NodeName: 'edge-1', Authorization: bearer(await authority.createToken({})) }
  const ask = (body: Uint8Array) => call(certificates.port, { path: '/edge.crt', ca: authority.caPem, headers, body })
  const answer = await ask(csr)
  const { subject, dnsNames, ipAddresses, notBefore } = parseCertificate(answer.body)
  assert.deepEqual(subject, { commonName: 'system:node:edge-1', organizations: ['system:nodes'] })
  assert.deepEqual([dnsNames, ipAddresses], [[], []])
  const lag = systemClock.now() - notBefore.getTime()
  assert.ok(lag >= minutes(4).milliseconds, 'a gateway whose clock is some minutes behind can use it at once')
  const foreign = await ask((await csrOf('edge-2')).csr)
  assert.deepEqual([foreign.status, foreign.connection], [403, 'close'])
})

test('a request without a good token is refused before its body is read', async (t) => {
  const { authority, certificates } = await startTlsCloud(t)
  const socket = connect({ host: '127.0.0.1', port: certificates.port, ca: authority.caPem })
  t.after(() => socket.destroy())
  const answered = text(socket)
  // Of the body that it promises not a byte follows.
  socket.write('GET /edge.crt HTTP/1.1\r\nHost: a\r\nNodeName: edge-1\r\nContent-Length: 500\r\n\r\n')
  assert.match(await answered, /^HTTP\/1\.1 401 .*a join token or a client certificate is needed/s)
})

async function renewStatus(cloud: TlsCloud, node: string, identity: { cert: string; key: string }) {
  const { csr } = await csrOf(node)
  const { authority, certificates } = cloud
  const headers = { NodeName: node }
  const answer = await call(certificates.port, { path: '/edge.crt', ca: authority.caPem, headers, body: csr, identity })
  return [answer.status, answer.status === 200 ? '' : String(answer.body).trim()] as const
}

test('a certificate that has ended is renewed within the grace, and not a day longer', async (t) => {
  const cloud = await startTlsCloud(t)
  const now = systemClock.now()
  const day = 86_400_000
  const ended = (days: number) => certificateBetween(cloud, 'edge-1', now - 400 * day, now - days * day)
  assert.deepEqual(await renewStatus(cloud, 'edge-1', await ended(1)), [200, ''])
  assert.deepEqual(await renewStatus(cloud, 'edge-1', await ended(29.9)), [200, ''])
  assert.equal((await renewStatus(cloud, 'edge-2', await ended(1)))[0], 401)
  const [status, reason] = await renewStatus(cloud, 'edge-1', await ended(30.1))
  assert.equal(status, 401)
  assert.match(reason, /more than 30 days ago.*skerry token create.*skerry join --force/)
  await cloud.register.revoke('edge-1')
  assert.equal((await renewStatus(cloud, 'edge-1', await ended(1)))[0], 401)
})

test('a certificate whose owner’s clock, or the cloud’s, was wrong by hours is renewed', async (t) => {
  const cloud = await startTlsCloud(t)
  const now = systemClock.now()
  const early = await certificateBetween(cloud, 'edge-1', now + 7_200_000, now + 9_000_000)
  assert.equal((await renewStatus(cloud, 'edge-1', early))[0], 200)
})

test('a certificate of our CA that is no client’s, or whose key the peer does not have, renews nothing', async (t) => {
  const cloud = await startTlsCloud(t)
  const { authority } = cloud
  const serving = { cert: authority.serving.certificatePem, key: authority.serving.keyPem }
  assert.equal((await renewStatus(cloud, 'edge-1', serving))[0], 401)
  const { cert } = await join(cloud, 'edge-1')
  const { key } = await join(cloud, 'edge-2')
  await assert.rejects(renewStatus(cloud, 'edge-1', { cert, key }), /key values mismatch/)
})

test('a revoked node neither renews nor joins with what it has; a new token lets it in, its old certificate stays refused', async (t) => {
  const cloud = await startTlsCloud(t)
  const { authority, certificates, register } = cloud
  const token = await authority.createToken({ node: 'edge-1' })
  const { csr, keyPair } = await csrOf('edge-1')
  const joinWith = async (given: string, body = csr) => {
    const headers = { NodeName: 'edge-1', Authorization: bearer(given) }
    return call(certificates.port, { path: '/edge.crt', ca: authority.caPem, headers, body })
  }
  const first = await joinWith(token)
  assert.equal(first.status, 200)
  const old = { cert: new X509Certificate(first.body).toString(), key: keyPair.privateKeyPem }
  assert.equal((await renewStatus(cloud, 'edge-1', old))[0], 200)
  await register.revoke('edge-1')
  assert.equal((await renewStatus(cloud, 'edge-1', old))[0], 401)
  const again = await joinWith(token)
  assert.deepEqual([again.status, /older than the revocation/.test(String(again.body))], [401, true])
  const fresh = await joinWith(await authority.createToken({ node: 'edge-1' }))
  assert.equal(fresh.status, 200)
  const renewed = { cert: new X509Certificate(fresh.body).toString(), key: keyPair.privateKeyPem }
  assert.equal((await renewStatus(cloud, 'edge-1', renewed))[0], 200)
  assert.equal((await renewStatus(cloud, 'edge-1', old))[0], 401)
})

test('tokens are listed, taken back one by one and all at once', async (t) => {
  const { authority, certificates } = await startTlsCloud(t)
  const ask = async (token: string, node: string) => {
    const { csr } = await csrOf(node)
    const headers = { NodeName: node, Authorization: bearer(token) }
    const answer = await call(certificates.port, { path: '/edge.crt', ca: authority.caPem, headers, body: csr })
    return [answer.status, answer.status === 200 ? '' : String(answer.body).trim()]
  }
  const bound = await authority.createToken({ node: 'edge-1' })
  const open = await authority.createToken({ ttl: minutes(60) })
  assert.deepEqual(await ask(open, 'edge-2'), [200, ''])
  assert.deepEqual(await ask(open, 'edge-3'), [200, ''])
  const [first, second] = await authority.tokens.list()
  assert.deepEqual([first?.node, first?.joins, second?.node, second?.joins], [undefined, 2, 'edge-1', 0])
  await assert.rejects(authority.tokens.revoke('nonsense'), { code: 'HUB_TOKEN_UNKNOWN' })
  assert.equal((await authority.tokens.revoke(first?.id.slice(0, 13) ?? '')).isRevoked, true)
  assert.deepEqual(await ask(open, 'edge-2'), [401, 'the token was revoked: create a new one'])
  assert.equal(await authority.tokens.rotate(), 1)
  assert.deepEqual(await ask(bound, 'edge-1'), [
    401,
    'the token is not one of this cloud, or its key was changed since: create a new one',
  ])
  assert.deepEqual(await authority.tokens.list(), [])
  assert.deepEqual(await ask(await authority.createToken({}), 'edge-1'), [200, ''])
})

test('the serving certificate names what gateways dial, and a new name at a start renews it without losing those of another replica', async () => {
  const ports = { kubernetes: new FakeKubernetes(), clock: systemClock, random: systemRandom }
  const { signal } = new AbortController()
  const namesAt = async (names: readonly string[]) => {
    const { serving } = await openAuthority({ names, certificateDays: 1 }, ports, signal)
    const { dnsNames, ipAddresses, serialNumber, usages } = parseCertificate(serving.certificatePem)
    assert.deepEqual(usages, ['serverAuth'])
    return { names: [...ipAddresses, ...dnsNames].sort(), serialNumber }
  }
  const first = await namesAt(['192.0.2.7', 'cloud.example'])
  assert.deepEqual(first.names, ['192.0.2.7', 'cloud.example'])
  assert.deepEqual(await namesAt(['cloud.example']), first)
  const second = await namesAt(['2001:db8::7'])
  assert.deepEqual(second.names, ['192.0.2.7', '2001:db8::7', 'cloud.example'])
  assert.deepEqual(await namesAt(['192.0.2.7']), second, 'the two replicas do not replace each other’s')
})

test('both listeners show a renewed serving certificate to new connections, without a restart', async (t) => {
  const cloud = await startTlsCloud(t)
  const shown = async (port: number) => {
    const socket = connect({ host: '127.0.0.1', port, ca: cloud.authority.caPem })
    await once(socket, 'secureConnect')
    const { fingerprint256 } = socket.getPeerCertificate()
    socket.destroy()
    return fingerprint256
  }
  const ports = [cloud.certificates.port, cloud.cloudhub.port, cloud.admission.port]
  const before = await Promise.all(ports.map(shown))
  assert.equal(new Set(before).size, 1)
  assert.equal(await cloud.authority.refreshServing(new AbortController().signal), false)
  await cloud.kubernetes.delete(SECRETS, { namespace: 'kubeedge', name: 'cloudcoresecret' })
  assert.equal(await cloud.authority.refreshServing(new AbortController().signal), true)
  const after = await Promise.all(ports.map(shown))
  assert.deepEqual([new Set(after).size, before.includes(after[0] ?? '')], [1, false])
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
  // Who asks costs the API nothing.
  kubernetes.fail('GET nodes', 500, 100)
  for (let tries = 0; tries < 100 && (await status('/node/edge-1')) === 404; tries++);
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

test('who guesses cannot fill the log, however long the names are', async (t) => {
  const log = memoryLogger()
  const { authority, certificates } = await startTlsCloud(t, { log })
  const { csr } = await csrOf('edge-1')
  const headers = { NodeName: 'x'.repeat(2000), Authorization: 'Bearer a.b.c' }
  const ask = () => call(certificates.port, { path: '/edge.crt', ca: authority.caPem, headers, body: csr })
  await Promise.all(Array.from({ length: 40 }, ask))
  const lines = log.lines.filter(({ message }) => message === 'Certificate request refused')
  assert.equal(lines.length, 20)
  for (const { fields } of lines) assert.equal(String(fields['node']).length, 253)
})
