import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { needs } from '../../../../tools/testing/needs.ts'
import { testAuthority, testIdentity } from '../../../certificates/testing/index.ts'
import { connectClient, type Mosquitto, startExternal, startMosquitto, until } from '../testing/index.ts'

test('user name, password and client ids are those of the configuration; a wrong password is shown and a right one found', {
  skip: needs('mosquitto', 'mosquitto_passwd'),
  timeout: 30_000,
}, async (t) => {
  const broker = await startMosquitto(t, {
    files: { users: 'edge:secret word\n', password: 'wrong\n' },
    lines: ['allow_anonymous false', 'password_file DIR/users'],
    prepare: (directory) => {
      assert.equal(spawnSync('mosquitto_passwd', ['-U', join(directory, 'users')]).status, 0)
    },
  })
  const passwordFile = join(broker.directory, 'password')
  await chmod(passwordFile, 0o644)
  const address = { url: `tcp://127.0.0.1:${broker.port}`, username: 'edge', passwordFile, insecureSkipVerify: false }
  const edge = await startExternal(t, broker, {
    ...{ address, subscribeClientId: 'plant-sub', publishClientId: 'plant-pub' },
  })
  await until(() => edge.pending()?.includes('it refuses this client: Not authorized') === true)
  assert.ok(edge.log.messages('warn').includes('Others on this machine can read a secret of the MQTT broker'))
  await writeFile(passwordFile, 'secret word\n')
  await edge.up()
  await broker.logged(/as plant-sub \(p2, c1, k30, u'edge'\)/)
  await broker.logged(/as plant-pub \(p2, c1, k30, u'edge'\)/)
  assert.ok(!JSON.stringify(edge.log.lines).includes('secret word'))
})

test('mutual TLS: the files are honoured, the broker is verified, and only explicitly not', {
  skip: needs('mosquitto'),
  timeout: 60_000,
}, async (t) => {
  const authority = await testAuthority()
  const server = await testIdentity(authority, { commonName: 'broker' }, ['serverAuth'])
  const client = await testIdentity(authority, { commonName: 'edge-1' }, ['clientAuth'])
  const stranger = await testAuthority({ commonName: 'Somebody else' })
  const broker = await startMosquitto(t, {
    files: {
      ...{ 'ca.crt': server.ca, 'server.crt': server.cert, 'server.key': server.key },
      ...{ 'edge.crt': client.cert, 'edge.key': client.key, 'stranger.crt': stranger.certificatePem },
    },
    listener: [
      ...['cafile DIR/ca.crt', 'certfile DIR/server.crt', 'keyfile DIR/server.key'],
      ...['require_certificate true', 'use_identity_as_username true'],
    ],
    lines: ['allow_anonymous false'],
  })
  const file = (name: string) => join(broker.directory, name)
  const url = `mqtts://localhost:${broker.port}`
  const own = { url, certificate: file('edge.crt'), key: file('edge.key'), insecureSkipVerify: false }

  const good = await startExternal(t, broker, { address: { ...own, ca: file('ca.crt') } })
  const seen: string[] = []
  good.handle('a', seen)
  await good.up()
  await broker.logged(/as hub-client-sub-\d{10} \(p2, c1, k30, u'edge-1'\)/)
  await good.eventBus.publish('a', 'over TLS')
  await until(() => seen.length === 1)

  const distrusting = await startExternal(t, broker, { address: { ...own, ca: file('stranger.crt') } })
  await until(() => /\(.*(certificate|issuer).*\)/.test(distrusting.pending() ?? ''))
  await distrusting.stop()
  const naive = await startExternal(t, broker, {
    address: { ...own, ca: file('stranger.crt'), insecureSkipVerify: true },
  })
  await naive.up()
  const nobody = await startExternal(t, broker, { address: { url, ca: file('ca.crt'), insecureSkipVerify: false } })
  await until(() => nobody.pending()?.includes('(connecting)') === false)
  const without = await startExternal(t, broker, { address: { ...own, key: file('no.key'), ca: file('ca.crt') } })
  await until(() => without.pending()?.includes('ENOENT') === true)
})

test('settings that contradict each other are refused before anything starts', async (t) => {
  const broker = { port: 1 } as const
  const url = 'mqtt://127.0.0.1:1'
  const wrong = [
    { address: { url, certificate: 'c', key: 'k', insecureSkipVerify: false } },
    { address: { url: 'mqtts://127.0.0.1:1', certificate: 'c', insecureSkipVerify: false } },
    { address: { url, passwordFile: 'p', insecureSkipVerify: false } },
    { subscribeClientId: 'same', publishClientId: 'same' },
  ]
  for (const options of wrong) {
    await assert.rejects(startExternal(t, broker, options), { code: 'PLATFORM_MQTT_SETTINGS' })
  }
})

test('a packet that is larger than allowed ends the connection, and is named', {
  skip: needs('mosquitto'),
  timeout: 30_000,
}, async (t) => {
  const broker: Mosquitto = await startMosquitto(t)
  const edge = await startExternal(t, broker, { maxPacketBytes: 2000 })
  const seen: string[] = []
  edge.handle('a', seen)
  await edge.up()
  const client = await connectClient(t, broker)
  await client.publishAsync('a', Buffer.alloc(10_000), { qos: 1 })
  await until(() => edge.pending()?.includes('it sent a packet of more than 2000 bytes') === true)
  await edge.up()
  await client.publishAsync('a', 'small', { qos: 1 })
  await until(() => seen.length === 1)
  assert.deepEqual(seen, [`a 1 ${Buffer.from('small').toString('hex')}`])
})
