import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, readFile, stat, writeFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { fingerprint, parseCertificate } from '../../../platform/certificates/index.ts'
import { type Authority, parseCsr } from '../../../platform/certificates/issuing/index.ts'
import { testAuthority } from '../../../platform/certificates/testing/index.ts'
import { ConfigError, createScope, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { ms, seconds, systemClock } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { type CertificateEndpoint, startEndpoint } from '../testing/certificate-endpoint.ts'
import { countingRandom } from '../testing/edge-bench.ts'
import { identityFiles, readIdentity } from './identity-files.ts'
import { finishCommit } from './identity-journal.ts'
import { joinNode, renewIdentity } from './join-node.ts'
import { renewingDialer } from './renewing-dialer.ts'
import { createRotationModule } from './rotation.ts'
import { parseJoinToken } from './token.ts'

const claims = Buffer.from(JSON.stringify({ exp: 1, node: 'edge-1' })).toString('base64url')
const tokenOf = (authority: Authority) => parseJoinToken(`${fingerprint(authority.certificateDer)}.h.${claims}.s`)

function folder() {
  const directory = temporaryFolder('skerry-join-')
  return { directory, files: identityFiles(directory) }
}

async function bench(t: TestContext, options: Parameters<typeof startEndpoint>[2] = {}) {
  const authority = await testAuthority()
  const endpoint = await startEndpoint(t, authority, options)
  const { files, directory } = folder()
  const join = (nodeName = 'edge-1') =>
    joinNode({ address: endpoint.address, token: tokenOf(authority), nodeName, files, clock: systemClock })
  return { authority, endpoint, files, directory, join }
}

test('joining asks for the CA, then sends token and request as KubeEdge does, and stores PEM that only we can read', async (t) => {
  const { endpoint, files, join } = await bench(t)
  const identity = await join()
  const [ca, edge] = endpoint.calls
  assert.deepEqual([ca?.path, ca?.headers['authorization'], ca?.body.length], ['/ca.crt', undefined, 0])
  assert.equal(edge?.path, '/edge.crt')
  assert.equal(edge?.headers['nodename'], 'edge-1')
  assert.equal(edge?.headers['authorization'], `Bearer h.${claims}.s`)
  const csr = await parseCsr(edge?.body ?? Buffer.alloc(0))
  assert.deepEqual(csr.subject, { commonName: 'system:node:edge-1', organizations: ['system:nodes'] })
  const publicKey = createPublicKey({ key: Buffer.from(csr.publicKeyDer), format: 'der', type: 'spki' })
  assert.equal(publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  assert.deepEqual(await readIdentity(files, 'edge-1'), identity)
  assert.match(await readFile(files.key, 'utf8'), /^-----BEGIN EC PRIVATE KEY-----/)
  assert.match(await readFile(files.certificate, 'utf8'), /^-----BEGIN CERTIFICATE-----/)
  for (const file of Object.values(files)) assert.equal((await stat(file)).mode & 0o777, 0o600)
})

test('another CA than the token’s is refused before any secret is sent', async (t) => {
  const { endpoint, join } = await bench(t, { shownCa: await testAuthority() })
  await assert.rejects(join(), { code: 'HUB_CA_NOT_TRUSTED' })
  assert.deepEqual(
    endpoint.calls.map(({ path }) => path),
    ['/ca.crt'],
  )
})

test('a server that shows the right CA but is not certified by it gets no secret', async (t) => {
  const { endpoint, join } = await bench(t, { servedBy: await testAuthority() })
  await assert.rejects(join(), { code: 'HUB_CERTIFICATES_UNREACHABLE' })
  assert.equal(endpoint.calls.length, 1)
})

test('a server whose certificate names another host gets no secret', async (t) => {
  const { endpoint, join } = await bench(t, { host: 'cloud.example' })
  await assert.rejects(join(), (error) => {
    assert.ok(error instanceof UnavailableError && error.cause instanceof Error)
    assert.equal(Reflect.get(error.cause, 'code'), 'ERR_TLS_CERT_ALTNAME_INVALID')
    return error.code === 'HUB_CERTIFICATES_UNREACHABLE'
  })
  assert.deepEqual(
    endpoint.calls.map(({ path }) => path),
    ['/ca.crt'],
  )
})

test('a token of another node is not even sent', async (t) => {
  const { endpoint, join } = await bench(t)
  await assert.rejects(join('edge-2'), { code: 'HUB_TOKEN_OF_ANOTHER_NODE' })
  assert.equal(endpoint.calls.length, 0)
})

test('what the cloud says no to is told as it says it', async (t) => {
  const { endpoint, join, files } = await bench(t)
  endpoint.answer = async () => ({ status: 401, body: 'the token has expired: create a new one\n' })
  await assert.rejects(join(), { code: 'HUB_CERTIFICATE_REFUSED', message: /token has expired/ })
  await assert.rejects(readIdentity(files, 'edge-1'), { code: 'HUB_NOT_JOINED' })
})

test('a certificate of another authority, node or key is not taken', async (t) => {
  const { authority, endpoint, join } = await bench(t)
  const issue = async (by: Authority, commonName: string) => {
    const notBefore = new Date(systemClock.now())
    const notAfter = new Date(systemClock.now() + 60_000)
    const subject = { commonName, organizations: ['system:nodes'] }
    endpoint.answer = async ({ body }) => ({
      status: 200,
      body: await by.issue({ csr: body, subject, usages: ['clientAuth'], notBefore, notAfter }),
    })
  }
  await issue(await testAuthority(), 'system:node:edge-1')
  await assert.rejects(join(), { code: 'HUB_CERTIFICATE_UNEXPECTED' })
  await issue(authority, 'system:node:edge-2')
  await assert.rejects(join(), { code: 'HUB_CERTIFICATE_UNEXPECTED' })
  endpoint.answer = async () => ({ status: 200, body: authority.certificateDer })
  await assert.rejects(join(), { code: 'HUB_CERTIFICATE_UNEXPECTED' })
})

test('a join whose answer was lost goes on with the same key, which is all that a used token is good for', async (t) => {
  const { endpoint, join } = await bench(t)
  const { answer } = endpoint
  endpoint.answer = async () => ({ status: 500, body: 'the power went' })
  await assert.rejects(join(), { code: 'HUB_CERTIFICATE_REFUSED', retry: 'backoff' })
  endpoint.answer = answer
  await join()
  const keys = await keysOf(endpoint)
  assert.equal(keys.length, 2)
  assert.equal(keys[0], keys[1])
})

test('renewing uses the present certificate, no token, and a new key', async (t) => {
  const { endpoint, files, join } = await bench(t)
  const present = await join()
  const renewed = await renewIdentity({
    address: endpoint.address,
    nodeName: 'edge-1',
    files,
    clock: systemClock,
    present,
  })
  const last = endpoint.calls.at(-1)
  assert.equal(last?.client, 'system:node:edge-1')
  assert.equal(last?.headers['authorization'], undefined)
  const [first, second] = await keysOf(endpoint)
  assert.notEqual(first, second)
  assert.deepEqual(await readIdentity(files, 'edge-1'), renewed)
})

test('a power cut in the middle of a change leaves the old identity or the new one, whole', async (t) => {
  const { files, join } = await bench(t)
  const old = await join()
  const { files: others, join: joinAnother } = await bench(t)
  const next = await joinAnother()
  await writeFile(`${files.key}.new.tmp`, '{')
  assert.deepEqual(await readIdentity(files, 'edge-1'), old, 'before the commit')
  await writeFile(`${files.key}.new`, JSON.stringify(next))
  for (const each of ['', 'ca', 'certificate', 'key'] as const) {
    if (each !== '') await copyFile(others[each], files[each])
    assert.deepEqual(await readIdentity(files, 'edge-1'), next, `after ${each || 'the commit'}`)
  }
  await copyFile(files.certificate, `${files.certificate}.kept`)
  await finishCommit(files)
  assert.deepEqual(await readIdentity(files, 'edge-1'), next)
  assert.equal(await readFile(files.key, 'utf8'), next.key, 'an original edgecore finds it in the files')
  await assert.rejects(stat(`${files.key}.new`), { code: 'ENOENT' })
  await writeFile(files.key, old.key)
  await assert.rejects(readIdentity(files, 'edge-1'), { code: 'HUB_KEY_OF_ANOTHER_CERTIFICATE' })
})

test('killed at any moment while it renews, a node has an identity that works', { timeout: 60_000 }, async (t) => {
  const { endpoint, files, join, authority } = await bench(t)
  const first = await join()
  const script = `
    import { renewIdentity } from ${JSON.stringify(new URL('./join-node.ts', import.meta.url).href)}
    import { readIdentity } from ${JSON.stringify(new URL('./identity-files.ts', import.meta.url).href)}
    import { systemClock as clock } from ${JSON.stringify(new URL('../../../platform/time/index.ts', import.meta.url).href)}
    const files = ${JSON.stringify(files)}
    for (;;) {
      const present = await readIdentity(files, 'edge-1')
      await renewIdentity({ address: '${endpoint.address}', nodeName: 'edge-1', files, clock, present })
      process.stdout.write('.')
    }`
  for (let round = 0; round < 6; round++) {
    const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    // One renewal takes some 20 ms: the moments spread over all its steps.
    await systemClock.sleep(ms(round * 7))
    child.kill('SIGKILL')
    await once(child, 'exit')
    const { certificate, key, ca } = await readIdentity(files, 'edge-1')
    assert.ok(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
    assert.equal(ca, authority.certificatePem)
  }
  assert.notEqual((await readIdentity(files, 'edge-1')).certificate, first.certificate)
})

test('of two joins at once one is told to wait, and the other is whole', async (t) => {
  const { files, join } = await bench(t)
  const [one, two] = await Promise.allSettled([join(), join()])
  const [done, failed] = one.status === 'fulfilled' ? [one, two] : [two, one]
  assert.equal(failed.status === 'rejected' && failed.reason.code, 'HUB_IDENTITY_BUSY')
  assert.deepEqual(done.status === 'fulfilled' && done.value, await readIdentity(files, 'edge-1'))
  await join()
})

test('a renewal that comes after a join has replaced the identity takes what is there', async (t) => {
  const { endpoint, files, join } = await bench(t)
  const present = await join()
  const rejoined = await join()
  const options = { address: endpoint.address, nodeName: 'edge-1', files, clock: systemClock }
  const before = endpoint.calls.length
  assert.deepEqual(await renewIdentity({ ...options, present }), rejoined)
  assert.equal(endpoint.calls.length, before)
})

test('the identity of another node is refused by name', async (t) => {
  const { files, join } = await bench(t)
  await join()
  await assert.rejects(readIdentity(files, 'edge-2'), { code: 'HUB_CERTIFICATE_OF_ANOTHER_NODE' })
})

test('a certificate is renewed between 70 and 90 % of its life, again after failures, and the link is told', async (t) => {
  const { endpoint, files, join } = await bench(t, { days: 0.5 })
  const { certificate } = await join()
  const { notBefore, notAfter } = parseCertificate(certificate)
  const life = notAfter.getTime() - notBefore.getTime()
  const clock = new FakeClock(notBefore.getTime())
  const rotated = Promise.withResolvers<number>()
  const refused = Promise.withResolvers<void>()
  const { answer } = endpoint
  endpoint.answer = async () => {
    refused.resolve()
    return { status: 500, body: 'not now' }
  }
  await using scope = createScope('rotation', {
    clock: systemClock,
    log: silentLogger,
    deadline: seconds(5),
    onCrash: (error) => rotated.reject(error),
  })
  const rotation = createRotationModule({
    address: endpoint.address,
    nodeName: 'edge-1',
    files,
    clock,
    random: countingRandom(),
    log: silentLogger,
    onRotated: () => rotated.resolve(clock.now()),
  })
  await rotation.start(scope)
  await advanceWhile(clock, ms(life * 0.69))
  assert.equal(endpoint.calls.length, 2)
  await advanceWhile(clock, ms(life * 0.21))
  await refused.promise
  endpoint.answer = answer
  const at = await advancing(clock, rotated.promise)
  assert.ok(at - notBefore.getTime() > life * 0.7)
  assert.notEqual((await readIdentity(files, 'edge-1')).certificate, certificate)
})

/** Virtual time in steps between which real files and sockets have their turn. */
async function advanceWhile(clock: FakeClock, duration: { milliseconds: number }): Promise<void> {
  const end = clock.monotonic() + duration.milliseconds
  while (clock.monotonic() < end) {
    while (clock.waiting === 0) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(ms(Math.min(60 * 60_000, end - clock.monotonic())))
  }
}

/** Lets a second pass, again and again, until it is done. */
async function advancing<T>(clock: FakeClock, done: Promise<T>): Promise<T> {
  let isDone = false
  const ended = done.finally(() => {
    isDone = true
  })
  while (!isDone) await clock.advance(seconds(1))
  return ended
}

async function keysOf(endpoint: CertificateEndpoint): Promise<readonly string[]> {
  const requests = endpoint.calls.filter(({ path }) => path === '/edge.crt')
  const keys = await Promise.all(requests.map(async ({ body }) => (await parseCsr(body)).publicKeyDer))
  return keys.map((key) => Buffer.from(key).toString('hex'))
}

function rotationOf(
  endpoint: CertificateEndpoint,
  { files, clock }: { files: ReturnType<typeof identityFiles>; clock: FakeClock },
  onRotated = () => {},
) {
  const ports = { clock, random: countingRandom(), log: silentLogger, onRotated }
  return createRotationModule({ address: endpoint.address, nodeName: 'edge-1', files, ...ports })
}

const lifeOf = (certificate: string) => {
  const { notBefore, notAfter } = parseCertificate(certificate)
  return { begin: notBefore.getTime(), end: notAfter.getTime() }
}

test('a certificate that ended while the node was off is renewed before anybody is dialled, once for all who ask', async (t) => {
  const { endpoint, files, join } = await bench(t, { days: 0.5 })
  const old = await join()
  const clock = new FakeClock(lifeOf(old.certificate).end + 1000)
  const rotation = rotationOf(endpoint, { files, clock })
  const before = endpoint.calls.length
  const [one, two] = await Promise.all([rotation.identity(), rotation.identity()])
  assert.deepEqual(one, two)
  assert.notEqual(one.certificate, old.certificate)
  assert.equal(endpoint.calls.length, before + 1)
  assert.equal(endpoint.calls.at(-1)?.client, 'system:node:edge-1')
})

test('where nobody can renew it the old certificate is tried, and a refusal says what to do', async (t) => {
  const { endpoint, files, join } = await bench(t, { days: 0.5 })
  const old = await join()
  const clock = new FakeClock(lifeOf(old.certificate).end + 1000)
  const rotation = rotationOf(endpoint, { files, clock })
  endpoint.answer = async () => ({ status: 503, body: 'later' })
  assert.deepEqual(await rotation.identity(), old)
  endpoint.answer = async () => ({ status: 401, body: 'the certificate ended: join again (skerry join --force)' })
  await assert.rejects(rotation.identity(), { code: 'HUB_CERTIFICATE_REFUSED', message: /skerry join --force/ })
})

test('a certificate that CloudHub calls ended is renewed, though the clock of the node is weeks behind', async (t) => {
  const { endpoint, files, join } = await bench(t)
  const old = await join()
  const clock = new FakeClock(lifeOf(old.certificate).begin)
  const rotation = rotationOf(endpoint, { files, clock })
  const failing = (message: string) =>
    renewingDialer(
      { dial: () => Promise.reject(new UnavailableError(message, { code: 'HUB_LINK_REFUSED' })) },
      rotation,
    )
  const { signal } = new AbortController()
  await assert.rejects(failing('certificate has expired').dial({}, signal))
  assert.deepEqual(await rotation.identity(), old, 'that was about the certificate of the server')
  await assert.rejects(
    failing('write EPROTO 40:error:0A000415:SSL routines::ssl/tls alert certificate expired').dial({}, signal),
  )
  const renewed = await rotation.identity()
  assert.notEqual(renewed.certificate, old.certificate)
  assert.deepEqual(await rotation.identity(), renewed)
})

test('a clock that jumps, or a machine that slept, delays a renewal by minutes', async (t) => {
  const { endpoint, files, join } = await bench(t)
  const { certificate } = await join()
  const { begin, end } = lifeOf(certificate)
  const clock = new FakeClock(begin)
  const rotated = Promise.withResolvers<void>()
  await using scope = createScope('rotation', {
    clock: systemClock,
    log: silentLogger,
    deadline: seconds(5),
    onCrash: (error) => rotated.reject(error),
  })
  await rotationOf(endpoint, { files, clock }, () => rotated.resolve()).start(scope)
  await advanceWhile(clock, seconds(60))
  clock.jump(ms((end - begin) * 0.95))
  const calls = endpoint.calls.length
  await advanceWhile(clock, seconds(300))
  await rotated.promise
  assert.equal(endpoint.calls.length, calls + 1)
})

test('a damaged certificate is told by its file', async (t) => {
  const { files, join } = await bench(t)
  await join()
  for (const path of [files.ca, files.certificate]) {
    const good = await readFile(path, 'utf8')
    await writeFile(path, 'no certificate')
    await assert.rejects(readIdentity(files, 'edge-1'), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.deepEqual([error.code, error.fields['path']], ['HUB_CERTIFICATE_DAMAGED', path])
      return true
    })
    await writeFile(path, good)
  }
})
