import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { publish, subscribe } from '../testing/bytes.ts'
import { startRawBroker } from '../testing/raw-broker.ts'
import { restartingBroker } from '../testing/restarting-broker.ts'

/** What `docs/reference/mqtt-conformance.md` lists as exceptions, so that the page stays true. */
describe('exceptions from MQTT 3.1.1', { timeout: 30_000 }, () => {
  it('closes at a topic or filter of more than 100 levels', async (t) => {
    const { client } = await startRawBroker(t)
    const levels = (count: number) => Array.from({ length: count }, () => 'l').join('/')
    for (const bytes of [publish(levels(101), '', { qos: 1 }), subscribe(1, [levels(101), 0])]) {
      const deep = await client()
      deep.send(bytes)
      assert.equal(await deep.next(), 'closed')
    }
    const fits = await client()
    await fits.subscribe([levels(100), 0])
    fits.publish(levels(100))
    assert.equal(await fits.next(), `publish ${levels(100)}  qos0`)
  })

  it('does not publish the wills of those who were connected when the process was killed', async (t) => {
    const broker = await restartingBroker(t)
    const hears = await broker.client({ id: 'hears', clean: false })
    await hears.client.subscribe(['will', 1])
    await broker.client({ id: 'dies', clean: false, will: { topic: 'will', payload: 'gone', qos: 1 } })
    await broker.restart()
    const after = await broker.client({ id: 'hears', clean: false })
    assert.deepEqual(await after.client.sofar(), [])
  })

  it('sends what is retained at the highest QoS of all filters that match', async (t) => {
    const { client, broker } = await startRawBroker(t)
    await broker.eventBus.publish('r', 'x', { qos: 2, retain: true })
    const asks = await client()
    await asks.subscribe(['#', 1])
    assert.equal(await asks.next(), 'publish r x qos1 retain')
    await asks.subscribe(['r', 0])
    assert.equal(await asks.next(), 'publish r x qos1 retain')
  })

  it('acknowledges what is said as the edge, and drops it', async (t) => {
    const { client, broker } = await startRawBroker(t)
    const handled: string[] = []
    broker.eventBus.handle('$hw/#', async ({ topic }) => void handled.push(topic))
    const says = await client()
    await says.subscribe(['$hw/#', 1])
    for (const qos of [1, 2]) says.publish('$hw/events/device/a/b/twin/cloud_updated', '', { qos, id: qos })
    assert.deepEqual((await says.take(2)).toSorted(), ['puback id1', 'pubrec id2'])
    assert.deepEqual([await says.sofar(), handled], [[], []])
  })

  it('keeps nothing that is asked, nor what is said below twins/', async (t) => {
    const { client } = await startRawBroker(t, { anonymous: 'read-only' })
    const asks = await client()
    for (const topic of ['$hw/events/device/a/b/twin/get', '$hw/any/get']) asks.publish(topic, 'x', { retain: true })
    await asks.sofar()
    assert.equal(await asks.subscribe(['$hw/#', 1]), 'suback id77 1')
    assert.deepEqual(await asks.sofar(), [])
    const full = await startRawBroker(t)
    const sets = await full.client()
    sets.publish('twins/a/b/c/set', 'x', { retain: true })
    await sets.sofar()
    await sets.subscribe(['twins/#', 1])
    assert.deepEqual(await sets.sofar(), [])
  })

  it('answers MQTT 5 with 0x01', async (t) => {
    const { raw } = await startRawBroker(t)
    assert.equal(await raw().greet({ level: 5, id: 'five' }), 'connack 1')
  })
})
