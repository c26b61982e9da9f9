import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { connect, disconnect } from '../testing/bytes.ts'
import { startRawBroker } from '../testing/raw-broker.ts'

const will = { topic: 'will', payload: 'gone' }

describe('the will (MQTT 3.1.1 §3.1.2.5)', { timeout: 30_000 }, () => {
  it('[MQTT-3.1.2-8] is published when the connection ends without DISCONNECT', async (t) => {
    const { client } = await startRawBroker(t)
    const hears = await client()
    await hears.subscribe(['will', 2])
    const dropped = await client({ will })
    await dropped.drop()
    assert.equal(await hears.next(), 'publish will gone qos0')
    const ended = await client({ will })
    ended.socket.end()
    assert.equal(await hears.next(), 'publish will gone qos0')
  })

  it('is published when the keep-alive time runs out, and at an error of the protocol', async (t) => {
    const { client } = await startRawBroker(t)
    const hears = await client()
    await hears.subscribe(['will', 0])
    await client({ will, keepAlive: 1 })
    assert.equal(await hears.next(), 'publish will gone qos0')
    const bad = await client({ will, id: 'b' })
    bad.send(connect({ id: 'b' }))
    assert.equal(await hears.next(), 'publish will gone qos0')
  })

  it('is published when another connection takes the client id over', async (t) => {
    const { client } = await startRawBroker(t)
    const hears = await client()
    await hears.subscribe(['will', 0])
    await client({ will, id: 'same' })
    const after = await client({ will: { topic: 'will', payload: 'second' }, id: 'same' })
    assert.equal(await hears.next(), 'publish will gone qos0')
    await after.drop()
    assert.equal(await hears.next(), 'publish will second qos0')
  })

  it('[MQTT-3.1.2-10] [MQTT-3.14.4-3] is discarded by DISCONNECT', async (t) => {
    const { client } = await startRawBroker(t)
    const hears = await client()
    await hears.subscribe(['will', 0])
    for (const clean of [true, false]) {
      const leaving = await client({ will, clean, id: 'leaving' })
      leaving.send(disconnect)
      await leaving.closed
      await (await client({ id: 'leaving' })).leave()
    }
    assert.deepEqual(await hears.sofar(), [])
  })

  it('[MQTT-3.1.2-12] is published once per connection, not again by the next of its session', async (t) => {
    const { client } = await startRawBroker(t)
    const hears = await client()
    await hears.subscribe(['will', 0])
    await (await client({ will, id: 's', clean: false })).drop()
    assert.equal(await hears.next(), 'publish will gone qos0')
    await (await client({ id: 's', clean: false })).drop()
    await (await client({ id: 's', clean: false })).leave()
    assert.deepEqual(await hears.sofar(), [])
  })

  it('has the QoS and the retain flag it was given [MQTT-3.1.2-16] [MQTT-3.1.2-17]', async (t) => {
    const { client } = await startRawBroker(t)
    const hears = await client()
    await hears.subscribe(['will', 2])
    for (const qos of [0, 1, 2]) {
      await (await client({ will: { ...will, qos, retain: qos === 1 } })).drop()
      assert.equal(await hears.next(), `publish will gone qos${qos}`)
    }
    const late = await client()
    await late.subscribe(['will', 2])
    assert.equal(await late.next(), 'publish will gone qos1 retain')
  })

  it('may be empty, and with the retain flag removes what is retained', async (t) => {
    const { client } = await startRawBroker(t)
    const says = await client()
    says.publish('will', 'here', { retain: true })
    await says.sofar()
    const hears = await client()
    await hears.subscribe(['will', 0])
    assert.equal(await hears.next(), 'publish will here qos0 retain')
    await (await client({ will: { topic: 'will', payload: '', retain: true } })).drop()
    assert.equal(await hears.next(), 'publish will  qos0')
    const late = await client()
    await late.subscribe(['will', 0])
    assert.deepEqual(await late.sofar(), [])
  })

  it('reaches sessions that are away', async (t) => {
    const { client } = await startRawBroker(t)
    const away = await client({ id: 'away', clean: false })
    await away.subscribe(['will', 1])
    await away.leave()
    const hears = await client()
    await hears.subscribe(['will', 1])
    await (await client({ will: { ...will, qos: 1 } })).drop()
    await hears.next()
    const back = await client({ id: 'away', clean: false })
    assert.equal(await back.next(), 'publish will gone qos1')
  })
})
