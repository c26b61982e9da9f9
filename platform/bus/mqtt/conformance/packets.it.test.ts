import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { connect, packet, pingreq, publish, subscribe, text, unsubscribe, word } from '../testing/bytes.ts'
import { startRawBroker } from '../testing/raw-broker.ts'

describe('packets (MQTT 3.1.1 §2)', { timeout: 30_000 }, () => {
  it('[MQTT-2.2.2-1] [MQTT-2.2.2-2] closes on wrong flags of the fixed header', async (t) => {
    const { client } = await startRawBroker(t)
    const wrong = [
      packet(0x41, word(1)),
      packet(0x52, word(1)),
      packet(0x60, word(1)),
      packet(0x73, word(1)),
      packet(0x80, word(1), text('a'), [0]),
      packet(0xa0, word(1), text('a')),
      packet(0xc1),
      packet(0xe2),
    ]
    for (const bytes of wrong) {
      const bad = await client()
      bad.send(bytes)
      assert.equal(await bad.next(), 'closed', bytes.toString('hex'))
    }
  })

  it('closes on types that are reserved or that only a server sends (§2.2.1)', async (t) => {
    const { client } = await startRawBroker(t)
    for (const head of [0x00, 0x20, 0x90, 0xb0, 0xd0, 0xf0]) {
      const bad = await client()
      bad.send(packet(head, word(1)))
      assert.equal(await bad.next(), 'closed', head.toString(16))
    }
  })

  it('closes on a remaining length of more than four bytes (§2.2.3)', async (t) => {
    const { client } = await startRawBroker(t)
    const bad = await client()
    bad.send(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01]))
    assert.equal(await bad.next(), 'closed')
  })

  it('takes packets in any pieces, and remaining lengths of one to four bytes', async (t) => {
    const { client } = await startRawBroker(t, { maxPacketBytes: 3_000_000 })
    const other = await client()
    await other.subscribe(['a', 0])
    const bytes = await client()
    const sizes = [10, 127, 128, 16_383, 16_384, 2_097_152]
    for (const size of sizes) bytes.publish('a', 'x'.repeat(size))
    for (const size of sizes) assert.equal((await other.next()).length, 'publish a  qos0'.length + size)
    for (const byte of publish('a', 'slowly', { qos: 1, id: 9 })) {
      bytes.socket.write(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.deepEqual([await bytes.next(), await other.next()], ['puback id9', 'publish a slowly qos0'])
  })

  it('[MQTT-2.3.1-1] closes on packet id 0', async (t) => {
    const { client } = await startRawBroker(t)
    const wrong = [publish('a', '', { qos: 1, id: 0 }), publish('a', '', { qos: 2, id: 0 }), subscribe(0, ['a', 0])]
    for (const bytes of [...wrong, unsubscribe(0, 'a'), packet(0x62, word(0))]) {
      const bad = await client()
      bad.send(bytes)
      assert.equal(await bad.next(), 'closed', bytes.toString('hex'))
    }
  })

  it('[MQTT-4.8.0-1] closes on packets that are too short, or longer than what they hold', async (t) => {
    const { client } = await startRawBroker(t)
    const wrong = [
      packet(0x30),
      packet(0x30, [0, 9], Buffer.from('a')),
      packet(0x32, text('a')),
      packet(0x40, [1]),
      packet(0x40, word(1), [0]),
      packet(0x62),
      packet(0x82, word(1), text('a')),
      packet(0x82, word(1), [0, 9], Buffer.from('a')),
      packet(0xa2, word(1), [0, 9], Buffer.from('a')),
      packet(0xc0, [0]),
      packet(0xe0, [0]),
    ]
    for (const bytes of wrong) {
      const bad = await client()
      bad.send(bytes)
      assert.equal(await bad.next(), 'closed', bytes.toString('hex'))
    }
  })

  it('closes the one connection that breaks the protocol, and publishes its will', async (t) => {
    const { client, log } = await startRawBroker(t)
    const watcher = await client()
    await watcher.subscribe(['gone', 0])
    const bad = await client({ will: { topic: 'gone', payload: 'bad' } })
    bad.send(packet(0xf0))
    assert.equal(await watcher.next(), 'publish gone bad qos0')
    assert.deepEqual(log.messages('warn'), ['An MQTT client breaks the protocol'])
  })

  it('stops at what breaks the protocol, also within one piece of bytes', async (t) => {
    const { client } = await startRawBroker(t)
    const watcher = await client()
    await watcher.subscribe(['#', 0])
    const bad = await client()
    bad.send(publish('first'), packet(0x36, text('a'), word(1)), publish('last'))
    assert.equal(await bad.next(), 'closed')
    assert.deepEqual(await watcher.sofar(), [], 'what came in one piece with it goes with it')
    const good = await client()
    good.send(publish('first'), pingreq)
    assert.equal(await good.next(), 'pingresp')
    assert.deepEqual(await watcher.sofar(), ['publish first  qos0'])
  })

  it('[MQTT-3.12.4-1] answers PINGREQ with PINGRESP', async (t) => {
    const { client } = await startRawBroker(t)
    const asking = await client()
    asking.send(pingreq, pingreq)
    assert.deepEqual(await asking.take(2), ['pingresp', 'pingresp'])
  })

  it('closes a connection that does not begin', async (t) => {
    const { raw } = await startRawBroker(t)
    const slow = raw()
    slow.send(connect({ id: 'slow' }).subarray(0, 5))
    slow.socket.end()
    assert.equal(await slow.next(), 'closed')
  })
})
