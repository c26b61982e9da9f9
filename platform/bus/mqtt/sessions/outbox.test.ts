import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Entry, Outbox, type Sink } from './outbox.ts'

test('whatever happens, each message comes in order, once acknowledged, never more than may be under way', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant('add' as const) },
    { weight: 3, arbitrary: fc.constant('acknowledge' as const) },
    { weight: 1, arbitrary: fc.constant('reconnect' as const) },
    { weight: 1, arbitrary: fc.constant('full' as const) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const outbox = new Outbox({ maxInflight: 3, maxQueued: 1000, maxQueuedBytes: 1e9 })
      const client = new Client()
      let added = 0
      for (const each of steps) {
        if (each === 'add') outbox.add(messageOf(String(added++)), 1, false, 'ready')
        if (each === 'acknowledge') client.acknowledge(outbox)
        if (each === 'full') client.isFull = !client.isFull
        if (each === 'reconnect') {
          outbox.rewind()
          client.open.clear()
        }
        outbox.pump(client)
        assert.ok(client.open.size <= 3)
      }
      client.isFull = false
      outbox.pump(client)
      while (!outbox.isEmpty) {
        client.acknowledge(outbox)
        outbox.pump(client)
      }
      assert.deepEqual(
        client.taken,
        Array.from({ length: added }, (_, index) => String(index)),
      )
    }),
  )
})

test('the oldest that was never sent makes room, by number and by bytes', () => {
  const outbox = new Outbox({ maxInflight: 1, maxQueued: 2, maxQueuedBytes: 1000 })
  const client = new Client()
  const add = (text: string) => outbox.add(messageOf(text), 1, false, 'ready').dropped.map(payloadOf)
  assert.deepEqual(add('sent'), [])
  outbox.pump(client)
  outbox.rewind()
  assert.deepEqual([add('1'), add('2'), add('3')], [[], ['1'], ['2']], 'what was sent stays')
  assert.deepEqual(add('x'.repeat(2000)), ['3'], 'one message may be larger than the bound, alone')
})

test('packet ids go round and pass over those that are taken', () => {
  const outbox = new Outbox({ maxInflight: 2, maxQueued: 70_000, maxQueuedBytes: 1e9 })
  const client = new Client()
  const { entry: first } = outbox.add(messageOf('first'), 1, false, 'ready')
  outbox.pump(client)
  for (let number = 1; number < 65_535; number++) outbox.remove(outbox.add(messageOf('x'), 1, false, 'ready').entry)
  const { entry: next } = outbox.add(messageOf('next'), 1, false, 'ready')
  assert.deepEqual([first.seq, next.seq], [1, 65_537], '65536 would have the packet id of the first')
})

test('a message that is not on disk yet holds those behind it', () => {
  const outbox = new Outbox({ maxInflight: 10, maxQueued: 10, maxQueuedBytes: 1e9 })
  const client = new Client()
  const { entry } = outbox.add(messageOf('writing'), 2, false, 'writing')
  outbox.add(messageOf('ready'), 1, false, 'ready')
  outbox.pump(client)
  assert.equal(client.open.size, 0)
  entry.state = 'ready'
  outbox.pump(client)
  assert.equal(client.open.size, 2)
})

test('what the client may not receive goes, and counts as nothing', () => {
  const outbox = new Outbox({ maxInflight: 1, maxQueued: 10, maxQueuedBytes: 1e9 })
  const client = new Client()
  client.forbidden = 'secret'
  outbox.add({ topic: 'secret', payload: Buffer.from('s'), id: 0, holders: 1 }, 1, false, 'ready')
  outbox.add(messageOf('open'), 1, false, 'ready')
  assert.deepEqual(outbox.pump(client).map(payloadOf), ['s'])
  assert.equal(client.open.size, 1)
})

class Client implements Sink {
  isFull = false
  forbidden = ''
  readonly open = new Map<number, string>()
  readonly taken: string[] = []

  mayReceive(topic: string): boolean {
    return topic !== this.forbidden
  }

  write(packet: Buffer): void {
    // Topic `t`: 1 byte head, 1 or 2 bytes length, then topic, packet id, payload.
    const at = packet.indexOf('\0\x01t') + 3
    this.open.set(packet.readUInt16BE(at), packet.subarray(at + 2).toString())
  }

  acknowledge(outbox: Outbox): void {
    for (const [id, payload] of this.open) {
      this.open.delete(id)
      if (outbox.acknowledge(id, 1)) this.taken.push(payload)
      return
    }
  }
}

function messageOf(payload: string) {
  return { topic: 't', payload: Buffer.from(payload), id: 0, holders: 1 }
}

function payloadOf({ message }: Entry): string {
  return message.payload.toString()
}
