import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectAsync, type MqttClient } from 'mqtt'
import { restartingBroker } from '../testing/restarting-broker.ts'

test('kill -9 at any moment: each QoS 2 message arrives once, each QoS 1 message at least once', {
  timeout: 120_000,
}, async (t) => {
  const broker = await restartingBroker(t)
  const url = `mqtt://127.0.0.1:${broker.port}`
  const open = async (clientId: string): Promise<MqttClient> => {
    const client = await connectAsync(url, { clientId, clean: false, reconnectPeriod: 20 })
    client.on('error', () => undefined)
    t.after(() => client.endAsync(true))
    return client
  }
  const total = 400
  const heard = { 'one/x': new Map<string, number>(), 'two/x': new Map<string, number>() }
  const kills = [20, 90, 160, 230, 300, 370]
  let restarts: Promise<void> = Promise.resolve()
  const hears = await open('hears')
  const complete = new Promise<void>((resolve) => {
    hears.on('message', (topic, payload) => {
      if (topic !== 'one/x' && topic !== 'two/x') return
      const text = payload.toString()
      heard[topic].set(text, (heard[topic].get(text) ?? 0) + 1)
      if (topic === 'two/x' && heard[topic].size >= (kills[0] ?? Number.POSITIVE_INFINITY)) {
        kills.shift()
        restarts = restarts.then(() => broker.restart())
      }
      if (heard['one/x'].size === total && heard['two/x'].size === total) resolve()
    })
  })
  await hears.subscribeAsync({ 'one/#': { qos: 1 }, 'two/#': { qos: 2 } })
  const says = await open('says')
  const receipts: Promise<unknown>[] = []
  for (let number = 0; number < total; number++) {
    receipts.push(says.publishAsync('one/x', String(number), { qos: 1 }))
    receipts.push(says.publishAsync('two/x', String(number), { qos: 2 }))
    // A few at a time, so that each kill meets messages at all stages.
    if (number % 10 === 9) await receipts.at(-20)
  }
  await Promise.all(receipts)
  await complete
  await restarts
  assert.deepEqual(kills, [])
  const numbers = Array.from({ length: total }, (_, index) => String(index))
  assert.deepEqual([...heard['two/x'].keys()], numbers, 'in their order')
  const repeated = [...heard['two/x']].filter(([, times]) => times !== 1)
  assert.deepEqual(repeated, [], 'once')
})
