import type { Row, Store } from '../../../store/index.ts'
import type { Message } from './outbox.ts'
import type { Retained } from './retained.ts'
import type { Session } from './session.ts'
import type { SessionBook } from './session-book.ts'

/** Takes up what an earlier process left on disk. */
export async function restore(store: Store, book: SessionBook, retained: Retained, maxInflight: number): Promise<void> {
  const rows = (key: string) => store.read({ statement: `mqtt.${key}`, parameters: [] })
  const sent = new Map<string, number>()
  const sessions = new Map<string, Session>()
  for (const row of await rows('sessions')) {
    const session = book.restore(text(row, 'client'), whole(row, 'seen'), text(row, 'owner'))
    sessions.set(session.id, session)
    // 0: the client was connected when the process died, and may have had as much as may be under way.
    if (session.seen === 0) session.seen = book.now()
    else sent.set(session.id, whole(row, 'sent'))
  }
  for (const row of await rows('subscriptions')) {
    const session = sessions.get(text(row, 'client'))
    if (!session) continue
    book.subscribe(session, text(row, 'filter'), qos(row), whole(row, 'bridge') === 1)
    session.unkept = []
  }
  await restoreQueues(await rows('queue'), sessions, sent, maxInflight)
  for (const row of await rows('incoming')) {
    sessions.get(text(row, 'client'))?.incoming.set(whole(row, 'packet'), Promise.resolve())
  }
  for (const row of await rows('retained')) {
    retained.set({ topic: text(row, 'topic'), payload: bytes(row, 'payload'), qos: qos(row) })
  }
  for (const row of await rows('lastMessage')) book.countFrom(whole(row, 'id'))
}

async function restoreQueues(
  rows: readonly Row[],
  sessions: ReadonlyMap<string, Session>,
  sent: ReadonlyMap<string, number>,
  maxInflight: number,
): Promise<void> {
  const messages = new Map<number, Message>()
  const counts = new Map<Session, number>()
  for (const row of rows) {
    const session = sessions.get(text(row, 'client'))
    const level = qos(row)
    if (!session || level === 0) continue
    const id = whole(row, 'message')
    const message = messages.get(id) ?? { topic: text(row, 'topic'), payload: bytes(row, 'payload'), id, holders: 0 }
    messages.set(id, message)
    message.holders++
    const seq = whole(row, 'seq')
    const position = counts.get(session) ?? 0
    counts.set(session, position + 1)
    const isReleased = whole(row, 'released') === 1
    const last = sent.get(session.id)
    const wasSent = isReleased || (last === undefined ? position < maxInflight : seq <= last)
    const state = isReleased ? 'released' : 'ready'
    session.outbox.restore({ seq, message, qos: level, retain: whole(row, 'retain') === 1, state, wasSent })
  }
}

function text(row: Row, column: string): string {
  return String(row[column])
}

function whole(row: Row, column: string): number {
  return Number(row[column])
}

function qos(row: Row): 0 | 1 | 2 {
  const value = whole(row, 'qos')
  return value === 2 ? 2 : value === 1 ? 1 : 0
}

function bytes(row: Row, column: string): Buffer {
  const value = row[column]
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : Buffer.alloc(0)
}
