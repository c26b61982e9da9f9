import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect } from 'node:tls'
import { generateKeyPair, pemOf } from '../../platform/certificates/index.ts'
import { createAuthority, loadAuthority } from '../../platform/certificates/issuing/index.ts'
import { minutes, systemClock } from '../../platform/time/index.ts'
import { CLOUD_GROUP } from '../serving/access/authorization.ts'
import { at, done, MAPS, refused } from './testing/objects.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

describe('who may do what', () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const as = async (commonName: string, groups: readonly string[], isForeign = false) => {
    const folder = join(api.directory, 'pki', 'kubernetes')
    const authority = isForeign
      ? await createAuthority({ commonName: 'skerry-kubernetes-ca', validity: minutes(5), clock: systemClock })
      : loadAuthority({
          certificate: await readFile(join(folder, 'ca.crt'), 'utf8'),
          privateKey: await readFile(join(folder, 'ca.key'), 'utf8'),
        })
    const keyPair = await generateKeyPair()
    const now = systemClock.now()
    const certificate = await authority.issue({
      publicKey: keyPair.publicKeyDer,
      subject: { commonName, organizations: groups },
      usages: ['clientAuth'],
      notBefore: new Date(now),
      notAfter: new Date(now + minutes(5).milliseconds),
    })
    const admin = { certificate: pemOf(certificate, 'CERTIFICATE'), privateKey: keyPair.privateKeyPem }
    return { ...api, pki: { ...api.pki, admin } }
  }

  it('everybody may see health, and nothing else', async () => {
    for (const path of ['/healthz', '/livez', '/readyz', '/readyz/ping']) {
      assert.equal((await ask(api, { path, anonymous: true })).status, 200, path)
    }
    for (const path of [
      '/',
      '/version',
      '/api',
      '/apis',
      '/openapi/v3',
      MAPS,
      '/nowhere',
      '/healthz/../api',
      '//',
      '//x/healthz',
    ]) {
      const { status, json } = await ask(api, { path, anonymous: true })
      assert.deepEqual([status, at(json, 'reason')], [403, 'Forbidden'], path)
      assert.match(String(at(json, 'message')), /User "system:anonymous" cannot /)
    }
  })

  it('administrators may do everything, the cloud half what it does', async () => {
    await done(api, { path: MAPS })
    const cloud = await as('skerry-cloud', [CLOUD_GROUP])
    await done(cloud, { path: MAPS })
    await refused(cloud, { path: `${MAPS}/menu`, method: 'DELETE' }, 403, 'Forbidden')
    await refused(cloud, { path: '/apis/apps/v1/deployments' }, 403, 'Forbidden')
    await refused(cloud, { path: '/api/v1/namespaces/default/secrets', method: 'POST', body: {} }, 403, 'Forbidden')
  })

  it('a certificate of another group is known, may discover, and is refused the rest', async () => {
    const { json } = await refused(await as('eve', ['acme']), { path: MAPS }, 403, 'Forbidden')
    assert.match(
      String(at(json, 'message')),
      /User "eve" cannot list resource "configmaps" in API group "" in the namespace "default"/,
    )
    const nobody = await as('eve', [])
    for (const path of ['/version', '/api', '/apis', '/openapi/v3']) await done(nobody, { path })
    await refused(nobody, { path: '/metrics' }, 403, 'Forbidden')
  })

  it('a certificate of another authority of the same name is nobody', async () => {
    await refused(await as('eve', ['system:masters'], true), { path: MAPS }, 401, 'Unauthorized')
  })

  it('a token that nobody knows is refused', async () => {
    const headers = { authorization: 'Bearer abc.def' }
    await refused(api, { path: MAPS, headers, anonymous: true }, 401, 'Unauthorized')
  })

  it('a request that could be read in two ways is not read at all', async () => {
    const head =
      'POST /api/v1/namespaces HTTP/1.1\r\nHost: api\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n'
    const answer = await raw(api, `${head}0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: api\r\n\r\n`)
    assert.match(answer, /^HTTP\/1.1 400 /)
    assert.equal(answer.match(/HTTP\/1.1/g)?.length, 1)
  })

  it('older TLS than 1.2 is not spoken', async () => {
    const { port } = new URL(api.url)
    const failure = await new Promise<Error>((resolve, reject) => {
      const socket = connect({
        port: Number(port),
        host: '127.0.0.1',
        ca: api.pki.ca,
        maxVersion: 'TLSv1.1',
        minVersion: 'TLSv1',
      })
      socket.on('error', resolve)
      socket.on('secureConnect', () => reject(new Error('connected')))
    })
    assert.ok(failure)
  })
})

function raw({ url, pki }: ServedApi, text: string): Promise<string> {
  const { certificate: cert, privateKey: key } = pki.admin
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', ca: pki.ca, cert, key })
    let answer = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
    socket.write(text)
  })
}
