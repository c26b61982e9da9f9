import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MqttClient } from 'mqtt'
import { seconds } from '../../platform/time/index.ts'
import { reportDevices, twins } from '../../schemas/index.ts'
import { LAMP, lamp, lampModel } from '../testing/edge.ts'
import { startNode } from '../testing/mqtt-node.ts'

const ID = 'default/lamp'
const UPDATE = `${LAMP}/twin/update`

test('documents of a device come in the order of its revisions, whoever changes it at the same time', {
  timeout: 60_000,
}, async (t) => {
  const { listen, connect, apply, bus } = await startNode(t, { devices: [[lamp(), lampModel('1000000')]] })
  const observer = await listen(`${UPDATE}/document`, `${UPDATE}/result`)
  const [first, second] = [await connect({ clientId: 'first' }), await connect({ clientId: 'second' })]
  await observer.drain()
  const before = bus.get(twins, ID)
  let revisions = 0
  using _watch = bus.watch(twins, ({ key, replay }) => void (key === ID && !replay && revisions++))

  const update = (client: MqttClient, who: string, count: number) => {
    const note = { actual: { value: `${who}-${count}` } }
    const twin = count % 3 === 0 ? { note, brightness: { expected: { value: String(count) } } } : { note }
    const qos = ([0, 1, 2] as const)[count % 3] ?? 1
    return client.publishAsync(UPDATE, JSON.stringify({ event_id: `${who}-${qos}-${count}`, twin }), { qos })
  }
  const report = (count: number) => {
    const reading = { property: 'power', value: String(count), sourceTime: count, quality: 'good' as const }
    const brightness = { ...reading, property: 'brightness', value: String(1000 + count) }
    return bus.request(reportDevices, [{ id: ID, readings: [reading, brightness], writes: [] }], {
      deadline: seconds(20),
    })
  }
  const work: Promise<unknown>[] = []
  for (let count = 0; count < 60; count++) {
    work.push(update(first, 'first', count), update(second, 'second', count), report(count))
    if (count % 4 === 0) work.push(apply(lamp({ generation: count + 2, brightness: String(2000 + count) })))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(work)
  for (const client of [first, second]) await client.publishAsync(UPDATE, '{"twin":{}}', { qos: 1 })
  const heard = await observer.drain()

  const documents = heard.filter(({ topic }) => topic.endsWith('/document')).map(({ message }) => message.twin)
  const chain = new Map<string, unknown>(Object.keys(before?.properties ?? {}).map((name) => [name, undefined]))
  for (const document of documents) {
    for (const [name, change] of Object.entries(document)) {
      const known = chain.get(name)
      // Of a property that was there at the start the first document says how it was.
      if (known !== undefined || !chain.has(name)) assert.deepEqual(change?.last, known ?? null, `${name} continues`)
      chain.set(name, change?.current)
    }
  }
  const { twin } = await observer.ask(`${LAMP}/twin/get`, '')
  for (const name of ['note', 'brightness', 'power']) assert.deepEqual(chain.get(name), twin[name], name)
  assert.ok(documents.length > 150 && revisions > 0, `${documents.length} documents in ${revisions} commits`)
  // MQTT keeps the order of messages of one client and QoS (3.1.1, 4.6).
  const results = heard.filter(({ topic }) => topic.endsWith('/result')).map(({ message }) => message.event_id)
  for (const who of ['first', 'second']) {
    for (const qos of [0, 1, 2]) {
      const counts = results.filter((id) => id.startsWith(`${who}-${qos}-`)).map((id) => Number(id.split('-')[2]))
      assert.deepEqual(
        counts,
        counts.toSorted((left, right) => left - right),
        `${who} at QoS ${qos}`,
      )
      assert.equal(counts.length, 20)
    }
  }
})
