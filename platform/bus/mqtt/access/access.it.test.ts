import assert from 'node:assert/strict'
import { chmod, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { MqttClientConfig } from '../../../../schemas/config/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { writeFileAtomic } from '../../../files/atomic.ts'
import { ms } from '../../../time/index.ts'
import { closing, listen, startBroker, waitFor } from '../testing/start-broker.ts'
import { createInnerAccount } from './inner-account.ts'
import { hashPassword } from './password-hash.ts'
import { passwordLine, withPasswordLine } from './password-lines.ts'

const PUMP = '$hw/events/device/plant/pump'
const LAMP = '$hw/events/device/plant/lamp'
const CLIENTS = [
  entry({ name: 'pump-app', access: 'app', twins: ['plant/pump'] }),
  entry({ name: 'lamp-app', access: 'app', twins: ['plant/lamp'], subscribe: ['room/#'], publish: ['room/#'] }),
  entry({ name: 'mapper', access: 'mapper', twins: ['plant/*'] }),
]

test('a user comes in with its password only, and the log never holds one', { timeout: 20_000 }, async (t) => {
  const { client, log, metrics } = await startUsers(t)
  const user = await client(as('pump-app'))
  await user.publishAsync(`${PUMP}/twin/get`, '', { qos: 1 })
  const wrong: readonly (readonly [object, number])[] = [
    [{ username: 'pump-app', password: 'guess-1' }, 4],
    [{ username: 'nobody', password: 'guess-2' }, 4],
    [{ username: 'pump-app' }, 4],
    [{}, 5],
  ]
  for (const [options, code] of wrong) await assert.rejects(client(options), { code })
  const text = JSON.stringify(log.lines)
  for (const secret of ['guess-1', 'guess-2', passwordOf('pump-app')]) assert.ok(!text.includes(secret), secret)
  assert.ok(log.messages('warn').includes('An MQTT client was refused'))
  assert.match(await metrics.text(), /skerry_mqtt_refused_total\{reason="credentials"\} 4/)
})

test('mappers come in by an account in memory, reach devices and never what the edge itself says', {
  timeout: 20_000,
}, async (t) => {
  const inner = createInnerAccount()
  const { broker, client, log } = await startUsers(t, { inner, limits: { maxSubscriptions: 1 } })
  const own = { username: inner.user, password: inner.password }
  await assert.rejects(client({ ...own, password: 'guess' }), { code: 4 })
  await assert.rejects(client({ username: inner.user }), { code: 4 })
  const mapper = await client(own)
  const heard = listen(mapper)
  await mapper.subscribeAsync(['#', 'plug/1/state'], { qos: 1 })
  for (const filter of ['twins/#', 'twins/a/b', '$hw/#', '$SYS/#']) await assert.rejects(mapper.subscribeAsync(filter))
  await broker.eventBus.publish('twins/plant/pump', '{}')
  await broker.eventBus.publish(`${PUMP}/twin/update/document`, '{}')
  await mapper.publishAsync('plug/1/command', 'ON', { qos: 1 })
  await waitFor(() => heard.length > 0)
  assert.deepEqual(heard, ['plug/1/command ON'])
  for (const topic of [`${PUMP}/twin/update`, 'twins/plant/pump/speed/set', 'SYS/dis/upload_records']) {
    const another = await client(own)
    const closed = closing(another)
    another.publish(topic, '1', { qos: 1 })
    await closed
  }
  assert.ok(!JSON.stringify(log.lines).includes(inner.password))
})

test('the handler is told who sends, and which side of a twin it may change', { timeout: 20_000 }, async (t) => {
  const { broker, client } = await startUsers(t, { anonymous: 'full' })
  const seen: unknown[] = []
  broker.eventBus.handle('#', async ({ client: id, user, side }) => void seen.push([id, user, side]))
  broker.eventBus.handle('$hw/#', async ({ client: id, user, side }) => void seen.push([id, user, side]))
  for (const name of ['pump-app', 'mapper']) {
    const user = await client({ ...as(name), clientId: `c-${name}` })
    await user.publishAsync(`${PUMP}/twin/update`, '{}', { qos: 1 })
  }
  await (await client({ clientId: 'c' })).publishAsync('any', '', { qos: 1 })
  assert.deepEqual(seen, [
    ['c-pump-app', 'pump-app', 'desired'],
    ['c-mapper', 'mapper', 'reported'],
    ['c', undefined, undefined],
  ])
})

test('a client speaks on its twins only: elsewhere it is disconnected and nobody hears it', {
  timeout: 20_000,
}, async (t) => {
  const { broker, client } = await startUsers(t, { anonymous: 'full' })
  const handled: string[] = []
  broker.eventBus.handle('$hw/#', async ({ topic }) => void handled.push(topic))
  const listener = await client()
  const heard = listen(listener)
  await listener.subscribeAsync(['$hw/#', '#'])
  for (const topic of [`${LAMP}/twin/update`, `${LAMP}/twin/get`, 'twins/plant/lamp/power/set', 'room/a']) {
    const speaker = await client(as('pump-app'))
    const closed = closing(speaker)
    speaker.publish(topic, 'lie', { qos: 1, retain: true }, () => undefined)
    await closed
  }
  const speaker = await client(as('pump-app'))
  // As the edge: a receipt, and silence.
  await speaker.publishAsync(`${PUMP}/twin/update/result`, 'lie', { qos: 1 })
  await speaker.publishAsync(`${PUMP}/twin/update`, 'true', { qos: 1 })
  await waitFor(() => heard.length > 0)
  assert.deepEqual([heard, handled], [[`${PUMP}/twin/update true`], [`${PUMP}/twin/update`]])
})

test('a client hears its twins only: retained, live, as a session and in wide subscriptions', {
  timeout: 20_000,
}, async (t) => {
  const { broker, client } = await startUsers(t)
  const say = (topic: string, text: string, retain = false) => broker.eventBus.publish(topic, text, { qos: 1, retain })
  await say(`${LAMP}/twin/update/document`, 'kept', true)
  await say(`${PUMP}/twin/update/document`, 'kept', true)
  await say('room/a', 'kept', true)
  const session = { ...as('pump-app'), clientId: 'p', clean: false }
  const passing = await client(as('pump-app'))
  const heardInPassing = listen(passing)
  await passing.subscribeAsync(['$hw/#', 'twins/#'], { qos: 1 })
  await passing.subscribeAsync('#', { qos: 0 })
  const pump = await client(session)
  const heard = listen(pump)
  const granted = await pump
    .subscribeAsync(['$hw/events/device/+/+/twin/update/#', '#', `${LAMP}/#`, 'room/#', '$SYS/#'], { qos: 1 })
    .catch((error: unknown) => error)
  assert.ok(granted instanceof Error || Array.isArray(granted))
  await say(`${LAMP}/twin/update/delta`, 'live')
  await say('twins/plant/lamp/power', 'live')
  await say(`${PUMP}/twin/update/delta`, 'live')
  await waitFor(() => heard.length >= 2)
  await pump.endAsync()
  await say(`${LAMP}/twin/update/delta`, 'missed')
  await say(`${PUMP}/twin/update/delta`, 'missed')
  const again = await client({ ...session, resubscribe: false })
  await say(`${PUMP}/twin/update/delta`, 'end')
  const later = listen(again)
  await waitFor(() => later.some((line) => line.endsWith('end')))
  const own = (line: string) => line.startsWith(PUMP)
  await waitFor(() => heardInPassing.some((line) => line.endsWith('end')))
  assert.deepEqual(
    [...heard, ...later, ...heardInPassing].filter((line) => !own(line)),
    [],
  )
  assert.ok(heard.includes(`${PUMP}/twin/update/document kept retained`))
})

test('a subscription under which nothing may be heard is refused', { timeout: 20_000 }, async (t) => {
  const { client } = await startUsers(t)
  const pump = await client(as('pump-app'))
  for (const filter of [`${LAMP}/#`, 'room/#', '$SYS/#', 'twins/plant/lamp/+']) {
    await assert.rejects(pump.subscribeAsync(filter), /Unspecified error|128/, filter)
  }
  const nobody = await client(as('unlisted'))
  await assert.rejects(nobody.subscribeAsync('#'), /Unspecified error|128/)
})

test('one user cannot take all connections from the others', { timeout: 20_000 }, async (t) => {
  const { client, metrics } = await startUsers(t, { maxConnectionsPerUser: 2 })
  const first = await client({ ...as('pump-app'), clientId: 'a' })
  await client({ ...as('pump-app'), clientId: 'b' })
  await assert.rejects(client({ ...as('pump-app'), clientId: 'c' }), { code: 3 })
  await client(as('lamp-app'))
  const closed = closing(first)
  const again = await client({ ...as('pump-app'), clientId: 'a' })
  await closed
  await assert.rejects(client({ ...as('pump-app'), clientId: 'c' }), { code: 3 })
  await again.endAsync()
  await waitFor(() =>
    client({ ...as('pump-app'), clientId: 'c' }).then(
      () => true,
      () => false,
    ),
  )
  assert.match(await metrics.text(), /skerry_mqtt_refused_total\{reason="connections"\} [2-9]/)
})

test('what is refused stands in the log with the name of the user', { timeout: 20_000 }, async (t) => {
  const { client, log } = await startUsers(t)
  const pump = await client({ ...as('pump-app'), clientId: 'p' })
  await assert.rejects(pump.subscribeAsync('room/#'))
  const closed = closing(pump)
  pump.publish(`${LAMP}/twin/update`, '{}', { qos: 1 }, () => undefined)
  await closed
  const lines = log.lines.filter(({ message }) => message.startsWith('An MQTT client may not'))
  assert.deepEqual(
    lines.map(({ fields: { client: id, user } }) => [id, user]),
    [
      ['p', 'pump-app'],
      ['p', 'pump-app'],
    ],
  )
})

test('a last will is judged like a message of its client', { timeout: 20_000 }, async (t) => {
  const { broker, client } = await startUsers(t, { anonymous: 'full' })
  const handled: string[] = []
  broker.eventBus.handle('$hw/#', async ({ topic, user }) => void handled.push(`${user} ${topic}`))
  const listener = await client()
  const heard = listen(listener)
  await listener.subscribeAsync(['$hw/#', '#'])
  const payload = Buffer.from('gone')
  for (const topic of [`${LAMP}/state/update`, 'room/a', `${PUMP}/twin/update/result`, `${PUMP}/state/update`]) {
    const dying = await client({ ...as('pump-app'), will: { topic, payload, qos: 1, retain: true } })
    dying.stream.destroy()
  }
  await waitFor(() => heard.length > 0)
  assert.deepEqual([heard, handled], [[`${PUMP}/state/update gone`], [`pump-app ${PUMP}/state/update`]])
})

test('the password file is followed while the broker runs', { timeout: 30_000 }, async (t) => {
  const { client, folder, log } = await startUsers(t)
  const file = join(folder, 'passwords')
  await setPassword(file, 'late', 'first')
  const late = await client({ username: 'late', password: 'first' })
  const stays = await client(as('pump-app'))

  const ended = closing(late)
  await setPassword(file, 'late', 'second')
  await ended
  await assert.rejects(client({ username: 'late', password: 'first' }), { code: 4 })
  const again = await client({ username: 'late', password: 'second' })
  const endedAgain = closing(again)
  await setPassword(file, 'late', undefined)
  await endedAgain
  await assert.rejects(client({ username: 'late', password: 'second' }), { code: 4 })
  assert.ok(stays.connected)

  await chmod(file, 0o644)
  await assert.rejects(client(as('pump-app')), { code: 4 })
  assert.ok(log.messages('error').includes('The password file cannot be used; nobody logs in'))
  await chmod(file, 0o600)
  await client(as('pump-app'))
  await rm(file)
  await assert.rejects(client(as('pump-app')), { code: 5 })
})

test('guessing is slow, bounded, and keeps nobody out who was in before', { timeout: 30_000 }, async (t) => {
  const loginLimits = { derivations: 1, waiting: 4, waitingOfAddress: 4, holdBack: ms(1500) }
  const { client, log } = await startUsers(t, { loginLimits })
  const known = await client(as('pump-app'))
  await known.endAsync()
  const started = performance.now()
  const guesses = Array.from({ length: 30 }, (_, index) =>
    client({ username: 'mapper', password: `guess-${index}` }).then(
      () => 0,
      (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
    ),
  )
  await Promise.race(guesses)
  await client(as('pump-app'))
  const codes = await Promise.all(guesses)
  const elapsed = performance.now() - started
  const [wrong, busy] = [4, 3].map((code) => codes.filter((each) => each === code).length)
  assert.ok(wrong !== undefined && busy !== undefined && wrong >= 4 && busy > 0)
  assert.equal(wrong + busy, 30)
  assert.ok(elapsed > 1400 && wrong <= 4 * Math.ceil(elapsed / 1400), `${wrong} answers in ${elapsed} ms`)
  assert.ok(log.messages('warn').length < 5, 'the log does not fill')
  await client(as('mapper'))
})

test('a client id of a connected user is not taken over by another', { timeout: 20_000 }, async (t) => {
  const { client } = await startUsers(t, { anonymous: 'full' })
  const first = await client({ ...as('pump-app'), clientId: 'same' })
  for (const other of [as('lamp-app'), {}]) await assert.rejects(client({ ...other, clientId: 'same' }), { code: 2 })
  assert.ok(first.connected)
  const ended = closing(first)
  await client({ ...as('pump-app'), clientId: 'same' })
  await ended
})

test('a session belongs to the user who opened it, and keeps what he may hear, over restarts', {
  timeout: 30_000,
}, async (t) => {
  const folder = temporaryFolder('skerry-mqtt-')
  const file = join(folder, 'mqtt.db')
  const options = { folder, file, anonymous: 'full', limits: { maxQueued: 3 } } as const
  const first = await startUsers(t, options)
  const session = { ...as('pump-app'), clientId: 'session', clean: false }
  const opener = await first.client(session)
  await opener.subscribeAsync('$hw/#', { qos: 1 })
  await opener.endAsync()
  await first.stop()

  const second = await startBroker(t, { clients: CLIENTS, ...options })
  for (const other of [as('lamp-app'), {}]) {
    for (const clean of [true, false]) {
      await assert.rejects(second.client({ ...other, clientId: 'session', clean }), { code: 2 })
    }
  }
  await second.broker.eventBus.publish(`${PUMP}/twin/update/delta`, 'own', { qos: 1 })
  // What it may not hear takes no room from what waits for it.
  for (let i = 0; i < 5; i++) await second.broker.eventBus.publish(`${LAMP}/twin/update/delta`, 'x', { qos: 1 })
  const heard: string[] = []
  await second.client(session, undefined, (again) => again.on('message', (topic) => void heard.push(topic)))
  await waitFor(() => heard.length > 0)
  assert.deepEqual(heard, [`${PUMP}/twin/update/delta`])
})

test('without a password file a name proves nothing and takes nothing away', { timeout: 20_000 }, async (t) => {
  const { broker, client } = await startBroker(t, { anonymous: 'full', clients: CLIENTS })
  const users: unknown[] = []
  broker.eventBus.handle('#', async ({ user }) => void users.push(user))
  await (await client(as('pump-app'))).publishAsync('room/a', '', { qos: 1 })
  assert.deepEqual(users, [undefined])
})

test('what is wrong in the configuration is said at the start', { timeout: 20_000 }, async (t) => {
  const folder = temporaryFolder('skerry-mqtt-')
  const file = join(folder, 'users')
  await assert.rejects(startBroker(t, { folder, passwordFile: file }), { code: 'PLATFORM_PASSWORD_FILE_MISSING' })
  await writeFileAtomic(file, '', 0o640)
  await assert.rejects(startBroker(t, { folder, passwordFile: file }), {
    code: 'PLATFORM_PASSWORD_FILE_SHARED',
    message: `others may read the password file: run chmod 600 ${file}`,
  })
  for (const filter of ['a/#/b', 'a+', `${PUMP}/#`, 'twins/#']) {
    await assert.rejects(startBroker(t, { clients: [entry({ subscribe: [filter] })] }), {
      code: 'PLATFORM_MQTT_FILTER_INVALID',
    })
  }
})

async function startUsers(t: TestContext, options: Parameters<typeof startBroker>[1] = {}) {
  const folder = options.folder ?? temporaryFolder('skerry-mqtt-')
  for (const name of ['pump-app', 'lamp-app', 'mapper', 'unlisted']) {
    await setPassword(join(folder, 'passwords'), name, passwordOf(name))
  }
  return startBroker(t, { folder, clients: CLIENTS, ...options })
}

async function setPassword(file: string, name: string, password: string | undefined): Promise<void> {
  const before = await readFile(file, 'utf8').catch(() => '')
  const line = password === undefined ? undefined : passwordLine(name, await hashPassword(Buffer.from(password), 100))
  await writeFileAtomic(file, withPasswordLine(before, name, line), 0o600)
}

function passwordOf(name: string): string {
  return `secret of ${name}`
}

function as(username: string) {
  return { username, password: passwordOf(username) }
}

function entry(fields: Partial<MqttClientConfig>): MqttClientConfig {
  return { name: 'x', twins: [], access: 'read', publish: [], subscribe: [], ...fields }
}
