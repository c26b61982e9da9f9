import assert from 'node:assert/strict'
import { test } from 'node:test'
import { needs } from '../../../../tools/testing/needs.ts'
import { systemClock } from '../../../time/index.ts'
import { connectClient, prepareMosquitto, startExternal, startMosquitto, until } from '../testing/index.ts'

const skip = needs('mosquitto')
const UPDATE = '$hw/events/device/default/lamp/twin/update'
/** What KubeEdge subscribes to. */
const FILTERS = [
  '$hw/events/upload/#',
  '$hw/events/device/+/+/state/update',
  '$hw/events/device/+/+/twin/+',
  '$hw/events/node/+/membership/get',
  'SYS/dis/upload_records',
  '+/user/#',
]

test('the six patterns of KubeEdge at QoS 1, two clients with its ids, a clean session', {
  skip,
  timeout: 30_000,
}, async (t) => {
  const broker = await startMosquitto(t)
  const edge = await startExternal(t, broker)
  const seen: string[] = []
  for (const filter of FILTERS) edge.handle(filter, seen)
  await edge.up()
  for (const filter of FILTERS) await broker.logged(new RegExp(`hub-client-sub-\\d{10} 1 ${escaped(filter)}\n`))
  await broker.logged(/as hub-client-sub-\d{10} \(p2, c1, k30\)/)
  await broker.logged(/as hub-client-pub-\d{10} \(p2, c1, k30\)/)
  const client = await connectClient(t, broker)
  const topics = [
    '$hw/events/upload/a/b',
    '$hw/events/device/ns/lamp/state/update',
    UPDATE,
    '$hw/events/node/edge-1/membership/get',
    'SYS/dis/upload_records',
    'shop/user/x',
  ]
  for (const [index, topic] of topics.entries())
    await client.publishAsync(topic, Buffer.from([0, 255, index]), { qos: 1 })
  await until(() => seen.length === 6)
  assert.deepEqual(
    seen,
    topics.map((topic, index) => `${topic} 1 00ff0${index}`),
  )
})

test('what the edge says goes out at QoS 1 and not retained; what only it says is not heard', {
  skip,
  timeout: 30_000,
}, async (t) => {
  const broker = await startMosquitto(t)
  const edge = await startExternal(t, broker)
  const seen: string[] = []
  edge.handle('$hw/#', seen)
  await edge.up()
  const client = await connectClient(t, broker)
  const heard: string[] = []
  client.on('message', (topic, payload, { qos, retain }) => heard.push(`${topic} ${payload} ${qos} ${retain}`))
  await client.subscribeAsync('$hw/#', { qos: 2 })
  await edge.eventBus.publish(`${UPDATE}/result`, 'text', { qos: 0, retain: true })
  await edge.eventBus.publish(`${UPDATE}/delta`, Buffer.from('bytes'), { qos: 2 })
  await until(() => heard.length === 2)
  assert.deepEqual(heard, [`${UPDATE}/result text 1 false`, `${UPDATE}/delta bytes 1 false`])
  await client.publishAsync(UPDATE, 'end', { qos: 1 })
  await until(() => seen.length === 1)
  assert.deepEqual(seen, [`${UPDATE} 1 ${hex('end')}`])
  await assert.rejects(edge.eventBus.publish('a/+/b', ''), { code: 'PLATFORM_MQTT_TOPIC' })
  const late = await connectClient(t, broker)
  late.on('message', (topic) => heard.push(topic))
  await late.subscribeAsync('$hw/#', { qos: 1 })
  await late.publishAsync('$hw/end', '', { qos: 1 })
  // Two heard the end; nothing retained came before it.
  await until(() => heard.filter((line) => line.startsWith('$hw/end')).length === 2)
  assert.equal(heard.length, 5)
})

test('the receipt waits for the handler, receipts keep their order, and many messages are worked on at a time', {
  skip,
  timeout: 30_000,
}, async (t) => {
  const broker = await startMosquitto(t, { lines: ['allow_anonymous true', 'max_inflight_messages 4'] })
  const edge = await startExternal(t, broker)
  const releases: (() => void)[] = []
  const seen: string[] = []
  edge.eventBus.handle('held/#', ({ payload }) => {
    seen.push(Buffer.from(payload).toString())
    return new Promise<void>((resolve) => void releases.push(resolve))
  })
  await edge.up()
  const client = await connectClient(t, broker)
  const numbers = Array.from({ length: 12 }, (_, index) => String(index))
  for (const number of numbers) await client.publishAsync('held/x', number, { qos: 1 })
  // Publishing is not held up by what is worked on.
  await edge.eventBus.publish('free', '')
  await until(() => seen.length === 4)
  releases[3]?.()
  await edge.eventBus.publish('free', '')
  assert.equal(broker.log.match(/Received PUBACK from hub-client-sub/g), null)
  await until(() => {
    for (const release of releases.splice(0)) release()
    return seen.length === 12
  })
  for (const release of releases.splice(0)) release()
  await broker.logged(/Received PUBACK from hub-client-sub/, 12)
  assert.deepEqual(seen, numbers)
  const sent = [...broker.log.matchAll(/Sending PUBLISH to hub-client-sub-\d+ \(d0, q1, r0, m(\d+),/g)].map((m) => m[1])
  const taken = [...broker.log.matchAll(/Received PUBACK from hub-client-sub-\d+ \(Mid: (\d+),/g)].map((m) => m[1])
  assert.deepEqual(taken, sent)
})

test('a message that is not taken gets no receipt, and the connection is made anew so that others come through', {
  skip,
  timeout: 30_000,
}, async (t) => {
  const broker = await startMosquitto(t, { lines: ['allow_anonymous true', 'max_inflight_messages 1'] })
  const edge = await startExternal(t, broker)
  const seen: string[] = []
  edge.eventBus.handle('a', async ({ payload }) => {
    seen.push(Buffer.from(payload).toString())
    if (seen.length === 1) throw new Error('no')
  })
  await edge.up()
  const client = await connectClient(t, broker)
  await client.publishAsync('a', 'first', { qos: 1 })
  await until(() => seen.length === 1)
  await broker.logged(/as hub-client-sub-\d{10}/, 2)
  await broker.logged(/Sending SUBACK to hub-client-sub-/, 2)
  await client.publishAsync('a', 'second', { qos: 1 })
  await until(() => seen.length === 2)
  assert.deepEqual(seen, ['first', 'second'])
  await broker.logged(/Received PUBACK from hub-client-sub/, 1)
})

test('it is ready without its broker and says what it waits for; a broker that comes, dies and returns is used again', {
  skip,
  timeout: 60_000,
}, async (t) => {
  const broker = await prepareMosquitto(t)
  const edge = await startExternal(t, broker)
  const seen: string[] = []
  edge.handle('a/#', seen)
  await until(() => edge.pending()?.includes('ECONNREFUSED') === true)
  assert.match(edge.pending() ?? '', /^the MQTT broker at mqtt:\/\/127\.0\.0\.1:\d+ \(.*ECONNREFUSED/)
  const waits = edge.eventBus.publish('early', 'waits')
  for (let life = 1; life <= 2; life++) {
    await broker.start()
    const before = systemClock.monotonic()
    await edge.up()
    assert.ok(systemClock.monotonic() - before < 10_000, 'KubeEdge is back within 5 s; the rest is for slow machines')
    if (life === 1) await waits
    const client = await connectClient(t, broker)
    await client.publishAsync('a/b', String(life), { qos: 1 })
    await until(() => seen.length === life)
    await broker.kill()
    await until(() => edge.pending() !== undefined)
  }
  assert.ok(edge.log.messages('warn').includes('The MQTT broker is not reachable'))
})

test('filters may come and go while the connection stands, and one that the broker refuses is shown', {
  skip,
  timeout: 30_000,
}, async (t) => {
  const files = { acl: 'topic readwrite a/#\ntopic readwrite b/#\n' }
  const broker = await startMosquitto(t, { files, lines: ['allow_anonymous true', 'acl_file DIR/acl'] })
  const edge = await startExternal(t, broker)
  await edge.up()
  const seen: string[] = []
  const [first, second] = [edge.handle('a/+', seen), edge.handle('a/+', seen)]
  const other = edge.handle('b/+', seen)
  await broker.logged(/ 1 a\/\+\n/)
  await broker.logged(/ 1 b\/\+\n/)
  first[Symbol.dispose]()
  other[Symbol.dispose]()
  other[Symbol.dispose]()
  await broker.logged(/Sending UNSUBACK to hub-client-sub/)
  const client = await connectClient(t, broker)
  await client.publishAsync('b/x', '', { qos: 1 })
  await client.publishAsync('a/x', '', { qos: 1 })
  await until(() => seen.length === 1)
  assert.deepEqual(seen, ['a/x 1 '])
  second[Symbol.dispose]()
  await broker.logged(/Sending UNSUBACK to hub-client-sub/, 2)
  // mosquitto 2 refuses by SUBACK what the list denies as a whole.
  const bad = edge.handle('a/#/b', seen)
  await until(() => edge.pending()?.includes('refuses the subscription to a/#/b') === true)
  assert.match(await edge.metrics.text(), /skerry_mqtt_external_refused_total\{reason="subscription"\} 1/)
  bad[Symbol.dispose]()
})

test('a broker that stalls holds nobody up: what it does not take fails in time, and it is used again when it wakes', {
  skip,
  timeout: 90_000,
}, async (t) => {
  const broker = await startMosquitto(t)
  const edge = await startExternal(t, broker)
  await edge.up()
  await broker.kill('SIGSTOP')
  const outcomes = Array.from({ length: 1500 }, (_, index) => edge.eventBus.publish('x', String(index)))
  const before = systemClock.monotonic()
  const codes = await Promise.all(outcomes.map((each) => each.then(String, (error: { code: string }) => error.code)))
  const lastedMs = systemClock.monotonic() - before
  assert.ok(lastedMs > 5000 && lastedMs < 40_000, `${lastedMs} ms`)
  assert.deepEqual(new Set(codes), new Set(['PLATFORM_MQTT_UNREACHABLE', 'PLATFORM_MQTT_OVERLOADED']))
  assert.equal(codes.filter((code) => code === 'PLATFORM_MQTT_OVERLOADED').length, 400)
  await until(() => edge.pending() !== undefined)
  await broker.kill('SIGCONT')
  await edge.up()
  await edge.eventBus.publish('x', 'again')
})

test('what is on its way is waited for when the edge stops', { skip, timeout: 30_000 }, async (t) => {
  const broker = await startMosquitto(t)
  const edge = await startExternal(t, broker)
  await edge.up()
  const client = await connectClient(t, broker)
  let heard = 0
  client.on('message', () => heard++)
  await client.subscribeAsync('x', { qos: 1 })
  const sent = Promise.all(Array.from({ length: 300 }, () => edge.eventBus.publish('x', 'y')))
  await Promise.all([edge.stop(), sent])
  await until(() => heard === 300)
  await broker.logged(/Received DISCONNECT from hub-client-pub/)
  await broker.logged(/Received DISCONNECT from hub-client-sub/)
  await assert.rejects(edge.eventBus.publish('x', ''), { code: 'PLATFORM_MQTT_CLOSED' })
})

function hex(text: string): string {
  return Buffer.from(text).toString('hex')
}

function escaped(text: string): string {
  return text.replace(/[$+#/]/g, (each) => `\\${each}`)
}
