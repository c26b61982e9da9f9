import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { generateKeyPair } from '../../../platform/certificates/index.ts'
import { createAuthority } from '../../../platform/certificates/issuing/index.ts'
import { minutes, systemRandom as random } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { newLine, readNodeCertificate, serialInLine } from './node-certificate.ts'
import { isReplicaCertificate, issueReplica } from './replica-certificate.ts'

test('a replica is known by a certificate that only a replica can have been given', async () => {
  const clock = new FakeClock()
  const validity = minutes(60)
  const ca = await createAuthority({ commonName: 'KubeEdge', validity, clock })
  const other = await createAuthority({ commonName: 'KubeEdge', validity, clock })
  const authority = new X509Certificate(ca.certificateDer)
  const own = new X509Certificate((await issueReplica(ca, { clock, random })).certificate)
  assert.equal(isReplicaCertificate(own, authority), true)
  assert.equal(readNodeCertificate(own, authority), undefined)
  assert.equal(isReplicaCertificate(undefined, authority), false)
  const foreign = new X509Certificate((await issueReplica(other, { clock, random })).certificate)
  assert.equal(isReplicaCertificate(foreign, authority), false)

  const { publicKeyDer: publicKey } = await generateKeyPair()
  const isReplica = async (subject: { commonName: string; organizations: readonly string[] }, more: object = {}) => {
    const dates = { notBefore: new Date(clock.now()), notAfter: new Date(clock.now() + 60_000) }
    const serialNumber = serialInLine(newLine(random), random)
    const usages = ['serverAuth', 'clientAuth'] as const
    const issued = await ca.issue({ publicKey, subject, usages, serialNumber, ...dates, ...more })
    return isReplicaCertificate(new X509Certificate(issued), authority)
  }
  const subject = { commonName: 'skerry:cloud-replica', organizations: ['skerry:cloud'] }
  assert.equal(await isReplica(subject), true)
  assert.equal(await isReplica({ commonName: 'system:node:edge-1', organizations: ['system:nodes'] }), false)
  assert.equal(await isReplica({ ...subject, organizations: ['system:nodes'] }), false)
  assert.equal(await isReplica({ ...subject, commonName: 'KubeEdge' }), false)
  assert.equal(await isReplica(subject, { usages: ['clientAuth'] }), false)
  // As cloudcore signed what a holder of its token asked for: with a number of 63 bits.
  assert.equal(await isReplica(subject, { serialNumber: '5a0102030405060f' }), false)
})
