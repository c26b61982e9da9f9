import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectSocket, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { silentMetrics } from '../../health/metrics.ts'
import { createScope } from '../../lifecycle/scope.ts'
import { memoryLogger } from '../../log/testing/index.ts'
import { seconds, systemClock } from '../../time/index.ts'
import { createEmbeddedBroker } from './embedded-broker.ts'
import type { EmbeddedBrokerOptions } from './options.ts'

const UPDATE = '$hw/events/device/default/lamp/twin/update'

test('the receipt waits for the handler, and what the handler refuses gets none', { timeout: 10_000 }, async (t) => {
  const { broker, client } = await start(t)
  const release = Promise.withResolvers<void>()
  const seen: string[] = []
  broker.eventBus.handle('$hw/events/device/+/+/twin/update', async ({ payload, qos, client: from }) => {
    seen.push(`${from} ${qos} ${Buffer.from(payload)}`)
    if (seen.length === 1) await release.promise
    else throw new Error('disk full')
  })
  const publisher = await client({ clientId: 'p' })
  let isAcknowledged = false
  const first = publisher.publishAsync(UPDATE, '1', { qos: 1 }).then(() => {
    isAcknowledged = true
  })
  await waitFor(() => seen.length === 1)
  await (await client()).publishAsync('other', '', { qos: 1 })
  assert.equal(isAcknowledged, false)
  release.resolve()
  await first
  assert.deepEqual(seen, ['p 1 1'])

  const closed = closing(publisher)
  publisher.publish(UPDATE, '2', { qos: 1 }, () => undefined)
  await closed
  assert.equal(seen.length, 2)
})

test('messages of one client come in their order, and the edge bypasses the policy', { timeout: 10_000 }, async (t) => {
  const { broker, client } = await start(t)
  const seen: string[] = []
  const handling = broker.eventBus.handle('a/#', async ({ payload }) => {
    seen.push(Buffer.from(payload).toString())
  })
  const publisher = await client()
  const numbers = Array.from({ length: 500 }, (_, index) => String(index))
  await Promise.all(numbers.map((text) => publisher.publishAsync('a/b', text, { qos: 1 })))
  assert.deepEqual(seen, numbers)
  handling[Symbol.dispose]()
  await publisher.publishAsync('a/b', 'late', { qos: 1 })
  assert.equal(seen.length, 500)

  const subscriber = await client()
  await subscriber.subscribeAsync('$hw/#', { qos: 1 })
  const message = new Promise<string>((resolve) => {
    subscriber.once('message', (topic, payload) => resolve(`${topic} ${payload}`))
  })
  await broker.eventBus.publish(`${UPDATE}/result`, 'text', { qos: 1 })
  assert.equal(await message, `${UPDATE}/result text`)
})

test('a client may not speak as the edge, nor more than read when it may only read', { timeout: 10_000 }, async (t) => {
  const { client } = await start(t, { anonymous: 'read-only' })
  const reader = await client()
  await reader.subscribeAsync('#', { qos: 1 })
  await reader.publishAsync('$hw/events/device/default/lamp/twin/get', '{}', { qos: 1 })
  for (const topic of [UPDATE, 'any']) {
    const speaker = await client()
    const closed = closing(speaker)
    speaker.publish(topic, '1', { qos: 0 })
    await closed
  }
  const { client: none } = await start(t, { anonymous: 'none' })
  await assert.rejects(none(), { code: 5 })
})

test('who speaks as the edge gets a receipt, and nobody hears it', { timeout: 10_000 }, async (t) => {
  const { broker, client, log } = await start(t)
  const handled: string[] = []
  broker.eventBus.handle('$hw/events/device/+/+/twin/+', async ({ topic }) => void handled.push(topic))
  const listener = await client()
  const heard: string[] = []
  listener.on('message', (topic, payload) => heard.push(`${topic} ${payload}`))
  await listener.subscribeAsync(['#', '$hw/#'], { qos: 1 })
  const speaker = await client()
  for (const qos of [0, 1, 2] as const) {
    await speaker.publishAsync(`${UPDATE}/result`, 'lie', { qos, retain: true })
    await speaker.publishAsync('$hw/events/device/default/lamp/twin/cloud_updated', 'lie', { qos })
  }
  await speaker.publishAsync('end', '', { qos: 1 })
  await waitFor(() => heard.includes('end '))
  assert.deepEqual([heard, handled], [['end '], []])
  const late = await client()
  late.on('message', (topic) => heard.push(topic))
  await late.subscribeAsync('$hw/#')
  await speaker.publishAsync('end', '', { qos: 1 })
  assert.ok(!heard.some((line) => line.startsWith('$hw')), 'nothing is retained')
  assert.equal(log.messages('warn').filter((line) => line === 'An MQTT client may not publish there').length, 1)
})

test('receipts and messages keep the order of their client, however long each takes', {
  timeout: 10_000,
}, async (t) => {
  const { broker, client } = await start(t)
  const releases: (() => void)[] = []
  broker.eventBus.handle('held/#', () => new Promise<void>((resolve) => void releases.push(resolve)))
  const listener = await client()
  const heard: string[] = []
  listener.on('message', (topic) => heard.push(topic))
  await listener.subscribeAsync('#', { qos: 1 })
  const speaker = await client()
  const receipts: string[] = []
  const topics = ['held/1', 'free/1', 'held/2', 'free/2']
  const all = topics.map((topic) => speaker.publishAsync(topic, '', { qos: 1 }).then(() => void receipts.push(topic)))
  await waitFor(() => releases.length === 2)
  releases[1]?.()
  await (await client()).publishAsync('other', '', { qos: 1 })
  assert.deepEqual(receipts, [])
  releases[0]?.()
  await Promise.all(all)
  assert.deepEqual(receipts, topics)
  await waitFor(() => heard.length === 5)
  assert.deepEqual(
    heard.filter((topic) => topic !== 'other'),
    topics,
  )
})

test('a packet above the limit ends its connection before it is collected', { timeout: 10_000 }, async (t) => {
  const { broker, client, log } = await start(t, { maxPacketBytes: 1000 })
  const fits = await client()
  await fits.publishAsync('a', Buffer.alloc(990), { qos: 1 })
  const socket = connectSocket(broker.port, '127.0.0.1')
  t.after(() => socket.destroy())
  // A PUBLISH that announces 200 MiB, before any CONNECT.
  socket.write(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x64, 0]))
  socket.on('error', () => undefined)
  await once(socket, 'close')
  assert.ok(log.messages('warn').includes('An MQTT client sent too large a packet'))
})

test('one connection too many is refused', { timeout: 10_000 }, async (t) => {
  const { broker, client } = await start(t, { maxConnections: 1 })
  await client()
  const socket = connectSocket(broker.port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'close')
})

test('a client that takes nothing is bounded and holds nobody up', { timeout: 20_000 }, async (t) => {
  const { broker, client } = await start(t, { maxBacklogBytes: 100_000 })
  const stalled = connectSocket(broker.port, '127.0.0.1')
  t.after(() => stalled.destroy())
  stalled.on('error', () => undefined)
  stalled.write(Buffer.concat([mqttConnect('s'), mqttSubscribe('big', 1)]))
  stalled.pause()
  const healthy = await client()
  let got = 0
  healthy.on('message', () => got++)
  await healthy.subscribeAsync('big', { qos: 1 })
  const publisher = await client()
  const payload = Buffer.alloc(50_000)
  for (let i = 0; i < 200; i++) await publisher.publishAsync('big', payload, { qos: 1 })
  await waitFor(() => got === 200)
})

test('a subscriber that leaves with a backlog takes nobody along', { timeout: 20_000 }, async (t) => {
  const { broker, client } = await start(t)
  const leaving = connectSocket(broker.port, '127.0.0.1')
  leaving.on('error', () => undefined)
  leaving.write(Buffer.concat([mqttConnect('l'), mqttSubscribe('n', 1)]))
  leaving.pause()
  const publisher = await client()
  publisher.stream.setMaxListeners(0)
  await Promise.all(Array.from({ length: 5000 }, () => publisher.publishAsync('n', 'x'.repeat(500), { qos: 0 })))
  leaving.destroy()
  await publisher.publishAsync('n', 'still there', { qos: 1 })
})

test('the last will is judged and handled as any message', { timeout: 10_000 }, async (t) => {
  const { broker, client } = await start(t)
  const said = Promise.withResolvers<string>()
  broker.eventBus.handle('$hw/events/device/+/+/state/update', async ({ payload }) => {
    said.resolve(Buffer.from(payload).toString())
  })
  const topic = '$hw/events/device/default/lamp/state/update'
  const dying = await client({ will: { topic, payload: Buffer.from('gone'), qos: 1, retain: false } })
  dying.stream.destroy()
  assert.equal(await said.promise, 'gone')
})

test('a session gets what it missed while it was away', { timeout: 10_000 }, async (t) => {
  const { broker, client } = await start(t)
  const session = { clientId: 'keeper', clean: false }
  const before = await client(session)
  await before.subscribeAsync('a/#', { qos: 1 })
  await before.endAsync()
  await broker.eventBus.publish('a/b', 'missed', { qos: 1 })
  const seen = Promise.withResolvers<string>()
  await client(session, (again) => again.on('message', (_, payload) => seen.resolve(payload.toString())))
  assert.equal(await seen.promise, 'missed')
})

test('a taken port is named, and a stopped broker says so', { timeout: 10_000 }, async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  const { broker, scope } = create(t, { port: address.port })
  await assert.rejects(broker.start(scope), { code: 'PLATFORM_PORT_TAKEN' })
  await assert.rejects(broker.eventBus.publish('a', 'b'), { code: 'PLATFORM_MQTT_CLOSED' })
})

type ClientMaker = (options?: IClientOptions, prepare?: (client: MqttClient) => void) => Promise<MqttClient>

async function start(t: TestContext, options: Partial<EmbeddedBrokerOptions> = {}) {
  const made = create(t, options)
  await made.broker.start(made.scope)
  const client: ClientMaker = async (own, prepare) => {
    const url = `mqtt://127.0.0.1:${made.broker.port}`
    const connected = await connectAsync(url, { reconnectPeriod: 0, ...own }, false)
    prepare?.(connected)
    connected.on('error', () => undefined)
    t.after(() => connected.endAsync(true))
    return connected
  }
  return { ...made, client }
}

function create(t: TestContext, options: Partial<EmbeddedBrokerOptions>) {
  const log = memoryLogger()
  const scope = createScope('EventBus', { clock: systemClock, log, deadline: seconds(5), onCrash: assert.ifError })
  t.after(() => scope[Symbol.asyncDispose]())
  const broker = createEmbeddedBroker({
    host: '127.0.0.1',
    port: 0,
    anonymous: 'full',
    maxPacketBytes: 1_048_576,
    maxConnections: 100,
    clock: systemClock,
    log,
    metrics: silentMetrics,
    ...options,
  })
  return { broker, scope, log }
}

function closing(client: MqttClient): Promise<void> {
  return new Promise((resolve) => client.once('close', () => resolve()))
}

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await systemClock.sleep({ milliseconds: 2 })
}

function mqttConnect(id: string): Buffer {
  const body = Buffer.concat([Buffer.from([0, 4]), Buffer.from('MQTT'), Buffer.from([4, 2, 0, 0]), text(id)])
  return Buffer.concat([Buffer.from([0x10, body.length]), body])
}

function mqttSubscribe(filter: string, qos: number): Buffer {
  const body = Buffer.concat([Buffer.from([0, 1]), text(filter), Buffer.from([qos])])
  return Buffer.concat([Buffer.from([0x82, body.length]), body])
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length >> 8, value.length & 255]), Buffer.from(value)])
}
