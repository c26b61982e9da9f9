import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startRawBroker } from '../testing/raw-broker.ts'

describe('RETAIN (MQTT 3.1.1 §3.3.1.3)', { timeout: 30_000 }, () => {
  it('[MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-8] gives a new subscription the last message of each topic', async (t) => {
    const { client } = await startRawBroker(t)
    const says = await client()
    says.publish('r/1', 'old', { retain: true, qos: 1, id: 1 })
    says.publish('r/1', 'new', { retain: true, qos: 1, id: 2 })
    says.publish('r/2', 'two', { retain: true, qos: 1, id: 3 })
    says.publish('r/2', 'passing', { qos: 1, id: 4 })
    says.publish('s', 'other', { retain: true, qos: 1, id: 5 })
    await says.take(5)
    const asks = await client()
    await asks.subscribe(['r/+', 0])
    const got = [...(await asks.take(2)), ...(await asks.sofar())]
    assert.deepEqual(got.toSorted(), ['publish r/1 new qos0 retain', 'publish r/2 two qos0 retain'])
  })

  it('[MQTT-3.3.1-7] keeps a retained message of QoS 0 in place of an older one', async (t) => {
    const { client } = await startRawBroker(t)
    const says = await client()
    says.publish('r', 'first', { retain: true, qos: 2 })
    await says.next()
    says.publish('r', 'second', { retain: true })
    await says.sofar()
    const asks = await client()
    await asks.subscribe(['r', 2])
    assert.equal(await asks.next(), 'publish r second qos0 retain')
  })

  it('[MQTT-3.3.1-10] [MQTT-3.3.1-11] forgets a topic at an empty message, which others get as any other', async (t) => {
    const { client } = await startRawBroker(t)
    const hears = await client()
    await hears.subscribe(['r', 0])
    const says = await client()
    says.publish('r', 'x', { retain: true })
    says.publish('r', '', { retain: true })
    assert.deepEqual(await hears.take(2), ['publish r x qos0', 'publish r  qos0'])
    const asks = await client()
    await asks.subscribe(['r', 0])
    assert.deepEqual(await asks.sofar(), [])
  })

  it('[MQTT-3.3.1-12] does not keep or remove anything at a message without the flag', async (t) => {
    const { client } = await startRawBroker(t)
    const says = await client()
    says.publish('r', 'kept', { retain: true })
    says.publish('r', '')
    says.publish('s', 'gone')
    await says.sofar()
    const asks = await client()
    await asks.subscribe(['#', 0])
    assert.deepEqual([await asks.next(), await asks.sofar()], ['publish r kept qos0 retain', []])
  })

  it('sends retained messages at the lower of both QoS, also for wildcards [MQTT-3.8.4-6]', async (t) => {
    const { client } = await startRawBroker(t)
    const says = await client()
    for (const qos of [0, 1, 2]) says.publish(`r/${qos}`, 'x', { retain: true, qos, id: qos + 1 })
    await says.take(2)
    for (const granted of [0, 1, 2]) {
      const asks = await client()
      await asks.subscribe(['r/#', granted])
      const expected = [0, 1, 2].map((qos) => `publish r/${qos} x qos${Math.min(qos, granted)} retain`)
      assert.deepEqual((await asks.take(3)).toSorted(), expected)
    }
  })

  it('keeps no more topics than its limit, and still delivers', async (t) => {
    const { client, broker } = await startRawBroker(t, { limits: { maxRetained: 2, maxRetainedBytes: 1000 } })
    const hears = await client()
    await hears.subscribe(['#', 0])
    const publish = (topic: string, text: string) => broker.eventBus.publish(topic, text, { retain: true, qos: 0 })
    for (const topic of ['a', 'b', 'c']) await publish(topic, topic)
    await publish('a', 'x'.repeat(2000))
    assert.equal((await hears.take(4)).length, 4)
    const asks = await client()
    await asks.subscribe(['#', 0])
    assert.deepEqual(await asks.take(2), ['publish a a qos0 retain', 'publish b b qos0 retain'])
    assert.deepEqual(await asks.sofar(), [])
  })

  it('gives a session that comes back no retained messages for its old subscriptions', async (t) => {
    const { client } = await startRawBroker(t)
    const before = await client({ id: 'k', clean: false })
    await before.subscribe(['r', 1])
    await before.leave()
    const says = await client()
    says.publish('r', 'x', { retain: true })
    await says.sofar()
    const after = await client({ id: 'k', clean: false })
    assert.deepEqual(await after.sofar(), [])
  })
})
