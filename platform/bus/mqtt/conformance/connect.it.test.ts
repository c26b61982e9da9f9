import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { connect, pingreq, publish, text } from '../testing/bytes.ts'
import { startRawBroker } from '../testing/raw-broker.ts'

describe('CONNECT (MQTT 3.1.1 §3.1)', { timeout: 30_000 }, () => {
  it('[MQTT-3.1.0-1] closes a connection that begins with anything else', async (t) => {
    const { raw } = await startRawBroker(t)
    for (const first of [pingreq, publish('a'), Buffer.from([0xe0, 0])]) {
      const client = raw()
      client.send(first)
      assert.equal(await client.next(), 'closed')
    }
  })

  it('[MQTT-3.1.0-2] closes on a second CONNECT', async (t) => {
    const { client } = await startRawBroker(t)
    const twice = await client({ id: 'twice' })
    twice.send(connect({ id: 'twice' }))
    assert.equal(await twice.next(), 'closed')
  })

  it('[MQTT-3.1.2-1] closes on another protocol name', async (t) => {
    const { raw } = await startRawBroker(t)
    for (const name of ['MQTX', 'mqtt', '', 'HTTP']) assert.equal(await raw().greet({ name }), 'closed', name)
  })

  it('[MQTT-3.1.2-2] answers an unknown protocol level with 0x01 and closes', async (t) => {
    const { raw } = await startRawBroker(t)
    for (const level of [0, 1, 3, 5, 6, 127]) {
      const client = raw()
      assert.equal(await client.greet({ level, id: 'x' }), 'connack 1', String(level))
      assert.equal(await client.next(), 'closed')
    }
  })

  it('takes MQTT 3.1 (MQIsdp, level 3) and refuses its long client ids with 0x02', async (t) => {
    const { raw } = await startRawBroker(t)
    assert.equal(await raw().greet({ name: 'MQIsdp', level: 3, id: 'old' }), 'connack 0')
    assert.equal(await raw().greet({ name: 'MQIsdp', level: 3, id: 'x'.repeat(24) }), 'connack 2')
  })

  it('[MQTT-3.1.2-3] closes on the reserved flag', async (t) => {
    const { raw } = await startRawBroker(t)
    assert.equal(await raw().greet({ flags: 1, id: 'x' }), 'closed')
  })

  it('[MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-15] closes on will flags without a will', async (t) => {
    const { raw } = await startRawBroker(t)
    for (const flags of [0x08, 0x10, 0x20]) assert.equal(await raw().greet({ flags, id: 'x' }), 'closed')
  })

  it('[MQTT-3.1.2-14] closes on a will of QoS 3', async (t) => {
    const { raw } = await startRawBroker(t)
    assert.equal(await raw().greet({ id: 'x', will: { topic: 'w', qos: 3 } }), 'closed')
  })

  it('[MQTT-3.1.2-22] closes on a password without a user name', async (t) => {
    const { raw } = await startRawBroker(t)
    assert.equal(await raw().greet({ id: 'x', flags: 0x40, rest: text('secret') }), 'closed')
  })

  it('[MQTT-3.1.2-18] to [MQTT-3.1.2-21] closes when flags and payload disagree', async (t) => {
    const { raw } = await startRawBroker(t)
    assert.equal(await raw().greet({ id: 'x', rest: text('user') }), 'closed', 'a user name that no flag announces')
    assert.equal(await raw().greet({ id: 'x', flags: 0x80 }), 'closed', 'a flag without its user name')
    assert.equal(await raw().greet({ id: 'x', flags: 0xc0, rest: text('user') }), 'closed', 'no password')
  })

  it('[MQTT-3.1.3-1] [MQTT-1.5.3-1] [MQTT-1.5.3-2] closes on client ids that are not UTF-8 or hold U+0000', async (t) => {
    const { raw } = await startRawBroker(t)
    const ids = [[0xc3, 0x28], [0xed, 0xa0, 0x80], [0xff], [0x61, 0, 0x62]]
    for (const id of ids) assert.equal(await raw().greet({ id: Uint8Array.from(id) }), 'closed', String(id))
    assert.equal(await raw().greet({ id: 'Zähler-ß-😀' }), 'connack 0')
    assert.equal(await raw().greet({ id: Uint8Array.from([0xef, 0xbb, 0xbf, 0x61]) }), 'connack 0', '[MQTT-1.5.3-3]')
  })

  it('[MQTT-3.1.3-5] takes client ids of 1 to 23 letters and digits, and longer ones', async (t) => {
    const { raw } = await startRawBroker(t)
    for (const id of ['a', '0123456789ABCDEFGHIJKLM', 'x'.repeat(1000)]) {
      assert.equal(await raw().greet({ id }), 'connack 0')
    }
  })

  it('[MQTT-3.1.3-6] [MQTT-3.1.3-7] gives a clean client without an id one of its own', async (t) => {
    const { client } = await startRawBroker(t)
    const [a, b] = [await client(), await client()]
    assert.deepEqual([await a.sofar(), await b.sofar()], [[], []], 'neither takes the other over')
  })

  it('[MQTT-3.1.3-8] [MQTT-3.1.3-9] refuses a session without a client id with 0x02 and closes', async (t) => {
    const { raw } = await startRawBroker(t)
    const client = raw()
    assert.equal(await client.greet({ clean: false }), 'connack 2')
    assert.equal(await client.next(), 'closed')
  })

  it('[MQTT-3.1.4-2] disconnects the client that has the id already', async (t) => {
    const { client } = await startRawBroker(t)
    const before = await client({ id: 'one' })
    await before.subscribe(['a', 0])
    const after = await client({ id: 'one' })
    assert.equal(await before.next(), 'closed')
    await after.subscribe(['a', 1])
    after.publish('a', 'x', { qos: 1, id: 5 })
    assert.deepEqual((await after.take(2)).toSorted(), ['puback id5', 'publish a x qos1'])
  })

  it('lets a client go on before the answer to its CONNECT (§3.1.4), as far as it likes', async (t) => {
    const { raw } = await startRawBroker(t)
    const hasty = raw()
    const more = Array.from({ length: 200 }, (_, index) => publish('a', 'x', { qos: 1, id: index + 1 }))
    hasty.send(connect({ id: 'hasty' }), ...more)
    assert.deepEqual(await hasty.take(201), ['connack 0', ...more.map((_, index) => `puback id${index + 1}`)])
  })

  it('[MQTT-3.1.2-24] closes after one and a half keep-alive times of silence, not before', async (t) => {
    const { client } = await startRawBroker(t)
    const start = performance.now()
    const silent = await client({ id: 'silent', keepAlive: 1 })
    const alive = await client({ id: 'alive', keepAlive: 0 })
    assert.equal(await silent.next(), 'closed')
    assert.ok(performance.now() - start >= 1490)
    assert.deepEqual(await alive.sofar(), [], '0 is no limit')
  })
})

describe('CONNACK (§3.2)', { timeout: 30_000 }, () => {
  it('[MQTT-3.2.2-1] [MQTT-3.2.2-2] [MQTT-3.2.2-3] says whether there is a session', async (t) => {
    const { raw } = await startRawBroker(t)
    const greet = async (clean: boolean) => {
      const client = raw()
      const answer = await client.greet({ id: 'keeper', clean })
      await client.leave()
      return answer
    }
    assert.equal(await greet(false), 'connack 0', 'none yet')
    assert.equal(await greet(false), 'connack 0 present', 'also without subscriptions')
    assert.equal(await greet(true), 'connack 0', 'a clean one never has')
    assert.equal(await greet(false), 'connack 0', 'and ends the one before [MQTT-3.1.2-6]')
  })

  it('[MQTT-3.2.2-4] [MQTT-3.2.2-5] refuses with session present 0 and closes', async (t) => {
    const { raw } = await startRawBroker(t, { anonymous: 'none' })
    const client = raw()
    assert.equal(await client.greet({ id: 'nobody', clean: false }), 'connack 5')
    assert.equal(await client.next(), 'closed')
  })

  it('refuses a session too many with 0x03, and only that', async (t) => {
    const { raw, client } = await startRawBroker(t, { limits: { maxSessions: 1 } })
    await (await client({ id: 'first', clean: false })).leave()
    assert.equal(await raw().greet({ id: 'second', clean: false }), 'connack 3')
    assert.equal(await raw().greet({ id: 'second', clean: true }), 'connack 0')
    assert.equal(await raw().greet({ id: 'first', clean: false }), 'connack 0 present')
  })
})
