import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { minutes } from '../../time/index.ts'
import { FakeClock } from '../../time/testing/index.ts'
import { derOf, fingerprint, generateKeyPair, loadKeyPair, parseCertificate, pemOf } from '../index.ts'
import { daysFromNow, testAuthority } from '../testing/index.ts'
import { createAuthority, createCsr, loadAuthority, parseCsr } from './index.ts'

const INVALID = { code: 'PLATFORM_CERTIFICATE_INVALID' }
const NODE = { commonName: 'system:node:edge-1', organizations: ['system:nodes'] }
const SOON = { notBefore: daysFromNow(0), notAfter: daysFromNow(0.5) }

test('an authority begins some minutes back and lasts as long as asked', async () => {
  const clock = new FakeClock()
  const authority = await createAuthority({ commonName: 'KubeEdge', validity: minutes(60), clock })
  const certificate = parseCertificate(authority.certificateDer)
  assert.deepEqual(certificate.subject, { commonName: 'KubeEdge', organizations: [] })
  assert.deepEqual(certificate.issuer, certificate.subject)
  assert.equal(certificate.notBefore.getTime(), clock.now() - minutes(5).milliseconds)
  assert.equal(certificate.notAfter.getTime(), clock.now() + minutes(60).milliseconds)
  assert.deepEqual(certificate.usages, ['serverAuth', 'clientAuth'])
  assert.equal(new X509Certificate(authority.certificatePem).ca, true)
})

test('a certificate carries the profile it was asked for', async () => {
  const authority = await testAuthority()
  const { publicKeyDer } = await generateKeyPair()
  const der = await authority.issue({
    publicKey: publicKeyDer,
    subject: { commonName: 'cloud', organizations: ['a', 'b, with comma'] },
    dnsNames: ['cloud.example'],
    ipAddresses: ['192.0.2.7', '2001:db8::1'],
    usages: ['serverAuth'],
    ...SOON,
  })
  const certificate = parseCertificate(der)
  assert.deepEqual(certificate.subject, { commonName: 'cloud', organizations: ['a', 'b, with comma'] })
  assert.equal(certificate.issuer.commonName, 'Skerry test')
  assert.deepEqual(certificate.dnsNames, ['cloud.example'])
  assert.deepEqual(certificate.ipAddresses, ['192.0.2.7', '2001:db8::1'])
  assert.deepEqual(certificate.usages, ['serverAuth'])
  assert.deepEqual(certificate.publicKeyDer, publicKeyDer)
  assert.equal(certificate.fingerprint, fingerprint(der))
  const read = new X509Certificate(der)
  assert.equal(read.ca, false)
  assert.ok(read.checkIP('192.0.2.7') && read.checkIP('2001:db8::1') && read.checkHost('cloud.example'))
  assert.ok(read.verify(new X509Certificate(authority.certificatePem).publicKey))
})

test('names are certified letter by letter, whatever they look like in other notations', async () => {
  const authority = await testAuthority()
  const { publicKeyDer } = await generateKeyPair()
  const masters = 'system:masters'
  const names = [`#130e${Buffer.from(masters).toString('hex')}`, `"${masters}"`, 'a\\b', ' a,CN=b ', 'gateway-日']
  for (const name of names) {
    const subject = { commonName: name, organizations: [name] }
    const der = await authority.issue({ publicKey: publicKeyDer, subject, usages: ['clientAuth'], ...SOON })
    assert.deepEqual(parseCertificate(der).subject, subject)
  }
})

test('a serial number that is asked for is the one that the certificate has', async () => {
  const authority = await testAuthority()
  const { publicKeyDer } = await generateKeyPair()
  const serialNumber = '4fa0b1c2d3e4f5061728394a5b6c7d8e'
  const profile = { publicKey: publicKeyDer, subject: NODE, usages: ['clientAuth'] as const, ...SOON }
  assert.equal(parseCertificate(await authority.issue({ ...profile, serialNumber })).serialNumber, serialNumber)
  const [one, two] = [
    parseCertificate(await authority.issue(profile)),
    parseCertificate(await authority.issue(profile)),
  ]
  assert.notEqual(one.serialNumber, two.serialNumber)
})

test('a certificate never outlives its authority', async () => {
  const authority = await testAuthority({ days: 1 })
  const { publicKeyDer } = await generateKeyPair()
  const der = await authority.issue({
    publicKey: publicKeyDer,
    subject: NODE,
    usages: ['clientAuth'],
    notBefore: daysFromNow(0),
    notAfter: daysFromNow(30),
  })
  assert.deepEqual(parseCertificate(der).notAfter, parseCertificate(authority.certificateDer).notAfter)
})

test('an authority comes back from PEM, from SEC1 DER and from PKCS#8 DER', async () => {
  const made = await testAuthority({ commonName: 'KubeEdge' })
  const pkcs8 = new Uint8Array(createPrivateKey(made.privateKeyPem).export({ format: 'der', type: 'pkcs8' }))
  const stored = [
    { certificate: made.certificatePem, privateKey: made.privateKeyPem },
    { certificate: made.certificateDer, privateKey: made.privateKeyDer },
    { certificate: made.certificateDer, privateKey: pkcs8 },
  ]
  for (const form of stored) {
    const authority = loadAuthority(form)
    assert.deepEqual(authority.certificateDer, made.certificateDer)
    assert.deepEqual(authority.privateKeyDer, made.privateKeyDer)
    const { publicKeyDer } = await generateKeyPair()
    const der = await authority.issue({ publicKey: publicKeyDer, subject: NODE, usages: ['clientAuth'], ...SOON })
    assert.ok(new X509Certificate(der).verify(createPublicKey(made.privateKeyPem)))
  }
})

test('an authority with an RSA key can be taken over', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const keyPair = loadKeyPair(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())
  const parsed = await parseCsr(await createCsr({ keyPair, subject: NODE }))
  assert.deepEqual(parsed.publicKeyDer, keyPair.publicKeyDer)
})

test('a key that is not the authority’s is refused', async () => {
  const { certificatePem } = await testAuthority()
  const { privateKeyPem } = await generateKeyPair()
  assert.throws(() => loadAuthority({ certificate: certificatePem, privateKey: privateKeyPem }), INVALID)
})

test('a request says who asks for what', async () => {
  const keyPair = await generateKeyPair()
  const csr = await createCsr({ keyPair, subject: NODE, dnsNames: ['edge-1'], ipAddresses: ['10.0.0.4'] })
  const parsed = await parseCsr(csr)
  assert.deepEqual(parsed.subject, NODE)
  assert.deepEqual(parsed.dnsNames, ['edge-1'])
  assert.deepEqual(parsed.ipAddresses, ['10.0.0.4'])
  assert.deepEqual(parsed.publicKeyDer, keyPair.publicKeyDer)
})

test('of a request only the key is signed, never the names it wishes for', async () => {
  const authority = await testAuthority()
  const keyPair = await generateKeyPair()
  const csr = await createCsr({ keyPair, subject: { commonName: 'admin', organizations: ['system:masters'] } })
  const certificate = parseCertificate(await authority.issue({ csr, subject: NODE, usages: ['clientAuth'], ...SOON }))
  assert.deepEqual(certificate.subject, NODE)
  assert.deepEqual(certificate.publicKeyDer, keyPair.publicKeyDer)
})

test('a request with a changed byte is refused wherever the byte is', async () => {
  const csr = await createCsr({ keyPair: await generateKeyPair(), subject: NODE })
  for (let at = 0; at < csr.length; at += 7) {
    const changed = Uint8Array.from(csr)
    changed[at] = (changed[at] ?? 0) ^ 0x01
    await assert.rejects(parseCsr(changed), INVALID, `byte ${at}`)
  }
})

test('what is no certificate, key or PEM is refused with one code', async () => {
  const garbage = new Uint8Array([1, 2, 3])
  assert.throws(() => parseCertificate(garbage), INVALID)
  assert.throws(() => parseCertificate('-----BEGIN CERTIFICATE-----'), INVALID)
  assert.throws(() => derOf('nothing'), INVALID)
  assert.throws(() => loadKeyPair(garbage), INVALID)
  const authority = await testAuthority()
  const issue = { subject: NODE, usages: ['clientAuth'] as const, ...SOON }
  await assert.rejects(authority.issue({ publicKey: garbage, ...issue }), INVALID)
  const { publicKeyDer } = await generateKeyPair()
  await assert.rejects(authority.issue({ publicKey: publicKeyDer, ...issue, ipAddresses: ['cloud'] }), INVALID)
  await assert.rejects(authority.issue({ publicKey: publicKeyDer, ...issue, subject: { commonName: '' } }), INVALID)
})

test('PEM and DER are two forms of one thing', () => {
  const der = Uint8Array.from({ length: 200 }, (_, index) => index)
  assert.deepEqual(derOf(pemOf(der, 'CERTIFICATE')), der)
  assert.equal(fingerprint(new Uint8Array()), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
})
