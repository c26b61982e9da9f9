import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import type { Client } from 'aedes'
import type { StoreCall } from '../../../store/index.ts'
import { FakeClock } from '../../../time/testing/index.ts'
import { SESSION_LIMITS } from './limits.ts'
import { SessionBook } from './session-book.ts'

test('a session that another connection takes over counts as connected on disk, whichever end comes last', async () => {
  for (const oldGoesFirst of [true, false]) {
    const { book, lastSeen } = setup()
    const [old, next] = [clientOf('keeper'), clientOf('keeper')]
    await book.open('keeper')
    book.attach(old)
    await book.open('keeper')
    if (oldGoesFirst) await leave(old)
    book.attach(next)
    if (!oldGoesFirst) await leave(old)
    assert.equal(lastSeen(), 0, 'after a crash its client was connected')
    await leave(next)
    assert.notEqual(lastSeen(), 0)
  }
})

test('what a connection asks for after its session has ended leaves nothing behind', async () => {
  const { book, calls } = setup()
  const { session } = await book.open('keeper')
  book.attach(clientOf('keeper'))
  await book.end('keeper')
  calls.length = 0
  book.subscribe(session, 'a/#', 1, false)
  await book.keepSubscriptions(session)
  await book.released(session, 1)
  assert.deepEqual([book.lasting.matches('a/b'), book.size, calls], [false, 0, []])
})

test('a subscription that could not be written is written by the next SUBSCRIBE, not passed over', async () => {
  const { book, calls, disk } = setup()
  const { session } = await book.open('keeper')
  book.subscribe(session, 'a', 1, false)
  disk.isFull = true
  await assert.rejects(book.keepSubscriptions(session), /full/)
  disk.isFull = false
  calls.length = 0
  book.subscribe(session, 'a', 1, false)
  await book.keepSubscriptions(session)
  assert.deepEqual(calls, [{ statement: 'mqtt.putSubscription', parameters: ['keeper', 'a', 1, 0] }])
})

test('unsubscribing from what was never subscribed to costs no disk', async () => {
  const { book } = setup()
  const { session } = await book.open('keeper')
  book.subscribe(session, 'a', 1, false)
  assert.equal(book.unsubscribe(session, ['x', 'a', 'a', 'y']).length, 1)
})

function setup() {
  const calls: StoreCall[] = []
  const disk = { isFull: false }
  const write = async (more: readonly StoreCall[]) => {
    if (disk.isFull) throw new Error('the disk is full')
    calls.push(...more)
  }
  const book = new SessionBook({
    journal: { write, note: (more) => void calls.push(...more) },
    ...{ limits: SESSION_LIMITS, clock: new FakeClock(), onExpired: () => undefined, userOf: () => undefined },
  })
  const lastSeen = () => calls.findLast(({ statement }) => statement === 'mqtt.putSession')?.parameters[1]
  return { book, calls, disk, lastSeen }
}

async function leave(client: Client): Promise<void> {
  const closed = once(client.conn, 'close')
  client.conn.destroy()
  await closed
}

/** As much of a connected client as the book looks at. */
function clientOf(id: string): Client
function clientOf(id: string): unknown {
  return { id, clean: false, conn: new PassThrough() }
}
