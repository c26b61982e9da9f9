import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { IClientOptions } from 'mqtt'
import type { MqttClientConfig, MqttTlsConfig } from '../../../../schemas/config/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { testAuthority, testIdentity } from '../../../certificates/testing/index.ts'
import { ms } from '../../../time/index.ts'
import { FakeClock } from '../../../time/testing/index.ts'
import { startBroker, waitFor } from '../testing/start-broker.ts'
import { readServingIdentity } from './serving-identity.ts'

const TLS: MqttTlsConfig = { host: '127.0.0.1', port: 0, names: [], requireCertificate: false }
const FULL: MqttClientConfig = { name: 'press', twins: ['*/*'], access: 'full', publish: [], subscribe: [] }
const NOT_READ = 'The certificate for MQTT clients cannot be read anew'
const GET = '$hw/events/device/default/pump/twin/get'

test('a self-made certificate is trusted by its CA, kept private, and stays over a restart', {
  timeout: 20_000,
}, async (t) => {
  const folder = temporaryFolder('skerry-mqtt-')
  const tls = { ...TLS, names: ['gateway.plant', '10.0.0.7'] }
  const options = { folder, anonymous: 'full' as const, tls }
  const first = await startBroker(t, options)
  const ca = await readFile(join(folder, 'ca.crt'), 'utf8')
  const client = await first.client({ ca }, `mqtts://localhost:${first.broker.ports.tls}`)
  await client.publishAsync('a', '', { qos: 1 })
  await assert.rejects(first.client({}, `mqtts://localhost:${first.broker.ports.tls}`), /certificate/)
  for (const file of ['ca.key', 'server.key']) assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600, file)
  const listening = first.log.lines.find(({ message }) => message === 'The MQTT broker listens with TLS')
  assert.equal(listening?.fields['ca'], join(folder, 'ca.crt'))

  const before = await readFile(join(folder, 'server.crt'), 'utf8')
  const certificate = new X509Certificate(before)
  for (const name of ['gateway.plant', 'localhost']) assert.ok(certificate.checkHost(name), name)
  for (const address of ['10.0.0.7', '127.0.0.1', '::1']) assert.ok(certificate.checkIP(address), address)
  await first.stop()
  const second = await startBroker(t, options)
  await second.client({ ca }, `mqtts://localhost:${second.broker.ports.tls}`)
  assert.equal(await readFile(join(folder, 'server.crt'), 'utf8'), before)
})

test('a self-made certificate is made anew for new names, in time before its end, and when it is damaged', async () => {
  const folder = temporaryFolder('skerry-mqtt-')
  const clock = new FakeClock(Date.UTC(2026, 0, 1))
  const read = async (names: readonly string[] = []) =>
    (await readServingIdentity({ names: [...names] }, folder, clock)).cert
  const first = await read()
  const ca = await readFile(join(folder, 'ca.crt'), 'utf8')
  assert.equal(await read(), first)
  const named = await read(['gateway', '::5'])
  assert.notEqual(named, first)
  assert.equal(await read(['gateway', '0::5']), named)
  await clock.advance(ms(300 * 86_400_000))
  assert.equal(await read(['gateway']), named)
  await clock.advance(ms(10 * 86_400_000))
  const renewed = await read(['gateway'])
  assert.notEqual(renewed, named)
  await writeFile(join(folder, 'server.key'), 'nonsense')
  assert.notEqual(await read(['gateway']), renewed)
  assert.equal(await readFile(join(folder, 'ca.crt'), 'utf8'), ca)
  await writeFile(join(folder, 'server.crt'), '')
  await writeFile(join(folder, 'ca.crt'), 'nonsense')
  await assert.rejects(read(), { code: 'PLATFORM_MQTT_CA_DAMAGED' })
})

test('a client certificate names its client; one of another CA comes nowhere', { timeout: 20_000 }, async (t) => {
  const { broker, over, identity, stranger } = await startWithCa(t, { anonymous: 'read-only' })
  const users: unknown[] = []
  broker.eventBus.handle('$hw/#', async ({ user }) => void users.push(user))
  await (await over(await identity('press'))).publishAsync(GET, '', { qos: 1 })
  await (await over({})).publishAsync(GET, '', { qos: 1 })
  assert.deepEqual(users, ['press', undefined])
  await assert.rejects(over(await stranger('press')))
  const unlisted = await over(await identity('unlisted'))
  await assert.rejects(unlisted.subscribeAsync('#'), /Unspecified error|128/)
})

test('beside a certificate a user name needs its password, unless both are the same', {
  timeout: 20_000,
}, async (t) => {
  const { over, identity, folder } = await startWithCa(t)
  await writeFile(join(folder, 'passwords'), '', { mode: 0o600 })
  const certificate = await identity('press')
  await over({ ...certificate, username: 'press' })
  await assert.rejects(over({ ...certificate, username: 'other' }), { code: 4 })
  await assert.rejects(over({ ...certificate, username: 'press', password: 'guess' }), { code: 4 })
})

test('where a certificate is required, nobody comes without one', { timeout: 20_000 }, async (t) => {
  const { over, identity } = await startWithCa(t, { anonymous: 'full' }, { requireCertificate: true })
  await over(await identity('press'))
  await assert.rejects(over({}))
})

test('TLS below 1.2 is refused', { timeout: 20_000 }, async (t) => {
  const { broker } = await startWithCa(t, { anonymous: 'full' })
  const socket = connectTls({
    ...{ host: '127.0.0.1', port: broker.ports.tls ?? 0, rejectUnauthorized: false },
    ...{ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
  })
  const [error] = await once(socket, 'error')
  assert.match(String(error), /protocol|alert|version/i)
})

test('certificates that are replaced serve the next connection', { timeout: 20_000 }, async (t) => {
  const { broker, renew } = await startWithCa(t, { anonymous: 'full' })
  const served = async () => {
    const socket = connectTls({ host: '127.0.0.1', port: broker.ports.tls ?? 0, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { fingerprint } = socket.getPeerCertificate()
    socket.destroy()
    return fingerprint
  }
  const before = await served()
  await renew()
  await waitFor(async () => (await served()) !== before)
})

test('while the files are being written anew, the old certificate and authority serve on', {
  timeout: 20_000,
}, async (t) => {
  const { log, files, over, identity, stranger } = await startWithCa(t)
  const press = await identity('press')
  for (const file of Object.values(files)) {
    const text = await readFile(file, 'utf8')
    const before = log.lines.length
    await writeFile(file, '')
    await waitFor(() => log.lines.slice(before).some(({ message }) => message === NOT_READ))
    await over(press)
    await assert.rejects(over(await stranger('press')))
    await writeFile(file, text)
  }
  assert.ok(!log.lines.some(({ message }) => message === 'MQTT clients are served with a new certificate'))
})

test('what cannot be served with is said at the start', { timeout: 20_000 }, async (t) => {
  const folder = temporaryFolder('skerry-mqtt-')
  const missing = join(folder, 'missing.crt')
  const start = (tls: Partial<MqttTlsConfig>) => startBroker(t, { folder, tls: { ...TLS, ...tls } })
  await assert.rejects(start({ certificate: missing }), { code: 'PLATFORM_MQTT_TLS_INCOMPLETE' })
  await assert.rejects(start({ certificate: missing, key: missing }), {
    code: 'PLATFORM_MQTT_TLS_MISSING',
    message: `mqtt.tls: there is no file ${missing}`,
  })
  await writeFile(missing, 'nonsense')
  await assert.rejects(start({ certificate: missing, key: missing }), { code: 'PLATFORM_MQTT_TLS_INVALID' })
})

/** With a serving certificate and client certificates of authorities of the test. */
async function startWithCa(
  t: TestContext,
  options: Parameters<typeof startBroker>[1] = {},
  tls: Partial<MqttTlsConfig> = {},
) {
  const folder = temporaryFolder('skerry-mqtt-')
  const [serving, clients, others] = await Promise.all([testAuthority(), testAuthority(), testAuthority()])
  const files = { certificate: join(folder, 'own.crt'), key: join(folder, 'own.key'), clientCa: join(folder, 'ca.pem') }
  const renew = async () => {
    const { cert, key } = await testIdentity(serving, { commonName: 'broker' }, ['serverAuth'])
    await writeFile(files.certificate, cert)
    await writeFile(files.key, key)
  }
  await renew()
  await writeFile(files.clientCa, clients.certificatePem)
  const started = await startBroker(t, { folder, clients: [FULL], tls: { ...TLS, ...files, ...tls }, ...options })
  const of = (authority: typeof clients) => async (commonName: string) => {
    const { cert, key } = await testIdentity(authority, { commonName }, ['clientAuth'])
    return { cert, key }
  }
  const url = `mqtts://localhost:${started.broker.ports.tls}`
  const over = (own: IClientOptions) => started.client({ ca: serving.certificatePem, ...own }, url)
  return { ...started, files, renew, over, identity: of(clients), stranger: of(others) }
}
