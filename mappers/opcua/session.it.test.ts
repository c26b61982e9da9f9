import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { appendFile, copyFile, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { connect as connectTo, createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { MessageSecurityMode, SecurityPolicy } from 'node-opcua-client'
import { systemClock } from '../../platform/time/index.ts'
import { needs } from '../../tools/testing/needs.ts'
import { certificateIn } from '../simulators/opcua/certificate.ts'
import { openTrustStore } from './index.ts'
import { issue } from './testing/authority.ts'
import { mapperFor, never, visitOf } from './testing/client.ts'
import { HOST, nodeOf, type Plant, type PlantDoor, startPlant } from './testing/plant.ts'

const trustedUsers = new Set<string>()
let plant: Plant
let door: PlantDoor
before(async () => {
  plant = await startPlant({
    users: { anna: 'secret 1' },
    isTrusted: (der) => {
      const certificate = new X509Certificate(der)
      return !certificate.subject.includes('user') || trustedUsers.has(certificate.fingerprint256)
    },
  })
  door = await plant.door()
})
after(async () => {
  await door[Symbol.asyncDispose]()
  await plant.close()
})

const fingerprint = () => plant.certificate.certificate.fingerprint256
const digits = () => fingerprint().replaceAll(':', '').toLowerCase()

/** What the server knows of the link that was made last. */
function lastChannel() {
  const channels = plant.inner.server.endpoints[0]?.getChannels() ?? []
  return channels.at(-1)
}

describe('protection', () => {
  for (const [mode, policy] of [
    ['None', 'None'],
    ['Sign', 'Aes128_Sha256_RsaOaep'],
    ['Sign', 'Basic256Sha256'],
    ['SignAndEncrypt', 'Aes128_Sha256_RsaOaep'],
    ['SignAndEncrypt', 'Basic256Sha256'],
    ['SignAndEncrypt', 'Aes256_Sha256_RsaPss'],
  ] as const) {
    it(`is ${mode} with ${policy} where that is configured`, async (t) => {
      const { connect } = await mapperFor(t)
      const config = { url: door.url, securityMode: mode.toLowerCase(), securityPolicy: policy }
      const connection = await connect(config)
      assert.equal(lastChannel()?.securityMode, MessageSecurityMode[mode])
      assert.equal(lastChannel()?.securityPolicy, SecurityPolicy[policy])
      const visit = visitOf(config, { nodeId: nodeOf('One.Count') }, 'INT')
      const outcome = (await connection.read([visit], never)).get(visit.id)
      assert.equal(outcome?.ok && outcome.value.value, 1500)
    })
  }

  it('is the strongest that the server offers where nothing is configured', async (t) => {
    const { connect } = await mapperFor(t)
    await connect({ url: door.url })
    assert.equal(lastChannel()?.securityMode, MessageSecurityMode.SignAndEncrypt)
    assert.equal(lastChannel()?.securityPolicy, SecurityPolicy.Aes256_Sha256_RsaPss)
  })

  it('is never weaker than configured: a server without it is not connected to', async (t) => {
    const open = await startPlant({ modes: [MessageSecurityMode.None], policies: [SecurityPolicy.None] })
    const way = await open.door()
    t.after(async () => {
      await way[Symbol.asyncDispose]()
      await open.close()
    })
    const { connect } = await mapperFor(t)
    await assert.rejects(connect({ url: way.url }), /offers no protection; it offers: None.*set securityMode: None/)
    await connect({ url: way.url, securityMode: 'None' })
  })
})

/** A way to a server on which somebody changes a text into another one of the same length. */
async function forged(t: TestContext, port: number, text: string, other: string): Promise<string> {
  const listener = createServer((client) => {
    const server = connectTo(port, HOST)
    const sockets = [client, server]
    for (const socket of sockets) {
      socket.on('error', () => undefined)
      socket.once('close', () => sockets.forEach((each) => void each.destroy()))
    }
    client.on('data', (bytes) => server.write(bytes))
    server.on('data', (bytes) => client.write(Buffer.from(bytes.toString('latin1').replaceAll(text, other), 'latin1')))
  })
  listener.listen(0, HOST)
  await once(listener, 'listening')
  t.after(() => listener.close())
  const address = listener.address()
  return `opc.tcp://${HOST}:${typeof address === 'object' ? address?.port : ''}`
}

describe('a server that shows less than it offers', () => {
  const [strongest, weaker] = ['#Aes256_Sha256_RsaPss', '#Aes128_Sha256_RsaOaep']

  it('is not connected to: somebody hides what is stronger', async (t) => {
    const url = await forged(t, plant.inner.port, strongest, '#Xes256_Sha256_RsaPss')
    const { connect } = await mapperFor(t)
    await assert.rejects(
      connect({ url }),
      /somebody between here and .* hides .* SignAndEncrypt with Aes256_Sha256_RsaPss/,
    )
  })

  it('is connected to where what is hidden would not be used', async (t) => {
    const url = await forged(t, plant.inner.port, weaker, '#Xes128_Sha256_RsaOaep')
    const { connect } = await mapperFor(t)
    await connect({ url })
    assert.equal(lastChannel()?.securityPolicy, SecurityPolicy.Aes256_Sha256_RsaPss)
  })
})

describe('first contact', () => {
  it('needs no decision about a server whose authority is trusted', { skip: needs('openssl') }, async (t) => {
    const { connect, folder } = await mapperFor(t)
    const authority = issue(join(folder, 'authority'), { subject: 'authority', isAuthority: true })
    const names = `URI:urn:test:server,IP:${HOST}`
    const certificate = issue(join(folder, 'issued'), { subject: 'issued', names }, authority)
    await appendFile(certificate.certificateFile, await readFile(authority.certificateFile))
    const server = await startPlant({ certificate })
    const way = await server.door()
    t.after(async () => {
      await way[Symbol.asyncDispose]()
      await server.close()
    })
    await assert.rejects(connect({ url: way.url, trust: 'pinned' }), /is not trusted yet: issued/)
    await copyFile(authority.certificateFile, join(folder, 'trusted', 'authority.pem'))
    await connect({ url: way.url, trust: 'pinned' })
    assert.equal(
      server.inner.server.endpoints[0]?.getChannels().at(-1)?.securityMode,
      MessageSecurityMode.SignAndEncrypt,
    )
  })

  it('keeps an unknown certificate apart, says how to accept it, and connects once it is accepted', async (t) => {
    const { connect, folder } = await mapperFor(t)
    const config = { url: door.url, trust: 'pinned' }
    const file = join(folder, 'rejected', `${digits()}.pem`)
    await assert.rejects(connect(config), (error: Error) => {
      for (const part of [digits(), file, `skerry opcua trust ${digits()}`])
        assert.ok(error.message.includes(part), part)
      return true
    })
    assert.equal(new X509Certificate(await readFile(file)).fingerprint256, fingerprint())
    const store = await openTrustStore(folder)
    await assert.rejects(store.trust('00000000'), /no rejected certificate has a fingerprint that begins with 00000000/)
    assert.equal((await store.trust(fingerprint().slice(0, 20))).fingerprint, digits())
    await connect(config)
  })

  it('accepts a certificate whose file somebody moved', async (t) => {
    const { connect, folder } = await mapperFor(t)
    const config = { url: door.url, trust: 'pinned' }
    await assert.rejects(connect(config))
    await rename(join(folder, 'rejected', `${digits()}.pem`), join(folder, 'trusted', 'plant.crt'))
    await connect(config)
  })

  it('by first use takes the first certificate, and refuses another one from then on', async (t) => {
    const { connect, folder, told } = await mapperFor(t)
    const config = { url: door.url, trust: 'first-use' }
    await connect(config)
    assert.match(told.join(), /seen for the first time/)
    const about = { applicationUri: 'urn:test:server', name: 'other', addresses: [HOST] }
    const notBefore = new Date(systemClock.now())
    const certificate = await certificateIn(join(folder, 'other'), { ...about, notBefore })
    const other = await startPlant({ certificate })
    t.after(() => other.close())
    door.proxy.leadTo(HOST, other.inner.port)
    t.after(() => door.proxy.leadTo(HOST, plant.inner.port))
    await assert.rejects(connect(config), /another certificate than before: other, SHA-256 \w+ instead of/)
    await (await openTrustStore(folder)).trust(certificate.certificate.fingerprint256)
    await connect(config)
  })

  it('takes the fingerprint that the device names, and no other certificate', async (t) => {
    const { connect } = await mapperFor(t)
    await connect({ url: door.url, trust: 'pinned', fingerprint: fingerprint() })
    const wrong = 'ab'.repeat(32)
    await assert.rejects(
      connect({ url: door.url, trust: 'any', fingerprint: wrong }),
      /not the one that the device names/,
    )
  })

  it('refuses a trusted certificate that has expired, is for another host, or for another application', async (t) => {
    const { connect, folder } = await mapperFor(t)
    const cases = [
      [{ notBefore: new Date('2001-01-01'), validDays: 30 }, /has expired on/, { acceptExpired: true }],
      [{ addresses: ['127.9.9.9'] }, /names .*127\.9\.9\.9, not 127\.0\.0\.1/, { checkHost: false }],
      [
        { applicationUri: 'urn:somebody:else' },
        /is made for urn:somebody:else, .* calls itself urn:test:server/,
        undefined,
      ],
    ] as const
    for (const [index, [difference, reason, remedy]] of cases.entries()) {
      const about = { applicationUri: 'urn:test:server', name: `case${index}`, addresses: [HOST] }
      const notBefore = new Date(systemClock.now())
      const certificate = await certificateIn(join(folder, `case${index}`), { ...about, notBefore, ...difference })
      const server = await startPlant({ certificate })
      const way = await server.door()
      try {
        await assert.rejects(connect({ url: way.url }), reason)
        if (remedy) await connect({ url: way.url, ...remedy })
      } finally {
        await way[Symbol.asyncDispose]()
        await server.close()
      }
    }
  })

  it('makes a certificate of its own once, whose key nobody else can read', async (t) => {
    const { connect, folder } = await mapperFor(t)
    await Promise.all([connect({ url: door.url, trust: 'any' }), connect({ url: door.url, trust: 'any' })])
    const own = join(folder, 'own')
    const withKey = (await readdir(own)).filter((name) => name.includes('key'))
    assert.equal(withKey.length, 1)
    assert.equal((await stat(join(own, withKey[0] ?? ''))).mode & 0o777, 0o600)
    const shown = lastChannel()?.clientCertificate
    const before = await readFile(join(own, withKey[0] ?? ''), 'utf8')
    assert.ok(shown && new X509Certificate(before).raw.equals(shown))
    await connect({ url: door.url })
    assert.equal(await readFile(join(own, withKey[0] ?? ''), 'utf8'), before)
  })
})

describe('identity', () => {
  it('is a user with the password of a file, and a wrong one is refused', async (t) => {
    const { connect, folder } = await mapperFor(t)
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, 'secret 1\n')
    for (const security of [{}, { securityMode: 'None' }])
      await connect({ url: door.url, userName: 'anna', passwordFile, ...security })
    await writeFile(passwordFile, 'guess')
    await assert.rejects(connect({ url: door.url, username: 'anna', password: passwordFile }), (error: Error) => {
      assert.match(error.message, /does not accept the user anna: Bad\w+/)
      assert.doesNotMatch(error.message, /guess/)
      return true
    })
  })

  it('is a certificate of a user that the server trusts', async (t) => {
    const { connect, folder } = await mapperFor(t)
    const about = {
      applicationUri: 'urn:test:user',
      name: 'user',
      addresses: [],
      notBefore: new Date(systemClock.now()),
    }
    const { certificate, certificateFile, keyFile } = await certificateIn(join(folder, 'user'), about)
    const config = { url: door.url, userCertificate: certificateFile, userPrivateKey: keyFile }
    await assert.rejects(connect(config), /Bad(IdentityToken|Certificate|UserAccess)\w+/)
    trustedUsers.add(certificate.fingerprint256)
    await connect(config)
  })

  it('anonymous is refused where the server wants to know its user', async (t) => {
    const strict = await startPlant({ allowAnonymous: false, users: {} })
    const way = await strict.door()
    t.after(async () => {
      await way[Symbol.asyncDispose]()
      await strict.close()
    })
    const { connect } = await mapperFor(t)
    await assert.rejects(connect({ url: way.url }), /wants to know its user: set username and passwordFile/)
  })
})
