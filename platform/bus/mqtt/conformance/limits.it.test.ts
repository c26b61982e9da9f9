import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { publish, subscribe } from '../testing/bytes.ts'
import { startRawBroker } from '../testing/raw-broker.ts'

describe('limits of one client', { timeout: 60_000 }, () => {
  for (const qos of [0, 1]) {
    it(`lets others have their turn while a client floods at QoS ${qos}`, async (t) => {
      const { client, broker } = await startRawBroker(t)
      let flooded = 0
      let handled = 0
      broker.eventBus.handle('flood', async () => void flooded++)
      broker.eventBus.handle('update', async () => {
        handled++
        await broker.eventBus.publish('update/result', '', { qos: 1 })
      })
      const asks = await client()
      await asks.subscribe(['update/result', 0])
      const floods = await client()
      const total = 60_000
      floods.socket.resume()
      floods.send(
        ...Array.from({ length: total }, (_, index) => publish('flood', 'x', { qos, id: (index % 60_000) + 1 })),
      )
      const waits: number[] = []
      for (let id = 1; id <= 20; id++) {
        const before = flooded
        asks.publish('update', '{}', { qos: 1, id })
        assert.deepEqual((await asks.take(2)).toSorted(), [`puback id${id}`, 'publish update/result  qos0'])
        waits.push(flooded - before)
      }
      assert.equal(handled, 20)
      assert.ok(flooded < total, 'the flood goes on all the time')
      // A socket alone holds thousands; so many turns of 64 are a few milliseconds.
      assert.ok(Math.max(...waits) <= 64 * 24, `waited for ${waits} messages of the flood`)
    })
  }

  it('works on a bounded number of messages of one client, and reads no further', async (t) => {
    const { client, broker } = await startRawBroker(t, { limits: { maxInflight: 5 } })
    const held: (() => void)[] = []
    let most = 0
    broker.eventBus.handle('slow', async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      held.push(resolve)
      most = Math.max(most, held.length)
      await promise
    })
    const hasty = await client()
    const other = await client()
    hasty.send(...Array.from({ length: 50 }, (_, index) => publish('slow', 'x', { qos: 1, id: index + 1 })))
    await other.subscribe(['mark', 0])
    let acknowledged = 0
    while (acknowledged < 50) {
      other.publish('mark')
      await other.next()
      for (const release of held.splice(0)) {
        release()
        await hasty.next()
        acknowledged++
      }
    }
    assert.equal(most, 5)
  })

  it('works on 512 messages of one client at once where nothing else is configured', async (t) => {
    const { client, broker } = await startRawBroker(t)
    const { promise, resolve } = Promise.withResolvers<void>()
    let held = 0
    broker.eventBus.handle('slow', async () => {
      if (++held === 512) resolve()
      await promise
    })
    const busy = await client()
    busy.send(...Array.from({ length: 512 }, (_, index) => publish('slow', 'x', { qos: 1, id: index + 1 })))
    assert.equal((await busy.take(512)).at(-1), 'puback id512')
  })

  it('closes at more than 10,000 filters in one packet, and answers for each of as many', async (t) => {
    const { client } = await startRawBroker(t)
    const filters = (count: number) => Array.from({ length: count }, () => ['a', 1] as const)
    const asks = await client()
    for (let round = 0; round < 3; round++) {
      assert.equal((await asks.subscribe(...filters(10_000))).split(',').length, 10_000)
    }
    asks.send(subscribe(1, ...filters(10_001)))
    assert.equal(await asks.next(), 'closed')
  })

  it('does not let a client that never acknowledges hold the others up', async (t) => {
    const { client, broker } = await startRawBroker(t, { limits: { maxInflight: 10, maxQueued: 20 } })
    const never = await client({ id: 'never' })
    await never.subscribe(['a', 1])
    never.socket.pause()
    const hears = await client()
    await hears.subscribe(['a', 0])
    const says = await client()
    for (let id = 1; id <= 500; id++) {
      says.publish('a', String(id), { qos: 1, id })
      assert.equal(await says.next(), `puback id${id}`)
      assert.equal(await hears.next(), `publish a ${id} qos0`)
    }
    await broker.eventBus.publish('a', 'end', { qos: 0 })
    never.socket.resume()
    assert.deepEqual((await never.take(10)).at(-1), 'publish a 10 qos1')
  })

  it('does not fill the log with a client that comes back after each refusal', async (t) => {
    const { raw, log } = await startRawBroker(t, { anonymous: 'read-only' })
    const offences = [
      publish('a', 'x', { qos: 1, id: 1 }),
      Buffer.of(0xff, 0x00),
      Buffer.of(0x30, 0xff, 0xff, 0xff, 0x7f),
    ]
    for (const offence of offences) {
      for (let times = 0; times < 30; times++) {
        const client = raw()
        await client.greet()
        client.send(offence)
        await client.closed
      }
    }
    const sentences = ['may not publish there', 'breaks the protocol', 'sent too large a packet']
    const said = (end: string) => log.messages('warn').filter((line) => line.endsWith(end)).length
    assert.deepEqual(sentences.map(said), [20, 20, 20])
  })

  it('says nothing of certificates to the log when there are too many connections', async (t) => {
    const { client, raw, log } = await startRawBroker(t, { maxConnections: 1 })
    const first = await client()
    await raw().closed
    assert.deepEqual(await first.sofar(), [])
    assert.deepEqual(log.messages('warn'), [])
  })
})
