import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { needs } from '../../../tools/testing/needs.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { generateKeyPair, pemOf } from '../index.ts'
import { daysFromNow, testAuthority, testIdentity } from '../testing/index.ts'
import { type Authority, createCsr } from './index.ts'

const NODE = { commonName: 'system:node:edge-1', organizations: ['system:nodes'] }

test('openssl accepts the authority, its certificates and our requests', { skip: needs('openssl') }, async () => {
  const folder = temporaryFolder('skerry-certificates-')
  const authority = await testAuthority({ days: 36_400 })
  const keyPair = await generateKeyPair()
  const csr = await createCsr({ keyPair, subject: NODE })
  const issued = await authority.issue({
    csr,
    subject: NODE,
    usages: ['clientAuth'],
    notBefore: daysFromNow(0),
    notAfter: daysFromNow(365),
  })
  const file = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  const openssl = (...words: string[]) => execFileSync('openssl', words, { encoding: 'utf8', stdio: 'pipe' })
  const ca = await file('ca.pem', authority.certificatePem)
  const leaf = await file('leaf.pem', pemOf(issued, 'CERTIFICATE'))
  const request = await file('request.pem', pemOf(csr, 'CERTIFICATE REQUEST'))
  const key = await file('key.pem', keyPair.privateKeyPem)

  assert.match(openssl('verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', ca, leaf), /leaf\.pem: OK/)
  assert.throws(() => openssl('verify', '-purpose', 'sslserver', '-CAfile', ca, leaf), /purpose/)
  const text = openssl('x509', '-in', leaf, '-noout', '-text')
  assert.match(text, /Subject: ?O ?= ?system:nodes, ?CN ?= ?system:node:edge-1/)
  assert.match(text, /Digital Signature, Key Encipherment/)
  assert.match(openssl('x509', '-in', ca, '-noout', '-enddate'), /notAfter=.* 21\d\d GMT/)
  assert.match(openssl('req', '-in', request, '-noout', '-verify', '-subject'), /system:node:edge-1/)
  assert.match(keyPair.privateKeyPem, /^-----BEGIN EC PRIVATE KEY-----/)
  assert.match(openssl('pkey', '-in', key, '-noout', '-text'), /prime256v1/)
})

test('two ends of one authority shake hands', async (t) => {
  const authority = await testAuthority()
  const { port, accepted } = await serve(t, authority)
  const client = connect({ port, host: '127.0.0.1', ...(await testIdentity(authority, NODE, ['clientAuth'])) })
  await once(client, 'secureConnect')
  assert.equal(client.authorized, true)
  assert.equal((await accepted).getPeerCertificate().subject.CN, NODE.commonName)
  client.destroy()
})

test('a node with the same name from another authority is refused', async (t) => {
  const authority = await testAuthority()
  const { port, accepted } = await serve(t, authority)
  const stranger = await testIdentity(await testAuthority(), NODE, ['clientAuth'], authority)
  const client = connect({ port, host: '127.0.0.1', ...stranger })
  client.on('error', () => undefined)
  const closed = once(client, 'close').then(() => 'refused')
  assert.equal(await Promise.race([accepted.then(() => 'accepted'), closed]), 'refused')
})

test('a server that shows the certificate of a client is refused', async (t) => {
  const authority = await testAuthority()
  const { port } = await serve(t, authority, 'clientAuth')
  const client = connect({ port, host: '127.0.0.1', ...(await testIdentity(authority, NODE, ['clientAuth'])) })
  const refusal = await new Promise((resolve) => client.once('error', resolve).once('secureConnect', resolve))
  assert.ok(refusal instanceof Error && /purpose/.test(refusal.message), String(refusal))
})

async function serve(t: TestContext, authority: Authority, usage: 'serverAuth' | 'clientAuth' = 'serverAuth') {
  const server = createServer({
    ...(await testIdentity(authority, { commonName: 'cloud' }, [usage])),
    requestCert: true,
    rejectUnauthorized: true,
  })
  t.after(() => void server.close())
  server.on('tlsClientError', () => undefined)
  const accepted = new Promise<TLSSocket>((resolve) => server.once('secureConnection', resolve))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  return { port: address.port, accepted }
}
