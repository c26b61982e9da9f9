import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { createMetrics } from '../../../health/prometheus.ts'
import { connect, disconnect, publish, subscribe, unsubscribe } from '../testing/bytes.ts'
import { startRawBroker } from '../testing/raw-broker.ts'
import { waitFor } from '../testing/start-broker.ts'

test('thousands of clients that come and go leave nothing behind', { timeout: 120_000 }, async (t) => {
  const { broker, raw, counted } = await start(t)
  broker.eventBus.handle('handled', async () => undefined)
  const visit = async (number: number) => {
    const client = raw()
    const [own, shared] = [`own/${number}`, 'shared/#']
    client.send(connect({ id: `guest-${number}`, will: { topic: 'will', payload: 'x', qos: 1 } }))
    client.send(subscribe(1, [own, 2], [shared, 1], [own, 1]), unsubscribe(2, shared))
    client.send(publish(own, 'x', { qos: 2, id: 3 }), publish('handled', 'x', { qos: 1, id: 4 }))
    await client.take(6)
    // Every other one goes without a word, in the middle of everything.
    if (number % 2 === 0) client.send(disconnect)
    else client.socket.destroy()
    await client.closed
  }
  for (let number = 0; number < 2000; number += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, index) => visit(number + index)))
  }
  await waitFor(async () => (await counted('connections')) === 0)
  assert.equal(await counted('sessions'), 0)
  for (const topic of ['own/7', 'shared/x', 'will']) assert.ok(!broker.eventBus.isWatched(topic), topic)
})

test('clients that leave while their session is being opened are not counted for ever', {
  timeout: 60_000,
}, async (t) => {
  const { raw, counted } = await start(t)
  const stays = raw()
  assert.equal(await stays.greet({ id: 'stays' }), 'connack 0')
  for (let number = 0; number < 100; number++) {
    const hasty = raw()
    hasty.socket.end(connect({ id: `hasty-${number}`, clean: false }), () => hasty.socket.destroy())
    await hasty.closed
  }
  await stays.sofar()
  await waitFor(async () => (await counted('sessions')) >= 1)
  await waitFor(async () => (await counted('connections')) === 1)
})

async function start(t: TestContext) {
  const folder = temporaryFolder('skerry-mqtt-')
  const metrics = createMetrics()
  const started = await startRawBroker(t, { metrics, file: join(folder, 'mqtt.db') })
  const counted = async (what: string): Promise<number> => {
    return Number(new RegExp(`^skerry_mqtt_${what} (\\d+)$`, 'm').exec(await metrics.text())?.[1])
  }
  return { ...started, counted }
}
