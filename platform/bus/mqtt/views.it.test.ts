import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { silentMetrics } from '../../health/metrics.ts'
import { createScope } from '../../lifecycle/scope.ts'
import { memoryLogger } from '../../log/testing/index.ts'
import { seconds, systemClock } from '../../time/index.ts'
import type { RetainedView } from '../event-bus.ts'
import { createEmbeddedBroker } from './embedded-broker.ts'

const SPEED = 'twins/default/pump-1/speed'

test('who subscribes finds what is true, then hears of changes and of the end', { timeout: 10_000 }, async (t) => {
  const { view, client, heard, until } = await start(t)
  view.set(SPEED, '1')
  await (await client()).subscribeAsync('twins/#', { qos: 1 })
  await until(1)
  view.set(SPEED, '2')
  view.set(SPEED, '')
  await until(3)
  assert.deepEqual(heard, [`${SPEED} 1 retained`, `${SPEED} 2`, `${SPEED} `])
  heard.length = 0
  view.set('twins/default/pump-2/speed', '7')
  await until(1)
  heard.length = 0
  await (await client()).subscribeAsync(['twins/+/+/speed', 'elsewhere'], { qos: 0 })
  await until(1)
  assert.deepEqual(heard, ['twins/default/pump-2/speed 7 retained'])
})

test('clients store nothing there and are heard on .../set only, once', { timeout: 10_000 }, async (t) => {
  const { broker, client, heard, until } = await start(t)
  const handled: string[] = []
  broker.eventBus.handle('twins/#', async ({ topic, payload, retain }) => {
    handled.push(`${topic} ${Buffer.from(payload)} ${retain}`)
  })
  const speaker = await client()
  await (await client()).subscribeAsync('#')
  for (const topic of ['twins', SPEED, 'twins/default/pump-1', `${SPEED}/set/result`, 'twins/a/b/set', 'twins/x']) {
    await speaker.publishAsync(topic, 'lie', { qos: 1, retain: true })
  }
  await speaker.publishAsync(`${SPEED}/set`, '5', { qos: 1, retain: true })
  await until(1)
  assert.deepEqual([heard, handled], [[`${SPEED}/set 5`], [`${SPEED}/set 5 false`]])
  heard.length = 0
  const late = await client()
  await late.subscribeAsync(['twins', 'twins/#'])
  await speaker.publishAsync('twins/default/pump-1/x/set', 'end', { qos: 1 })
  await until(2)
  assert.ok(
    heard.every((line) => line === 'twins/default/pump-1/x/set end'),
    heard.join(),
  )
})

test('somebody watches while a subscription or a session covers the topic', { timeout: 10_000 }, async (t) => {
  const { view, client, heard, until } = await start(t)
  const handle = view.handle
  assert.deepEqual([handle.hasWatchers, handle.isWatched(SPEED)], [false, false])
  const other = await client()
  await other.subscribeAsync('$hw/#')
  assert.equal(handle.hasWatchers, false)
  await other.subscribeAsync('twins/default/+')
  assert.deepEqual([handle.hasWatchers, handle.isWatched(SPEED)], [true, false])
  assert.equal(handle.isWatched('twins/default/pump-1'), true)
  await other.endAsync()

  const session = { clientId: 'dashboard', clean: false }
  const keeper = await client(session)
  await keeper.subscribeAsync(SPEED, { qos: 1 })
  await keeper.endAsync()
  assert.deepEqual([handle.hasWatchers, handle.isWatched(SPEED)], [true, true])
  view.set(SPEED, 'meanwhile')
  const again = await client(session)
  await until(1)
  assert.deepEqual(heard, [`${SPEED} meanwhile`])
  await again.unsubscribeAsync(SPEED)
  await waitFor(() => !handle.hasWatchers)

  await again.subscribeAsync(SPEED, { qos: 1 })
  await again.endAsync()
  assert.equal(handle.isWatched(SPEED), true)
  await client({ clientId: 'dashboard', clean: true })
  await waitFor(() => !handle.hasWatchers)
})

test('a long list goes out as its reader takes it, and ends with the newest values', {
  timeout: 60_000,
}, async (t) => {
  const { broker, view, client, heard, until } = await start(t)
  const most = 30_000
  const topics = Array.from({ length: most }, (_, index) => `twins/plant/m-${index}/speed`)
  for (const topic of topics) view.set(topic, `old ${'x'.repeat(400)}`)
  const slow = connectSocket(broker.port, '127.0.0.1')
  t.after(() => slow.destroy())
  await subscribed(slow, 'twins/#')
  slow.pause()
  await stands(() => view.pulled)
  assert.ok(view.pulled < most, `${view.pulled} pulled for a reader that takes nothing`)

  // Another reader gets on meanwhile.
  await (await client()).subscribeAsync(SPEED)
  view.set(SPEED, '1')
  await until(1)
  assert.deepEqual(heard, [`${SPEED} 1`])

  for (const topic of topics) view.set(topic, 'new')
  const last = new Map<string, string>()
  slow.resume()
  await readPublishes(slow, (topic, payload) => {
    last.set(topic, payload)
    return topic === topics.at(-1) && view.pulled > most
  })
  assert.equal(last.size, most + 1)
  for (const topic of topics) assert.equal(last.get(topic), 'new', topic)
})

test('what changes between being listed and being sent is sent as it is', { timeout: 10_000 }, async (t) => {
  const { view, client, heard } = await start(t)
  const topics = Array.from({ length: 200 }, (_, index) => `twins/plant/m-${index}/speed`)
  for (const topic of topics) view.set(topic, 'old')
  view.onPull = (count) => {
    const listed = topics[count - 2]
    if (listed) view.set(listed, 'new')
  }
  await (await client()).subscribeAsync('twins/#')
  await waitFor(() => heard.filter((line) => line.endsWith('retained')).length === topics.length)
  for (const topic of topics.slice(0, -1)) {
    const last = heard.findLast((line) => line.startsWith(`${topic} `))
    assert.ok(last?.startsWith(`${topic} new`), last)
  }
})

test('the list ends when its reader leaves', { timeout: 20_000 }, async (t) => {
  const { broker, view, log } = await start(t)
  for (let index = 0; index < 50_000; index++) view.set(`twins/plant/m-${index}/speed`, 'x'.repeat(400))
  const leaving = connectSocket(broker.port, '127.0.0.1')
  await subscribed(leaving, 'twins/#')
  leaving.pause()
  await stands(() => view.pulled)
  leaving.destroy()
  await waitFor(() => view.ended === 1)
  assert.ok(view.pulled < 50_000, `${view.pulled}`)
  assert.deepEqual(log.messages('error'), [])
})

test('a view that fails ends its list, nothing else', { timeout: 10_000 }, async (t) => {
  const { broker, client, log } = await start(t)
  broker.eventBus.view('broken', {
    messages: () => {
      throw new Error('no such thing')
    },
  })
  assert.throws(() => broker.eventBus.view('broken', { messages: () => [] }), { code: 'PLATFORM_MQTT_TWO_VIEWS' })
  const reader = await client()
  await reader.subscribeAsync('broken/#')
  await waitFor(() => log.messages('error').includes('Retained messages could not be read'))
  await reader.publishAsync('any', '', { qos: 1 })
})

async function start(t: TestContext) {
  const log = memoryLogger()
  const scope = createScope('EventBus', { clock: systemClock, log, deadline: seconds(5), onCrash: assert.ifError })
  t.after(() => scope[Symbol.asyncDispose]())
  const broker = createEmbeddedBroker({
    ...{ host: '127.0.0.1', port: 0, anonymous: 'full', maxPacketBytes: 1_048_576, maxConnections: 100 },
    ...{ clock: systemClock, log, metrics: silentMetrics },
  })
  const view = new MapView()
  view.handle = broker.eventBus.view('twins', view)
  await broker.start(scope)
  const heard: string[] = []
  const client = async (options: IClientOptions = {}): Promise<MqttClient> => {
    const url = `mqtt://127.0.0.1:${broker.port}`
    const connected = await connectAsync(url, { reconnectPeriod: 0, ...options }, false)
    connected.on('message', (topic, payload, { retain }) => {
      heard.push(`${topic} ${payload}${retain ? ' retained' : ''}`)
    })
    t.after(() => connected.endAsync(true))
    return connected
  }
  const until = (count: number) => waitFor(() => heard.length >= count)
  return { broker, view, log, client, heard, until }
}

/** Values by topic; counts what is pulled. */
class MapView implements RetainedView {
  handle = { hasWatchers: false, isWatched: (_topic: string) => false, show: (_topic: string, _payload: string) => {} }
  pulled = 0
  onPull = (_count: number) => {}
  ended = 0
  readonly #values = new Map<string, string>()

  set(topic: string, value: string): void {
    if (value === '') this.#values.delete(topic)
    else this.#values.set(topic, value)
    if (this.handle.isWatched(topic)) this.handle.show(topic, value)
  }

  *messages(filter: string) {
    const pattern = new RegExp(`^${filter.replaceAll('+', '[^/]*').replace(/\/?#$/, '(/.*)?')}$`)
    try {
      for (const topic of this.#values.keys()) {
        if (filter !== '#' && !pattern.test(topic)) continue
        this.pulled++
        this.onPull(this.pulled)
        const value = () => this.#values.get(topic) ?? ''
        yield {
          topic,
          get payload() {
            return value()
          },
        }
      }
    } finally {
      this.ended++
    }
  }
}

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await systemClock.sleep({ milliseconds: 2 })
}

/** Until a number stays what it is for a while. */
async function stands(count: () => number): Promise<void> {
  for (let before = -1; before !== count() || before <= 0; ) {
    before = count()
    await systemClock.sleep({ milliseconds: 100 })
  }
}

/** Connects and subscribes at QoS 0, by hand; settles with the receipt. */
async function subscribed(socket: Socket, filter: string): Promise<void> {
  socket.on('error', () => undefined)
  const text = (value: string) =>
    Buffer.concat([Buffer.from([value.length >> 8, value.length & 255]), Buffer.from(value)])
  const packet = (type: number, ...parts: Uint8Array[]) => {
    const body = Buffer.concat(parts)
    return Buffer.concat([Buffer.from([type, body.length]), body])
  }
  socket.write(packet(0x10, text('MQTT'), Buffer.from([4, 2, 0, 0]), text('s')))
  await once(socket, 'data')
  socket.write(packet(0x82, Buffer.from([0, 1]), text(filter), Buffer.from([0])))
  const [chunk] = await once(socket, 'data')
  assert.ok(chunk instanceof Buffer && chunk[0] === 0x90, 'SUBACK')
  // What follows it in the same chunk is for who reads on.
  if (chunk.length > 5) socket.unshift(chunk.subarray(5))
}

/** Reads PUBLISH packets at QoS 0 until one was the last. */
async function readPublishes(socket: Socket, isLast: (topic: string, payload: string) => boolean): Promise<void> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of socket) {
    rest = Buffer.concat([rest, chunk])
    let at = 0
    while (rest.length - at > 4) {
      let length = 0
      let head = 1
      for (let byte = 128; byte >= 128; head++) {
        byte = rest[at + head] ?? 0
        length += (byte & 127) * 128 ** (head - 1)
      }
      if (rest.length - at < head + length) break
      const body = rest.subarray(at + head, at + head + length)
      const topic = body.subarray(2, 2 + body.readUInt16BE(0))
      at += head + length
      if (isLast(topic.toString(), body.subarray(2 + topic.length).toString())) return
    }
    rest = rest.subarray(at)
  }
}
