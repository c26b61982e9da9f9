import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { connect, puback, pubcomp, publish, pubrec, pubrel, unsubscribe } from '../testing/bytes.ts'
import { startRawBroker } from '../testing/raw-broker.ts'
import type { RawClient } from '../testing/raw-client.ts'

const keeper = { id: 'keeper', clean: false }

describe('sessions (MQTT 3.1.1 §3.1.2.4, §4.1)', { timeout: 30_000 }, () => {
  it('[MQTT-3.1.2-4] [MQTT-3.1.2-5] keeps subscriptions and messages of QoS 1 and 2 for a client that is away', async (t) => {
    const { client } = await startRawBroker(t)
    const before = await client(keeper)
    await before.subscribe(['a/#', 2], ['b', 0])
    await before.leave()
    const says = await client()
    says.send(publish('a/0', '0'), publish('a/1', '1', { qos: 1, id: 1 }), publish('a/2', '2', { qos: 2, id: 2 }))
    says.send(publish('b', 'no', { qos: 2, id: 3 }), publish('c', 'no', { qos: 2, id: 4 }))
    await says.take(4)
    const after = await client(keeper)
    assert.deepEqual(await after.take(2), ['publish a/1 1 qos1', 'publish a/2 2 qos2'])
    assert.deepEqual(await after.sofar(), [])
    says.publish('b', 'now')
    assert.equal(await after.next(), 'publish b now qos0')
  })

  it('[MQTT-3.1.2-6] ends a clean session with its connection', async (t) => {
    const { client } = await startRawBroker(t)
    const before = await client({ id: 'c' })
    await before.subscribe(['a', 1])
    await before.leave()
    const says = await client()
    says.publish('a', 'x', { qos: 1 })
    await says.next()
    const after = await client({ id: 'c', clean: false })
    assert.deepEqual(await after.sofar(), [])
  })

  it('lets a clean connection discard the session of its id (§3.1.2.4)', async (t) => {
    const { client, raw } = await startRawBroker(t)
    const before = await client(keeper)
    await before.subscribe(['a', 1])
    await before.leave()
    await (await client({ id: 'keeper' })).leave()
    const says = await client()
    says.publish('a', 'x', { qos: 1 })
    await says.next()
    const after = raw()
    assert.equal(await after.greet(keeper), 'connack 0')
    assert.deepEqual(await after.sofar(), [])
  })

  it('[MQTT-4.4.0-1] [MQTT-3.3.1-1] sends again with DUP and the same packet id what was not acknowledged', async (t) => {
    const { client } = await startRawBroker(t)
    const before = await client(keeper)
    await before.subscribe(['a', 2])
    const says = await client()
    says.send(publish('a', 'one', { qos: 1, id: 1 }), publish('a', 'two', { qos: 2, id: 2 }))
    const ids: number[] = []
    for (const line of ['publish a one qos1', 'publish a two qos2']) {
      assert.equal(await before.next(), line)
      ids.push(before.lastId)
    }
    await before.drop()
    says.publish('a', 'three', { qos: 1, id: 3 })
    await says.take(3)
    const after = await client(keeper)
    const again: number[] = []
    for (const line of ['publish a one qos1 dup', 'publish a two qos2 dup', 'publish a three qos1']) {
      assert.equal(await after.next(), line)
      again.push(after.lastId)
    }
    assert.deepEqual(again.slice(0, 2), ids)
  })

  it('goes on with PUBREL after PUBREC, and never sends that message again (§4.3.3)', async (t) => {
    const { client } = await startRawBroker(t)
    const before = await client(keeper)
    await before.subscribe(['a', 2])
    const says = await client()
    says.publish('a', 'x', { qos: 2, id: 2 })
    await before.next()
    const id = before.lastId
    before.send(pubrec(id))
    assert.equal(await before.next(), `pubrel id${id}`)
    await before.drop()
    const after = await client(keeper)
    assert.equal(await after.next(), `pubrel id${id}`)
    after.send(pubrec(id))
    assert.equal(await after.next(), `pubrel id${id}`, 'a repeated PUBREC is answered again')
    after.send(pubcomp(id))
    await after.sofar()
    await after.drop()
    assert.deepEqual(await (await client(keeper)).sofar(), [])
  })

  it('answers an unknown PUBREC with PUBREL, and passes over unknown PUBACK and PUBCOMP', async (t) => {
    const { client } = await startRawBroker(t)
    for (const clean of [true, false]) {
      const odd = await client({ id: 'odd', clean })
      odd.send(puback(9), pubcomp(9), pubrec(9))
      assert.equal(await odd.next(), 'pubrel id9')
      assert.deepEqual(await odd.sofar(), [])
    }
  })

  it('remembers over connections which QoS 2 messages of a client it has taken', async (t) => {
    const { client } = await startRawBroker(t)
    const hears = await client()
    await hears.subscribe(['a', 0])
    const before = await client(keeper)
    before.publish('a', 'once', { qos: 2, id: 11 })
    assert.equal(await before.next(), 'pubrec id11')
    await before.drop()
    const after = await client(keeper)
    after.publish('a', 'once', { qos: 2, id: 11, dup: true })
    assert.equal(await after.next(), 'pubrec id11')
    after.send(pubrel(11))
    assert.equal(await after.next(), 'pubcomp id11')
    assert.deepEqual(await hears.sofar(), ['publish a once qos0'])
    await after.leave()
    const clean = await client({ id: 'keeper' })
    clean.publish('a', 'new', { qos: 2, id: 11 })
    assert.equal(await clean.next(), 'pubrec id11')
    assert.deepEqual(await hears.sofar(), ['publish a new qos0'], 'a clean session has forgotten')
  })

  it('takes a session over from a connection that still stands, with what was under way', async (t) => {
    const { client } = await startRawBroker(t)
    const before = await client(keeper)
    await before.subscribe(['a', 1])
    const says = await client()
    says.publish('a', 'x', { qos: 1, id: 1 })
    assert.equal(await before.next(), 'publish a x qos1')
    const after = await client(keeper)
    assert.equal(await before.next(), 'closed')
    assert.equal(await after.next(), 'publish a x qos1 dup')
    after.send(puback(after.lastId))
    says.publish('a', 'y', { qos: 1, id: 2 })
    assert.equal(await after.next(), 'publish a y qos1')
  })

  for (const clean of [true, false]) {
    it(`[MQTT-3.1.4-2] keeps one of many that come at once with one id, ${clean ? 'clean' : 'sessions'}`, async (t) => {
      const { client, raw } = await startRawBroker(t)
      const before = await client({ ...keeper, clean })
      await before.subscribe(['a', 1], ['b', 1])
      const many = Array.from({ length: 10 }, raw)
      await Promise.all(many.map(({ socket }) => once(socket, 'connect')))
      for (const each of many) each.send(connect({ ...keeper, clean }))
      const here = new Set<RawClient>(many)
      await new Promise<void>((resolve) => {
        for (const each of many) {
          void each.closed.then(() => {
            here.delete(each)
            if (here.size === 1) resolve()
          })
        }
      })
      for (const last of here) assert.match((await last.sofar()).join(), /^connack 0/)
      assert.equal(await before.next(), 'closed')
    })
  }

  it('keeps an UNSUBSCRIBE, and no message after it', async (t) => {
    const { client } = await startRawBroker(t)
    const before = await client(keeper)
    await before.subscribe(['a', 1])
    before.send(unsubscribe(3, 'a'))
    assert.equal(await before.next(), 'unsuback id3')
    await before.leave()
    const says = await client()
    says.publish('a', 'x', { qos: 1 })
    await says.next()
    assert.deepEqual(await (await client(keeper)).sofar(), [])
  })

  it('gives away the oldest messages first when too many wait', async (t) => {
    const { client, broker } = await startRawBroker(t, { limits: { maxQueued: 3 } })
    const before = await client(keeper)
    await before.subscribe(['a', 1])
    await before.leave()
    for (let number = 1; number <= 10; number++) await broker.eventBus.publish('a', String(number), { qos: 1 })
    const after = await client(keeper)
    assert.deepEqual(
      await after.take(3),
      [8, 9, 10].map((number) => `publish a ${number} qos1`),
    )
    assert.deepEqual(await after.sofar(), [])
  })

  it('has no more under way to a client than it acknowledges', async (t) => {
    const { client, broker } = await startRawBroker(t, { limits: { maxInflight: 2 } })
    for (const clean of [true, false]) {
      const slow = await client({ id: 'slow', clean })
      await slow.subscribe(['a', 1])
      for (let number = 1; number <= 4; number++) await broker.eventBus.publish('a', String(number), { qos: 1 })
      assert.deepEqual(await slow.take(2), ['publish a 1 qos1', 'publish a 2 qos1'])
      assert.deepEqual(await slow.sofar(), [])
      slow.send(puback(slow.lastId))
      assert.equal(await slow.next(), 'publish a 3 qos1')
      slow.send(puback(slow.lastId))
      assert.equal(await slow.next(), 'publish a 4 qos1')
      await slow.leave()
    }
  })
})
