import type { Client } from 'aedes'
import type { Logger } from '../../../log/logger.ts'
import type { StoreCall } from '../../../store/index.ts'
import { isMatch } from '../topic-tree.ts'
import { encodePublish } from '../wire/encode.ts'
import type { Entry, Message, Sink } from './outbox.ts'
import type { Done, Pacing } from './pacing.ts'
import type { Retained } from './retained.ts'
import type { Session, Subscription } from './session.ts'
import type { SessionBook } from './session-book.ts'
import { enqueue, putIncoming, putMessage, putRetained, removeRetained } from './tables.ts'

/** A message as the exchange takes it. */
export interface Published {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  /** Id of the client that sent it; absent for the edge itself. */
  readonly from?: string | undefined
}

/** Why a message did not get where it should. */
export type DropReason = 'backlog' | 'session' | 'retained'

export interface ExchangeOptions {
  readonly book: SessionBook
  readonly retained: Retained
  readonly pacing: Pacing
  readonly log: Logger
  /** Bytes that wait in the socket of one client. */
  readonly maxBacklogBytes: number
  readonly mayReceive: (client: Client, topic: string) => boolean
  /** The same for a session whose client may be away, by the name of its user. */
  readonly mayKeep: (user: string, topic: string) => boolean
  readonly onDropped: (reason: DropReason, count: number) => void
}

/**
 * Brings messages to sessions, in two steps. `admit` puts one where it must be before its sender is told that it was taken:
 * among the retained and in the queues of sessions that outlive their connection, on disk. `route` brings it to everybody else.
 * Each client gets it once, at the highest QoS of its filters that match (MQTT 3.1.1 §3.3.5).
 */
export class Exchange {
  readonly #options: ExchangeOptions

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  /** Undefined when there is nothing to wait for. `incoming`: a QoS 2 message of this session with this packet id. */
  admit(published: Published, incoming?: { session: Session; packetId: number }): Promise<void> | undefined {
    const { book, log } = this.#options
    const calls: StoreCall[] = published.retain ? [...this.#retain(published)] : []
    const entries = published.qos > 0 ? this.#enqueueLasting(published, calls) : []
    if (incoming?.session.isKept) calls.push(putIncoming(incoming.session.id, incoming.packetId))
    const written = book.journal.write(calls)
    const ready = () => {
      for (const [session, entry] of entries) {
        entry.state = 'ready'
        this.pump(session)
      }
    }
    if (!written) {
      ready()
      return undefined
    }
    const settled = written.then(ready, (error: unknown) => {
      for (const [session, entry] of entries) this.#withdraw(session, entry)
      throw error
    })
    if (published.qos > 0) return settled
    // At QoS 0 nobody waits for an answer.
    settled.catch((error: unknown) =>
      log.warn('A retained MQTT message was not kept', { topic: published.topic, error }),
    )
    return undefined
  }

  /** `done` is called when the sender may go on with its next message. */
  route(published: Published, done: Done): void {
    const { book, pacing } = this.#options
    const found = book.live.match(published.topic)
    const lasting = book.lasting.match(published.topic)
    const jammed: Session[] = []
    let message: Message | undefined
    const plain = new Map<boolean, Buffer>()
    for (const [session, best] of bestOf(lasting.length > 0 ? [...found, ...lasting] : found, published)) {
      const qos = lower(published.qos, best.qos)
      const retain = best.isBridge && published.retain
      if (qos === 0) {
        const packet = plain.get(retain) ?? encodePublish({ ...published, qos: 0, retain })
        plain.set(retain, packet)
        this.#sendPlain(session, published.topic, packet)
      } else if (session.isClean) {
        message ??= { topic: published.topic, payload: published.payload, id: 0, holders: 0 }
        this.enqueueClean(session, message, qos, retain)
      }
      if (this.#isJammed(session)) jammed.push(session)
    }
    pacing.pace(jammed, done)
  }

  /** Puts a message into the queue of a connected client, without the disk. */
  enqueueClean(session: Session, message: Message, qos: 1 | 2, retain: boolean): void {
    message.holders++
    const { dropped } = session.outbox.add(message, qos, retain, 'ready')
    this.#dropped(session, dropped)
    this.pump(session)
  }

  /** Whether a message on this topic would go to somebody, or into the queue of somebody. */
  hears(topic: string): boolean {
    const { live, lasting } = this.#options.book
    return live.matches(topic) || lasting.matches(topic)
  }

  /** Whether a message on some topic with this first level could. */
  reaches(first: string): boolean {
    const { live, lasting } = this.#options.book
    return live.reaches(first) || lasting.reaches(first)
  }

  /** Settles when a client takes more; undefined when it does so now. */
  room(client: Client): Promise<void> | undefined {
    const session = this.#options.book.of(client)
    return this.#isJammed(session) ? this.#options.pacing.whenClear(session) : undefined
  }

  /** A retained message for a new subscription (MQTT 3.1.1 §3.3.1.3): at the highest QoS of the filters that match. */
  replay(client: Client, { topic, payload, qos: published }: Published): void {
    const { book } = this.#options
    const session = book.of(client)
    if (session.hasEnded) return
    let granted: 0 | 1 | 2 = 0
    for (const [filter, { qos }] of session.filters) if (qos > granted && isMatch(filter, topic)) granted = qos
    const qos = lower(published, granted)
    if (qos === 0) {
      this.#sendPlain(session, topic, encodePublish({ topic, payload, qos, retain: true }))
      return
    }
    if (session.isClean) {
      this.enqueueClean(session, { topic, payload, id: 0, holders: 0 }, qos, true)
      return
    }
    const message = book.message(topic, payload)
    message.holders++
    const { entry, dropped } = session.outbox.add(message, qos, true, 'writing')
    const calls = [putMessage(message), enqueue(session.id, entry), ...book.gone(session, dropped)]
    this.#countDropped(dropped)
    const ready = () => {
      entry.state = 'ready'
      this.pump(session)
    }
    const written = book.journal.write(calls)
    if (written) written.then(ready, () => this.#withdraw(session, entry))
    else ready()
  }

  /** Sends what a client may get now. */
  pump(session: Session): void {
    const { client } = session
    if (!client || session.hasEnded) return
    const { maxBacklogBytes, mayReceive, book } = this.#options
    const { conn } = client
    const sink: Sink = {
      write: (packet) => void (conn.writable && conn.write(packet)),
      get isFull() {
        return conn.writableLength * 2 >= maxBacklogBytes || !conn.writable
      },
      mayReceive: (topic) => mayReceive(client, topic),
    }
    for (const refused of session.outbox.pump(sink)) book.taken(session, refused)
    if (!this.#isJammed(session)) this.#options.pacing.clear(session)
  }

  #retain({ topic, payload, qos }: Published): readonly StoreCall[] {
    switch (this.#options.retained.set({ topic, payload, qos })) {
      case 'put':
        return [putRetained(topic, payload, qos)]
      case 'removed':
        return [removeRetained(topic)]
      case 'full':
        this.#options.onDropped('retained', 1)
        return []
      case 'none':
        return []
    }
  }

  #enqueueLasting(published: Published, calls: StoreCall[]): readonly (readonly [Session, Entry])[] {
    const { book } = this.#options
    const found = book.lasting.match(published.topic)
    if (found.length === 0) return []
    const entries: (readonly [Session, Entry])[] = []
    const message = book.message(published.topic, published.payload)
    for (const [session, best] of bestOf(found, published)) {
      const qos = lower(published.qos, best.qos)
      if (qos === 0 || !this.#options.mayKeep(session.owner, published.topic)) continue
      message.holders++
      const { entry, dropped } = session.outbox.add(message, qos, best.isBridge && published.retain, 'writing')
      if (entries.length === 0) calls.push(putMessage(message))
      calls.push(enqueue(session.id, entry), ...book.gone(session, dropped))
      this.#countDropped(dropped)
      entries.push([session, entry])
    }
    return entries
  }

  #withdraw(session: Session, entry: Entry): void {
    session.outbox.remove(entry)
    entry.message.holders--
  }

  #sendPlain(session: Session, topic: string, packet: Buffer): void {
    const { client } = session
    if (!client?.conn.writable) return
    const { maxBacklogBytes, mayReceive, onDropped } = this.#options
    if (!mayReceive(client, topic)) return
    const waiting = client.conn.writableLength
    if (waiting > 0 && waiting + packet.length > maxBacklogBytes) onDropped('backlog', 1)
    else client.conn.write(packet)
  }

  #isJammed(session: Session): boolean {
    const { client, outbox } = session
    return client !== undefined && (client.conn.writableNeedDrain || outbox.isLong)
  }

  #dropped(session: Session, dropped: readonly Entry[]): void {
    for (const entry of dropped) this.#options.book.taken(session, entry)
    this.#countDropped(dropped)
  }

  #countDropped(dropped: readonly Entry[]): void {
    if (dropped.length > 0) this.#options.onDropped('session', dropped.length)
  }
}

/** Of each session the matching subscription with the highest QoS. A bridge does not get back what it sent. */
function bestOf(found: readonly Subscription[], { from }: Published): ReadonlyMap<Session, Subscription> {
  const best = new Map<Session, Subscription>()
  for (const subscription of found) {
    const { session, qos, isBridge } = subscription
    if (isBridge && session.id === from) continue
    const before = best.get(session)
    if (!before || before.qos < qos) best.set(session, subscription)
  }
  return best
}

function lower(a: 0 | 1 | 2, b: 0 | 1 | 2): 0 | 1 | 2 {
  return a < b ? a : b
}
