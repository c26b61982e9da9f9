import assert from 'node:assert/strict'
import { copyFile, mkdtemp, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { systemClock } from '../../../platform/time/index.ts'
import { needs } from '../../../tools/testing/needs.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import type { CertificateFiles } from '../../simulators/opcua/certificate.ts'
import { issue } from '../testing/authority.ts'
import { configOf } from '../testing/client.ts'
import { openFirstUses } from './first-uses.ts'
import { verifyServer } from './server-certificate.ts'
import { openTrustStore } from './trust-store.ts'

const NAMES = 'URI:urn:a,IP:127.0.0.1'
const DAY = 24 * 60 * 60 * 1000
const skip = needs('openssl')

const pki = temporaryFolder('skerry-pki-')
let authority: CertificateFiles
let middle: CertificateFiles
let issued: CertificateFiles
let deep: CertificateFiles
let alone: CertificateFiles
let vouched: CertificateFiles
before(() => {
  if (skip !== false) return
  authority = issue(join(pki, 'root'), { subject: 'root', isAuthority: true, days: 5 })
  middle = issue(join(pki, 'middle'), { subject: 'middle', isAuthority: true }, authority)
  issued = issue(join(pki, 'issued'), { subject: 'issued', names: NAMES }, authority)
  deep = issue(join(pki, 'deep'), { subject: 'deep', names: NAMES }, middle)
  alone = issue(join(pki, 'alone'), { subject: 'alone', names: NAMES, isAuthority: true })
  vouched = issue(join(pki, 'vouched'), { subject: 'vouched', names: NAMES }, alone)
})

const UNTRUSTED = /is not trusted|shows another certificate than before/

async function trusting(...certificates: readonly CertificateFiles[]) {
  const folder = await mkdtemp(join(pki, 'mapper-'))
  const store = await openTrustStore(folder)
  for (const [at, { certificateFile }] of certificates.entries())
    await copyFile(certificateFile, join(folder, 'trusted', `${at}.crt`))
  const warnings: string[] = []
  const context = {
    store,
    firstUses: await openFirstUses(folder),
    now: systemClock.now(),
    warn: (message: string) => void warnings.push(message),
  }
  const verify = (chain: readonly CertificateFiles[], config: object = {}, more: object = {}) =>
    verifyServer(
      configOf({ url: 'opc.tcp://127.0.0.1:4840', trust: 'pinned', ...config }),
      { der: Buffer.concat(chain.map(({ certificate }) => certificate.raw)), applicationUri: 'urn:a' },
      { ...context, ...more },
    )
  return { folder, store, verify, warnings }
}

describe('an authority that is trusted', { skip }, () => {
  it('vouches for the certificates that it issued', async () => {
    const { verify } = await trusting(authority)
    await verify([issued])
    await verify([issued, authority])
    await assert.rejects(verify([alone]), UNTRUSTED)
  })

  it('vouches through another one that the server sends, and for nobody where that is missing', async () => {
    const { verify } = await trusting(authority)
    await verify([deep, middle])
    await assert.rejects(verify([deep]), UNTRUSTED)
    await assert.rejects(verify([deep, issued]), UNTRUSTED)
  })

  it('that has expired vouches for nobody, unless the device takes what has expired', async () => {
    const { verify } = await trusting(authority)
    const later = { now: systemClock.now() + 10 * DAY }
    await assert.rejects(
      verify([issued], {}, later),
      /rests on that of root, which has expired on .*acceptExpired: true/,
    )
    await verify([issued], { acceptExpired: true }, later)
  })

  it('is no application: a server that calls itself an authority vouches for itself alone', async () => {
    const { verify } = await trusting(alone)
    await verify([alone])
    await assert.rejects(verify([vouched, alone]), UNTRUSTED)
  })
})

describe('devices that connect at once', { skip }, () => {
  it('to two servers that are new remember both', async () => {
    const { verify, folder } = await trusting()
    const ports = Array.from({ length: 20 }, (_, at) => 4840 + at)
    const urlOf = (port: number) => ({ url: `opc.tcp://127.0.0.1:${port}`, trust: 'first-use' })
    await Promise.all(ports.map((port) => verify([port % 2 === 0 ? issued : alone], urlOf(port))))
    for (const port of ports) {
      const other = port % 2 === 0 ? deep : vouched
      await assert.rejects(verify([other], urlOf(port)), /shows another certificate than before/)
    }
    const files = (await readdir(folder, { recursive: true })).map((name) => join(folder, name))
    assert.deepEqual(
      files.filter((name) => name.endsWith('.new')),
      [],
    )
    for (const file of files) assert.equal((await stat(file)).mode & 0o077, 0, file)
  })

  it('to one server that is new trust one certificate, whatever somebody in between shows', async () => {
    const { verify, warnings } = await trusting()
    const config = { trust: 'first-use' }
    const shown = [issued, alone, deep, vouched].map((certificate) => verify([certificate], config))
    const settled = await Promise.allSettled(shown)
    assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.equal(warnings.length, 1)
  })

  it('to one server that is not trusted keep its certificate once', async () => {
    const { verify, folder } = await trusting()
    const shown = await Promise.allSettled(Array.from({ length: 10 }, () => verify([issued])))
    for (const each of shown) assert.match(each.status === 'rejected' ? String(each.reason) : '', /is not trusted yet/)
    assert.equal((await readdir(join(folder, 'rejected'))).length, 1)
  })
})

describe('a first use', { skip }, () => {
  it('that somebody takes back stays refused', async () => {
    const { verify, store } = await trusting()
    await verify([issued], { trust: 'first-use' })
    await store.reject(issued.certificate.fingerprint256)
    await assert.rejects(verify([issued], { trust: 'first-use' }), /is not trusted any more: issued/)
  })

  it('is that of a port: another server on the host is another server', async () => {
    const { verify } = await trusting()
    await verify([issued], { trust: 'first-use', url: 'opc.tcp://127.0.0.1' })
    await assert.rejects(
      verify([alone], { trust: 'first-use', url: 'opc.tcp://127.0.0.1:4840/x' }),
      /another certificate/,
    )
    await verify([alone], { trust: 'first-use', url: 'opc.tcp://127.0.0.1:80' })
  })
})
