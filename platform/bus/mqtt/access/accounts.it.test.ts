import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { podUser } from '../../../../schemas/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { listen as listenOn } from '../../../http/listen.ts'
import { closing, listen, startBroker, waitFor } from '../testing/start-broker.ts'
import { Accounts } from './accounts.ts'

const USER = podUser({ namespace: 'shop', name: 'till', uid: 'u-1' })
const OTHER = podUser({ namespace: 'shop', name: 'till', uid: 'u-2' })
const PASSWORD = 'a-long-random-password'
const AS = { username: USER, password: PASSWORD }
const LAMP = '$hw/events/device/shop/lamp'
const DOOR = '$hw/events/device/shop/door'
/** An address of each Linux machine that is not that of the plain listener. */
const FOR_PODS = '127.0.0.2'

const account = (read: readonly string[], write: readonly string[] = [], password = PASSWORD) => ({
  ...{ read, write },
  passwordHash: createHash('sha256').update(password).digest('hex'),
})
const accountsOf = (read: readonly string[], write: readonly string[] = []) => {
  const accounts = new Accounts()
  accounts.set(USER, account(read, write))
  return accounts
}

test('a pod comes in by its account and reaches exactly its twins', { timeout: 60_000 }, async (t) => {
  const { broker, client, log } = await startBroker(t, { accounts: accountsOf(['shop/door'], ['shop/lamp']) })
  const handled: unknown[] = []
  broker.eventBus.handle('$hw/#', async ({ topic, user, side }) => void handled.push([topic, user, side]))
  await assert.rejects(client({ ...AS, password: 'guess' }), { code: 4 })
  await assert.rejects(client({ username: USER }), { code: 4 })
  await assert.rejects(client({ ...AS, username: OTHER }), { code: 4 })
  const pod = await client(AS)
  const heard = listen(pod)
  await pod.subscribeAsync(['$hw/#', 'twins/#'])
  await pod.publishAsync(`${LAMP}/twin/update`, '{}', { qos: 1 })
  await pod.publishAsync(`${DOOR}/twin/get`, '{}', { qos: 1 })
  await broker.eventBus.publish('twins/shop/safe', 'no')
  await broker.eventBus.publish('twins/shop/door', 'yes')
  await waitFor(() => heard.includes('twins/shop/door yes'))
  assert.ok(!heard.includes('twins/shop/safe no'))
  assert.deepEqual(handled, [
    [`${LAMP}/twin/update`, USER, 'desired'],
    [`${DOOR}/twin/get`, USER, undefined],
  ])
  for (const topic of [`${DOOR}/twin/update`, '$hw/events/device/shop/safe/twin/get', 'room/a']) {
    const stray = await client(AS)
    const closed = closing(stray)
    stray.publish(topic, '{}', { qos: 1 }, () => undefined)
    await closed
  }
  const elsewhere = await client(AS)
  await assert.rejects(elsewhere.subscribeAsync('$hw/events/device/shop/safe/#'))
  assert.ok(!JSON.stringify(log.lines).includes(PASSWORD))
})

test('an account that goes takes its connections, its last will and its sessions along', {
  timeout: 60_000,
}, async (t) => {
  const accounts = accountsOf(['shop/door'], ['shop/lamp'])
  const { broker, client, metrics } = await startBroker(t, { accounts, anonymous: 'full' })
  const said: string[] = []
  broker.eventBus.handle('$hw/#', async ({ payload }) => void said.push(String(payload)))
  const will = { topic: `${LAMP}/twin/update`, payload: Buffer.from('last will'), qos: 1 as const, retain: false }
  const pod = await client({ ...AS, clientId: 'pod', clean: false, will })
  await pod.subscribeAsync('twins/shop/door', { qos: 1 })
  const other = await client()
  const closed = closing(pod)
  accounts.remove(USER)
  await closed
  await assert.rejects(client({ ...AS, clientId: 'pod', clean: false }), { code: 4 })
  await other.publishAsync(`${LAMP}/twin/update`, 'alive', { qos: 1 })
  assert.deepEqual(said, ['alive'])
  assert.match(await metrics.text(), /skerry_mqtt_sessions 0\n/)
})

test('an account that changes has its clients come back with what they may do now', { timeout: 60_000 }, async (t) => {
  const accounts = accountsOf(['shop/door'])
  const { client } = await startBroker(t, { accounts })
  const pod = await client(AS)
  const closed = closing(pod)
  accounts.set(USER, account(['shop/door']))
  await pod.publishAsync(`${DOOR}/twin/get`, '{}', { qos: 1 })
  accounts.set(USER, account(['shop/lamp']))
  await closed
  const again = await client(AS)
  await again.publishAsync(`${LAMP}/twin/get`, '{}', { qos: 1 })
  await assert.rejects(again.subscribeAsync('twins/shop/door'))
})

test('sessions and accounts outlive a restart of the broker, sessions of pods that went meanwhile do not', {
  timeout: 60_000,
}, async (t) => {
  const file = join(temporaryFolder('skerry-accounts-'), 'mqtt.db')
  const accounts = accountsOf(['shop/door'])
  accounts.set(OTHER, account(['shop/door']))
  const first = await startBroker(t, { accounts, file })
  for (const username of [USER, OTHER]) {
    const pod = await first.client({ ...AS, username, clientId: username, clean: false })
    await pod.subscribeAsync('twins/shop/door', { qos: 1 })
    await pod.endAsync()
  }
  await first.stop()
  accounts.remove(OTHER)
  const second = await startBroker(t, { accounts, file })
  assert.match(await second.metrics.text(), /skerry_mqtt_sessions 1\n/)
  await second.broker.eventBus.publish('twins/shop/door', 'open')
  const heard: string[] = []
  await second.client({ ...AS, clientId: USER, clean: false }, undefined, (client) => {
    client.on('message', (topic) => void heard.push(topic))
  })
  await waitFor(() => heard.length === 1)
})

test('where pods come in nobody does without credentials, whatever else is open', { timeout: 60_000 }, async (t) => {
  for (const host of ['127.0.0.1', '0.0.0.0']) {
    const { broker, client } = await startBroker(t, {
      ...{ host, anonymous: 'full', anonymousRemote: 'full', accounts: accountsOf(['shop/door']) },
      forPods: () => ({ host: FOR_PODS, ports: [] }),
    })
    const port = await broker.listenForPods()
    const url = `mqtt://${FOR_PODS}:${port}`
    assert.equal(port, broker.ports.tcp)
    await assert.rejects(client({}, url), { code: 5 })
    await assert.rejects(client({ username: 'somebody', password: 'x' }, url), { code: 5 })
    await client(AS, url)
    await client()
  }
})

test('a pod has so many connections and sessions, and takes none from others', { timeout: 60_000 }, async (t) => {
  const accounts = accountsOf(['shop/door'])
  accounts.set(OTHER, account(['shop/door']))
  const { client, metrics } = await startBroker(t, { accounts, anonymous: 'full', maxConnectionsPerPod: 2 })
  const first = await client({ ...AS, clientId: 'a' })
  await client({ ...AS, clientId: 'b', clean: false })
  await assert.rejects(client({ ...AS, clientId: 'c' }), { code: 3 })
  await client({ ...AS, username: OTHER })
  for (const clientId of ['x', 'y', 'z']) await client({ clientId })
  await first.endAsync()
  const enters = (clientId: string) =>
    client({ ...AS, clientId, clean: false }).then(
      async (entered) => {
        await entered.endAsync()
        return true
      },
      () => false,
    )
  await waitFor(() => enters('d'))
  await waitFor(async () => /skerry_mqtt_sessions 2\n/.test(await metrics.text()))
  await assert.rejects(client({ ...AS, clientId: 'e', clean: false }), { code: 3 })
  await waitFor(() => enters('d'))
  const counted = await metrics.text()
  assert.match(counted, /skerry_mqtt_refused_total\{reason="pod-connections"\} [1-9]/)
  assert.match(counted, /skerry_mqtt_refused_total\{reason="pod-sessions"\} [1-9]/)
})

test('connections that say nothing fill the share of their address alone', { timeout: 60_000 }, async (t) => {
  const { broker, client, metrics } = await startBroker(t, {
    ...{ accounts: accountsOf(['shop/door']), anonymous: 'full', maxConnectionsPerPod: 1, maxConnections: 4 },
    forPods: () => ({ host: FOR_PODS, ports: [] }),
  })
  const port = (await broker.listenForPods()) ?? 0
  const closed: number[] = []
  for (let nth = 0; nth < 6; nth++) {
    const socket = connect({ host: FOR_PODS, port, localAddress: '127.0.0.3' })
    socket.on('error', () => undefined).once('close', () => void closed.push(nth))
    t.after(() => socket.destroy())
  }
  await waitFor(() => closed.length === 4)
  await client()
  const url = `mqtt://${FOR_PODS}:${port}`
  await client(AS, url)
  assert.match(await metrics.text(), /skerry_mqtt_refused_total\{reason="pod-connections"\} 4\n/)
})

test('the port for pods is the one of before, else another where somebody has it', { timeout: 60_000 }, async (t) => {
  const server = createServer()
  await listenOn(server, { host: FOR_PODS, port: 0 })
  t.after(() => server.close())
  const address = server.address()
  const taken = typeof address === 'object' && address ? address.port : 0
  const first = await startBroker(t, { forPods: () => ({ host: FOR_PODS, ports: [taken] }) })
  const pods = (await first.broker.listenForPods()) ?? 0
  assert.ok(pods > 0 && pods !== taken)
  await first.stop()
  const second = await startBroker(t, { forPods: () => ({ host: FOR_PODS, ports: [pods] }) })
  assert.equal(await second.broker.listenForPods(), pods)
})

test('an address that the machine does not have keeps nobody else from the broker', { timeout: 60_000 }, async (t) => {
  const { broker, client, log } = await startBroker(t, {
    ...{ anonymous: 'full', forPods: () => ({ host: '192.0.2.1', ports: [] }) },
  })
  assert.equal(await broker.listenForPods(), undefined)
  assert.ok(log.messages('warn').includes('The MQTT broker cannot listen for pods'))
  await client()
})
