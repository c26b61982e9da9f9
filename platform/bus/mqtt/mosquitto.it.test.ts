import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { silentMetrics } from '../../health/metrics.ts'
import { createScope } from '../../lifecycle/scope.ts'
import { silentLogger } from '../../log/logger.ts'
import { seconds, systemClock } from '../../time/index.ts'
import { createEmbeddedBroker } from './embedded-broker.ts'

const hasMosquitto = spawnSync('mosquitto_pub', ['--help']).error === undefined

test('mosquitto clients speak with the broker', { timeout: 20_000, skip: !hasMosquitto }, async (t) => {
  const log = silentLogger
  const scope = createScope('EventBus', { clock: systemClock, log, deadline: seconds(5), onCrash: assert.ifError })
  t.after(() => scope[Symbol.asyncDispose]())
  const broker = createEmbeddedBroker({
    host: '127.0.0.1',
    port: 0,
    anonymous: 'full',
    maxPacketBytes: 1_048_576,
    maxConnections: 10,
    clock: systemClock,
    log,
    metrics: silentMetrics,
  })
  await broker.start(scope)
  const handled: string[] = []
  broker.eventBus.handle('$hw/events/device/+/+/twin/update', async ({ topic, payload, qos }) => {
    handled.push(`${topic} ${qos} ${Buffer.from(payload)}`)
    await broker.eventBus.publish(`${topic}/result`, payload)
  })

  const at = ['-h', '127.0.0.1', '-p', String(broker.port)]
  // The retained message tells when the subscription stands.
  await broker.eventBus.publish('$hw/events/device/probe', 'retained', { retain: true })
  const subscriber = spawn('mosquitto_sub', [...at, '-t', '$hw/events/device/#', '-C', '7', '-F', '%t %p'])
  t.after(() => subscriber.kill())
  let printed = ''
  const subscribed = new Promise<void>((resolve) => {
    subscriber.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      if (printed.includes('retained')) resolve()
    })
  })
  const left = once(subscriber, 'close')
  await subscribed

  const topic = '$hw/events/device/default/lamp/twin/update'
  for (const qos of ['0', '1', '2']) {
    const publisher = spawn('mosquitto_pub', [...at, '-q', qos, '-t', topic, '-m', `{"qos":${qos}}`], {
      stdio: 'ignore',
    })
    assert.deepEqual(await once(publisher, 'close'), [0, null])
  }
  await left
  assert.deepEqual(handled, [`${topic} 0 {"qos":0}`, `${topic} 1 {"qos":1}`, `${topic} 2 {"qos":2}`])
  const lines = printed.split('\n').filter((line) => line.startsWith(topic))
  assert.equal(lines.filter((line) => line.startsWith(`${topic}/result `)).length, 3)
  assert.equal(lines.filter((line) => line.startsWith(`${topic} `)).length, 3)
})
