import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ClientOptions, WebSocket } from 'ws'
import type { MqttWebSocketConfig } from '../../../../schemas/config/index.ts'
import { closing, listen, startBroker, waitFor } from '../testing/start-broker.ts'

const SOCKET: MqttWebSocketConfig = { host: '127.0.0.1', port: 0, tls: false, origins: [] }

test('a browser client and a TCP client hear each other, large messages and small', { timeout: 20_000 }, async (t) => {
  const { client, url } = await start(t)
  const browser = await client({ protocolVersion: 4 }, url)
  const other = await client()
  const [heardThere, heardHere] = [listen(browser), listen(other)]
  await browser.subscribeAsync('to/browser', { qos: 1 })
  await other.subscribeAsync('to/other', { qos: 1 })
  const sizes = [0, 1, 125, 126, 65_535, 200_000, 900_000]
  for (const size of sizes) {
    await browser.publishAsync('to/other', 'x'.repeat(size), { qos: 2 })
    await other.publishAsync('to/browser', 'x'.repeat(size), { qos: 1 })
  }
  await waitFor(() => heardThere.length === sizes.length && heardHere.length === sizes.length)
  const lengths = (lines: readonly string[]) => lines.map((line) => line.split(' ')[1]?.length)
  assert.deepEqual([lengths(heardThere), lengths(heardHere)], [sizes, sizes])
})

test('wss has the certificate of mqtt.tls', { timeout: 20_000 }, async (t) => {
  const { client, folder, broker } = await start(t, { tls: true })
  const ca = await readFile(join(folder, 'ca.crt'), 'utf8')
  const over = await client({ ca }, `wss://localhost:${broker.ports.websocket}/mqtt`)
  await over.publishAsync('a', '', { qos: 1 })
  assert.equal(broker.ports.tls, undefined)
})

test('frames may be cut anywhere and hold several packets', { timeout: 20_000 }, async (t) => {
  const { open } = await start(t)
  const subscribe = Buffer.from([0x82, 6, 0, 1, 0, 1, 0x61, 0])
  const publish = Buffer.from([0x30, 4, 0, 1, 0x61, 0x7a])
  const bytewise = await open()
  const answers = received(bytewise)
  for (const byte of Buffer.concat([CONNECT, subscribe])) bytewise.send(Buffer.from([byte]))
  await waitFor(() => answers().length >= 9)
  bytewise.send(Buffer.concat([publish, publish, Buffer.from([0xc0])]))
  bytewise.send(Buffer.from([0]))
  await waitFor(() => answers().length >= 9 + 12 + 2)
  assert.equal(answers().toString('hex'), `200200009003000100${'30040001617a'.repeat(2)}d000`)
})

test('text frames and too large packets end the connection, and only that', { timeout: 20_000 }, async (t) => {
  const { open, client, log, url } = await start(t, {}, { maxPacketBytes: 2000 })
  const lasting = await client({}, url)
  const text = await open()
  text.send('hello')
  assert.equal((await once(text, 'close'))[0], 1003)
  const large = await open()
  large.send(Buffer.concat([CONNECT, Buffer.from([0x30, 0x80, 0x80, 0x80, 0x64, 0])]))
  await once(large, 'close')
  assert.ok(log.messages('warn').includes('An MQTT client sent too large a packet'))
  const huge = await open()
  huge.send(Buffer.alloc(200_000))
  assert.equal((await once(huge, 'close'))[0], 1009)
  await lasting.publishAsync('a', '', { qos: 1 })
})

test('a page of another site does not come in, a listed one does', { timeout: 20_000 }, async (t) => {
  const { refused, open, metrics } = await start(t, { origins: ['https://panel.example'] })
  assert.equal(await refused({ origin: 'https://evil.example' }), 403)
  assert.equal(await refused({ origin: 'http://evil.example', headers: { host: 'evil.example' } }), 403)
  assert.equal(await refused({ origin: 'null' }), 403)
  await open({ origin: 'https://panel.example' })
  await open({ origin: 'http://127.0.0.1:3000' })
  assert.match(await metrics.text(), /skerry_mqtt_refused_total\{reason="origin"\} 3/)
})

test('only MQTT is spoken there, on its path', { timeout: 20_000 }, async (t) => {
  const { refused, open, broker } = await start(t)
  const base = `127.0.0.1:${broker.ports.websocket}`
  assert.equal(await refused({}, `ws://${base}/mqtt`, []), 400)
  assert.equal(await refused({}, `ws://${base}/mqtt`, ['chat']), 400)
  assert.equal(await refused({}, `ws://${base}/other`), 404)
  assert.equal((await open({}, `ws://${base}/`)).protocol, 'mqtt')
  assert.equal((await open({}, `ws://${base}/mqtt?x=1`, ['chat', 'mqttv3.1'])).protocol, 'mqttv3.1')
  const answer = await fetch(`http://${base}/`)
  assert.deepEqual([answer.status, answer.headers.get('upgrade')], [426, 'websocket'])
})

test('whom a proxy brings is not of this machine', { timeout: 20_000 }, async (t) => {
  const { client, url } = await start(t)
  const headers = { 'x-forwarded-for': '203.0.113.9' }
  await assert.rejects(client({ wsOptions: { headers } }, url), { code: 5 })
  await client({}, url)
})

test('all listeners together take so many connections', { timeout: 20_000 }, async (t) => {
  const { broker, client, url, metrics } = await start(t, {}, { maxConnections: 2 })
  const browser = await client({}, url)
  await client()
  await assert.rejects(client({}, url))
  const socket = connect(broker.port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'close')
  assert.match(await metrics.text(), /skerry_mqtt_refused_total\{reason="connections"\} 2/)
  const closed = closing(browser)
  browser.end()
  await closed
  await waitFor(() =>
    client({}, url).then(
      () => true,
      () => false,
    ),
  )
})

test('who takes nothing is bounded and held against nobody else', { timeout: 30_000 }, async (t) => {
  const { open, client } = await start(t, {}, { maxBacklogBytes: 200_000, limits: { maxQueued: 20 } })
  const stalled = await open()
  stalled.send(Buffer.concat([CONNECT, Buffer.from([0x82, 6, 0, 1, 0, 1, 0x61, 1])]))
  await once(stalled, 'message')
  stalled.pause()
  const healthy = await client()
  const heard = listen(healthy)
  await healthy.subscribeAsync('a', { qos: 0 })
  const publisher = await client()
  for (let i = 0; i < 200; i++) await publisher.publishAsync('a', Buffer.alloc(50_000), { qos: 1 })
  await waitFor(() => heard.length === 200)
})

test('a client that goes away takes its connection along, and its will is heard', { timeout: 20_000 }, async (t) => {
  const { client, url } = await start(t)
  const listener = await client()
  const heard = listen(listener)
  await listener.subscribeAsync('gone')
  const will = { topic: 'gone', payload: Buffer.from('1'), qos: 1, retain: false } as const
  const polite = await client({ will }, url)
  await polite.endAsync()
  const dying = await client({ will: { ...will, payload: Buffer.from('2') } }, url)
  dying.stream.destroy()
  await waitFor(() => heard.length > 0)
  assert.deepEqual(heard, ['gone 2'])
})

const CONNECT = Buffer.from([0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 1, 0x78])

async function start(
  t: TestContext,
  websocket: Partial<MqttWebSocketConfig> = {},
  options: Parameters<typeof startBroker>[1] = {},
) {
  const started = await startBroker(t, { anonymous: 'full', websocket: { ...SOCKET, ...websocket }, ...options })
  const url = `ws://127.0.0.1:${started.broker.ports.websocket}/mqtt`
  const dial = (own: ClientOptions, to: string, protocols: readonly string[]) => {
    const socket = new WebSocket(to, [...protocols], own)
    socket.on('error', () => undefined)
    t.after(() => socket.terminate())
    return socket
  }
  /** By hand. */
  const open = async (own: ClientOptions = {}, to = url, protocols: readonly string[] = ['mqtt']) => {
    const socket = dial(own, to, protocols)
    await once(socket, 'open')
    return socket
  }
  const refused = async (own: ClientOptions, to = url, protocols: readonly string[] = ['mqtt']): Promise<unknown> => {
    const [, response] = await once(dial(own, to, protocols), 'unexpected-response')
    return response.statusCode
  }
  return { ...started, url, open, refused }
}

function received(socket: WebSocket): () => Buffer {
  const chunks: Buffer[] = []
  socket.on('message', (data) => {
    if (Buffer.isBuffer(data)) chunks.push(data)
  })
  return () => Buffer.concat(chunks)
}
