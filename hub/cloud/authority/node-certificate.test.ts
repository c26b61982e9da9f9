import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { generateKeyPair } from '../../../platform/certificates/index.ts'
import { createAuthority } from '../../../platform/certificates/issuing/index.ts'
import { minutes } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { readNodeCertificate } from './node-certificate.ts'

test('a certificate of our CA is a node’s where its name can be that of a node', async () => {
  const clock = new FakeClock()
  const ca = await createAuthority({ commonName: 'KubeEdge', validity: minutes(60), clock })
  const { publicKeyDer: publicKey } = await generateKeyPair()
  const nodeOf = async (
    commonName: string,
    organization = 'system:nodes',
    usage: 'clientAuth' | 'serverAuth' = 'clientAuth',
  ) => {
    const dates = { notBefore: new Date(clock.now()), notAfter: new Date(clock.now() + 60_000) }
    const subject = { commonName, organizations: [organization] }
    const issued = await ca.issue({ publicKey, subject, usages: [usage], ...dates })
    return readNodeCertificate(new X509Certificate(issued), new X509Certificate(ca.certificateDer))?.node
  }
  assert.equal(await nodeOf('system:node:edge-1.example'), 'edge-1.example')
  for (const name of ['', '..', '.', 'a/b', '../pods', 'Edge 1'])
    assert.equal(await nodeOf(`system:node:${name}`), undefined)
  assert.equal(await nodeOf('edge-1'), undefined)
  assert.equal(await nodeOf('system:node:edge-1', 'system:masters'), undefined)
  assert.equal(await nodeOf('system:node:edge-1', 'system:nodes', 'serverAuth'), undefined)
})
