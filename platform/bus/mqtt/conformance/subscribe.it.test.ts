import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { packet, publish, subscribe, text, unsubscribe, word } from '../testing/bytes.ts'
import { startRawBroker } from '../testing/raw-broker.ts'

describe('SUBSCRIBE (MQTT 3.1.1 §3.8)', { timeout: 30_000 }, () => {
  it('[MQTT-3.8.3-1] [MQTT-4.7.1-2] [MQTT-4.7.1-3] closes on filters that are none', async (t) => {
    const { client } = await startRawBroker(t)
    const bad = ['', 'a/#/b', '#/a', 'a#', '#a', 'a+', '+a', 'a/b+', 'a/+b/c', 'a/#b', '++']
    const bytes = [Uint8Array.from([0x61, 0]), Uint8Array.from([0xc3, 0x28])]
    for (const filter of [...bad, ...bytes]) {
      const asks = await client()
      asks.send(subscribe(1, [filter, 0]))
      assert.equal(await asks.next(), 'closed', String(filter))
    }
  })

  it('takes filters as they are: +, #, +/+/#, /+, $x/#, spaces', async (t) => {
    const { client } = await startRawBroker(t)
    const asks = await client()
    const filters = ['+', '#', '+/+/#', '/+', '$x/#', ' ', '/', 'a/#']
    assert.equal(await asks.subscribe(...filters.map((filter) => [filter, 1] as const)), 'suback id77 1,1,1,1,1,1,1,1')
  })

  it('[MQTT-3.8.3-3] [MQTT-3-8.3-4] closes on no filter at all and on reserved bits of the QoS', async (t) => {
    const { client } = await startRawBroker(t)
    for (const bytes of [
      packet(0x82, word(1)),
      subscribe(1, ['a', 3]),
      subscribe(1, ['a', 4]),
      subscribe(1, ['a', 128]),
    ]) {
      const asks = await client()
      asks.send(bytes)
      assert.equal(await asks.next(), 'closed', bytes.toString('hex'))
    }
  })

  it('[MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-5] [MQTT-3.9.3-1] answers for each filter in its place', async (t) => {
    const { client } = await startRawBroker(t, { limits: { maxSubscriptions: 2 } })
    const asks = await client()
    asks.send(subscribe(512, ['a', 0], ['b', 2], ['a', 1]))
    assert.equal(await asks.next(), 'suback id512 0,2,1')
    asks.send(subscribe(513, ['c', 1], ['b', 0]))
    assert.equal(await asks.next(), 'suback id513 128,0', 'one too many, and one in place of another')
    asks.publish('a', 'x', { qos: 1 })
    asks.publish('c', 'x')
    assert.deepEqual(
      (await asks.take(2)).toSorted(),
      ['puback id1', 'publish a x qos1'],
      '[MQTT-3.8.4-4] as one by one',
    )
    assert.deepEqual(await asks.sofar(), [], 'a refused one hears nothing')
  })

  it('[MQTT-3.8.4-3] replaces a subscription to the same filter, and sends what is retained again', async (t) => {
    const { client, broker } = await startRawBroker(t)
    await broker.eventBus.publish('r', 'kept', { retain: true, qos: 1 })
    const asks = await client()
    assert.deepEqual(
      [await asks.subscribe(['r', 0]), await asks.next()],
      ['suback id77 0', 'publish r kept qos0 retain'],
    )
    assert.deepEqual(
      [await asks.subscribe(['r', 1]), await asks.next()],
      ['suback id77 1', 'publish r kept qos1 retain'],
    )
    await broker.eventBus.publish('r', 'live', { qos: 1 })
    assert.equal(await asks.next(), 'publish r live qos1')
    await asks.subscribe(['r', 0])
    await asks.next()
    await broker.eventBus.publish('r', 'live', { qos: 1 })
    assert.deepEqual([await asks.next(), await asks.sofar()], ['publish r live qos0', []], 'once')
  })

  it('[MQTT-3.3.5-1] gives a message once over overlapping filters, at the highest QoS of them', async (t) => {
    const { client } = await startRawBroker(t)
    const says = await client()
    for (const [index, filters] of [
      [
        ['o/#', 0],
        ['o/x', 2],
        ['o/+', 1],
      ],
      [
        ['o/x', 2],
        ['o/+', 1],
        ['#', 0],
      ],
      [
        ['+/x', 1],
        ['o/#', 2],
      ],
    ].entries()) {
      const asks = await client()
      await asks.subscribe(...filters.map(([filter, qos]) => [String(filter), Number(qos)] as const))
      says.publish('o/x', 'y', { qos: 2, id: index + 1 })
      assert.deepEqual([await asks.next(), await asks.sofar()], ['publish o/x y qos2', []])
      await asks.leave()
    }
  })

  it('[MQTT-4.7.1-1] matches as the tables of §4.7.1 say', async (t) => {
    const { client } = await startRawBroker(t)
    const cases: readonly (readonly [filter: string, topic: string, isHeard: boolean])[] = [
      ['sport/tennis/player1/#', 'sport/tennis/player1', true],
      ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
      ['sport/tennis/+', 'sport/tennis/player1', true],
      ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
      ['sport/+', 'sport', false],
      ['sport/+', 'sport/', true],
      ['+/+', '/finance', true],
      ['/+', '/finance', true],
      ['+', '/finance', false],
      ['accounts', 'Accounts', false],
    ]
    for (const [filter, topic, isHeard] of cases) {
      const asks = await client()
      await asks.subscribe([filter, 0], ['end', 0])
      asks.send(publish(topic), publish('end'))
      const heard = await asks.take(isHeard ? 2 : 1)
      assert.deepEqual(heard, isHeard ? [`publish ${topic}  qos0`, 'publish end  qos0'] : ['publish end  qos0'], filter)
    }
  })
})

describe('UNSUBSCRIBE (§3.10)', { timeout: 30_000 }, () => {
  it('[MQTT-3.10.3-1] [MQTT-3.10.3-2] closes on no filter and on filters that are none', async (t) => {
    const { client } = await startRawBroker(t)
    for (const bytes of [
      packet(0xa2, word(1)),
      unsubscribe(1, ''),
      unsubscribe(1, 'a/#/b'),
      packet(0xa0, word(1), text('a')),
    ]) {
      const asks = await client()
      asks.send(bytes)
      assert.equal(await asks.next(), 'closed', bytes.toString('hex'))
    }
  })

  it('[MQTT-3.10.4-1] [MQTT-3.10.4-2] ends the same filter, character by character, and no other', async (t) => {
    const { client } = await startRawBroker(t)
    const asks = await client()
    await asks.subscribe(['a/+', 1], ['a/b', 0])
    asks.send(unsubscribe(5, 'a/b', 'A/+', '+/b'))
    assert.equal(await asks.next(), 'unsuback id5')
    asks.publish('a/b', 'x')
    assert.equal(await asks.next(), 'publish a/b x qos0')
    asks.send(unsubscribe(6, 'a/+'))
    assert.equal(await asks.next(), 'unsuback id6')
    asks.publish('a/b', 'x')
    assert.deepEqual(await asks.sofar(), [])
  })

  it('[MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] answers with the packet id, also when nothing ends', async (t) => {
    const { client } = await startRawBroker(t)
    const asks = await client()
    asks.send(unsubscribe(65_535, 'never', 'there'))
    assert.equal(await asks.next(), 'unsuback id65535')
  })

  it('[MQTT-3.10.4-3] completes what it began to deliver', async (t) => {
    const { client } = await startRawBroker(t)
    const asks = await client()
    await asks.subscribe(['a', 2])
    asks.publish('a', 'x', { qos: 1 })
    assert.deepEqual((await asks.take(2)).toSorted(), ['puback id1', 'publish a x qos2'.replace('qos2', 'qos1')])
    asks.publish('a', 'y', { qos: 2, id: 2 })
    const lines = await asks.take(2)
    const id = asks.lastId
    assert.ok(lines.includes('pubrec id2'), String(lines))
    asks.send(unsubscribe(7, 'a'), packet(0x50, word(2)))
    assert.deepEqual((await asks.take(2)).toSorted(), ['pubrel id2', 'unsuback id7'], String(id))
  })
})
