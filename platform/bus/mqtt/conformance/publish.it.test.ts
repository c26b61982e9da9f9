import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { packet, puback, pubcomp, publish, pubrec, pubrel, text, word } from '../testing/bytes.ts'
import { startRawBroker } from '../testing/raw-broker.ts'

describe('PUBLISH from a client (MQTT 3.1.1 §3.3)', { timeout: 30_000 }, () => {
  it('[MQTT-3.3.1-2] [MQTT-3.3.1-4] closes on DUP at QoS 0 and on QoS 3', async (t) => {
    const { client } = await startRawBroker(t)
    for (const bytes of [publish('a', '', { dup: true }), packet(0x36, text('a'), word(1))]) {
      const bad = await client()
      bad.send(bytes)
      assert.equal(await bad.next(), 'closed')
    }
  })

  it('[MQTT-3.3.2-1] [MQTT-3.3.2-2] [MQTT-4.7.3-1] closes on topics that are none', async (t) => {
    const { client } = await startRawBroker(t)
    const topics = ['', 'a/#', '#', '+', 'a/+/b', Uint8Array.from([0x61, 0]), Uint8Array.from([0xc3, 0x28])]
    for (const topic of topics) {
      const bad = await client()
      bad.send(publish(topic, 'x', { qos: 1 }))
      assert.equal(await bad.next(), 'closed', String(topic))
    }
  })

  it('[MQTT-4.7.3-3] [MQTT-4.7.3-4] takes topics as they are: spaces, case, slashes, any length', async (t) => {
    const { client } = await startRawBroker(t)
    const hears = await client()
    await hears.subscribe(['#', 0])
    const says = await client()
    const topics = ['/', 'a', 'A', ' a', '/a', 'a/', 'a//b', 'ä/ß/😀', `${'x'.repeat(65_000)}`]
    for (const topic of topics) says.publish(topic)
    assert.deepEqual(
      await hears.take(topics.length),
      topics.map((topic) => `publish ${topic}  qos0`),
    )
  })

  it('carries any payload byte for byte, also none (§3.3.3)', async (t) => {
    const { client, broker } = await startRawBroker(t)
    const all = Uint8Array.from({ length: 256 }, (_, index) => index)
    const got: Uint8Array[] = []
    broker.eventBus.handle('bin', async ({ payload }) => void got.push(Uint8Array.from(payload)))
    const hears = await client()
    await hears.subscribe(['bin', 2])
    const bytes: Buffer[] = []
    hears.socket.on('data', (chunk: Buffer) => void bytes.push(chunk))
    const says = await client()
    says.publish('bin', all, { qos: 1, id: 1 })
    says.publish('bin', '', { qos: 1, id: 2 })
    await says.take(2)
    await hears.take(2)
    assert.deepEqual(got, [all, new Uint8Array()])
    assert.ok(Buffer.concat(bytes).includes(Buffer.from(all)))
  })

  it('[MQTT-3.3.4-1] answers by QoS: nothing, PUBACK, PUBREC and then PUBCOMP', async (t) => {
    const { client } = await startRawBroker(t)
    const says = await client()
    says.send(publish('a'), publish('a', '', { qos: 1, id: 7 }), publish('a', '', { qos: 2, id: 8 }))
    assert.deepEqual(await says.take(2), ['puback id7', 'pubrec id8'])
    says.send(pubrel(8))
    assert.equal(await says.next(), 'pubcomp id8')
  })

  it('[MQTT-3.3.5-1] [MQTT-4.3.1-1] gives each subscriber the lower of both QoS', async (t) => {
    const { client } = await startRawBroker(t)
    for (const granted of [0, 1, 2]) {
      const says = await client()
      for (const [round, filter] of ['q', '+', '#'].entries()) {
        const hears = await client()
        await hears.subscribe([filter, granted])
        for (const qos of [0, 1, 2]) says.publish('q', String(qos), { qos, id: round * 3 + qos + 1 })
        const got = await hears.take(3)
        assert.deepEqual(
          got.toSorted(),
          [0, 1, 2].map((qos) => `publish q ${qos} qos${Math.min(qos, granted)}`),
        )
        await hears.leave()
      }
    }
  })

  it('[MQTT-3.3.1-3] [MQTT-3.3.1-9] does not pass DUP and RETAIN on to who is subscribed', async (t) => {
    const { client } = await startRawBroker(t)
    const hears = await client()
    await hears.subscribe(['a', 1])
    const says = await client()
    says.publish('a', 'x', { qos: 1, dup: true, retain: true })
    assert.equal(await hears.next(), 'publish a x qos1')
  })

  it('[MQTT-4.3.3-2] takes a QoS 2 message once, however often it comes before PUBREL', async (t) => {
    const { client } = await startRawBroker(t)
    const hears = await client()
    await hears.subscribe(['a', 0])
    const says = await client()
    const again = publish('a', 'once', { qos: 2, id: 4, dup: true })
    says.send(publish('a', 'once', { qos: 2, id: 4 }), again)
    assert.deepEqual(await says.take(2), ['pubrec id4', 'pubrec id4'])
    says.send(again)
    assert.equal(await says.next(), 'pubrec id4')
    says.send(pubrel(4))
    assert.equal(await says.next(), 'pubcomp id4')
    says.publish('a', 'another', { qos: 2, id: 4 })
    assert.equal(await says.next(), 'pubrec id4')
    assert.deepEqual(await hears.sofar(), ['publish a once qos0', 'publish a another qos0'])
  })

  it('answers PUBREL with PUBCOMP, also for a packet id that it does not know (§4.3.3)', async (t) => {
    const { client } = await startRawBroker(t)
    const says = await client()
    says.send(pubrel(99))
    assert.equal(await says.next(), 'pubcomp id99')
  })

  it('[MQTT-4.6.0-2] [MQTT-4.6.0-3] acknowledges in the order of the messages', async (t) => {
    const { client } = await startRawBroker(t)
    const says = await client()
    const ids = Array.from({ length: 300 }, (_, index) => index + 1)
    for (const qos of [1, 2]) {
      says.send(...ids.map((id) => publish('a', '', { qos, id })))
      const name = qos === 1 ? 'puback' : 'pubrec'
      assert.deepEqual(
        await says.take(ids.length),
        ids.map((id) => `${name} id${id}`),
      )
    }
  })

  it('[MQTT-4.6.0-6] keeps the order of a topic for each subscriber', async (t) => {
    const { client } = await startRawBroker(t)
    const numbers = Array.from({ length: 300 }, (_, index) => index + 1)
    for (const granted of [0, 1, 2]) {
      const hears = await client()
      await hears.subscribe(['t/#', granted])
      const says = await client()
      says.send(...numbers.map((id) => publish('t/x', String(id), { qos: granted, id })))
      const got: string[] = []
      while (got.length < numbers.length) {
        const [kind = '', , payload = ''] = (await hears.next()).split(' ')
        if (kind === 'publish') got.push(payload)
        if (kind === 'publish' && granted === 1) hears.send(puback(hears.lastId))
        if (kind === 'publish' && granted === 2) hears.send(pubrec(hears.lastId))
        if (kind === 'pubrel') hears.send(pubcomp(hears.lastId))
      }
      assert.deepEqual(got, numbers.map(String))
      await hears.leave()
    }
  })

  it('[MQTT-4.7.2-1] keeps topics that begin with $ from wildcards at the first level', async (t) => {
    const { client } = await startRawBroker(t)
    const hears = await client()
    await hears.subscribe(['#', 0], ['+/x', 0], ['$x/#', 0])
    const says = await client()
    says.publish('$y/x', 'hidden')
    says.publish('$x/x', 'shown')
    assert.deepEqual([await hears.next(), await hears.sofar()], ['publish $x/x shown qos0', []])
  })
})
