import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger as log } from '../../../platform/log/index.ts'
import { minutes, systemRandom as random, systemClock } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { certificateBetween, join, startTlsCloud } from '../../cloud/testing/tls-cloud.ts'
import { createWebSocketDialer } from '../../link/index.ts'
import { identityFiles, readIdentity, writeIdentity } from './identity-files.ts'
import { renewingDialer } from './renewing-dialer.ts'
import { createRotationModule } from './rotation.ts'

const HEADERS = { node_id: 'edge-1', ConnectionUse: 'msg' }
const { signal } = new AbortController()

/** A node with this certificate, whose clock is right by default. */
async function node(
  cloud: Awaited<ReturnType<typeof startTlsCloud>>,
  { cert, key }: { readonly cert: string; readonly key: string },
  wallClock = systemClock.now(),
) {
  const directory = temporaryFolder('skerry-node-')
  const files = identityFiles(directory)
  await writeIdentity(files, { ca: cloud.authority.caPem, certificate: cert, key })
  const rotation = createRotationModule({
    ...{ address: `127.0.0.1:${cloud.certificates.port}`, nodeName: 'edge-1', files, random, log },
    clock: new FakeClock(wallClock),
    onRotated: () => undefined,
  })
  const server = `127.0.0.1:${cloud.cloudhub.port}`
  const { identity } = rotation
  const dialer = createWebSocketDialer({ server, path: '/p/edge-1/events', identity, clock: systemClock, log })
  const dial = async () => {
    const link = await renewingDialer(dialer, rotation).dial(HEADERS, signal)
    link.close('seen')
    return link.isSkerry
  }
  return { dial, serial: async () => (await readIdentity(files, 'edge-1')).certificate }
}

test('a node that was away past the end of its certificate connects at the first attempt, with a new one', async (t) => {
  const cloud = await startTlsCloud(t)
  const now = systemClock.now()
  const ended = await certificateBetween(
    cloud,
    'edge-1',
    now - minutes(1000).milliseconds,
    now - minutes(60).milliseconds,
  )
  const { dial, serial } = await node(cloud, ended)
  assert.equal(await dial(), true)
  assert.notEqual(await serial(), ended.cert)
})

test('a node whose clock is days behind learns from CloudHub that its certificate has ended, and connects at the second attempt', async (t) => {
  const cloud = await startTlsCloud(t)
  const now = systemClock.now()
  const ended = await certificateBetween(
    cloud,
    'edge-1',
    now - minutes(9000).milliseconds,
    now - minutes(60).milliseconds,
  )
  const { dial } = await node(cloud, ended, now - minutes(5000).milliseconds)
  await assert.rejects(dial(), /HTTP 403: the certificate has expired/)
  assert.equal(await dial(), true)
})

test('a revoked node hears why, and what to do', async (t) => {
  const cloud = await startTlsCloud(t)
  const { dial } = await node(cloud, await join(cloud, 'edge-1'))
  assert.equal(await dial(), true)
  await cloud.register.revoke('edge-1')
  await assert.rejects(dial(), {
    code: 'HUB_LINK_REFUSED',
    message: /HTTP 403: the node was revoked: .*skerry join --force/,
  })
  const ended = systemClock.now() - minutes(60).milliseconds
  const late = await node(cloud, await certificateBetween(cloud, 'edge-1', ended - 9_000_000, ended))
  await assert.rejects(late.dial(), { code: 'HUB_CERTIFICATE_REFUSED', message: /revoked.*skerry join --force/ })
})

test('a certificate that begins later by the clock of the cloud is refused with words, not with a broken connection', async (t) => {
  const cloud = await startTlsCloud(t)
  const begin = systemClock.now() + minutes(60).milliseconds
  const { dial } = await node(
    cloud,
    await certificateBetween(cloud, 'edge-1', begin, begin + minutes(600).milliseconds),
  )
  await assert.rejects(dial(), /HTTP 403: .*begins later by the clock of the cloud: set the clock there/)
})
