import type { Client } from 'aedes'
import type { StoreCall } from '../../../store/index.ts'
import type { Clock } from '../../../time/index.ts'
import { TopicTree } from '../topic-tree.ts'
import type { Journal } from './journal.ts'
import type { SessionLimits } from './limits.ts'
import type { Entry, Message } from './outbox.ts'
import { Session, type Subscription } from './session.ts'
import {
  dequeue,
  endSession,
  putSession,
  putSubscription,
  release,
  removeIncoming,
  removeMessage,
  removeSubscription,
} from './tables.ts'

/** See Journal. */
export type SessionJournal = Pick<Journal, 'write' | 'note'>

export interface BookOptions {
  readonly journal: SessionJournal
  readonly limits: SessionLimits
  readonly clock: Clock
  readonly onExpired: () => void
  /** User name of the client that is connected with this id. */
  readonly userOf: (id: string) => string | undefined
}

/** All sessions, and who is subscribed to what. What must survive goes to the journal before its promise settles. */
export class SessionBook {
  /** Filters of sessions that end with their connection, and of those that do not. */
  readonly live = new TopicTree<Subscription>()
  readonly lasting = new TopicTree<Subscription>()
  readonly #options: BookOptions
  readonly #byId = new Map<string, Session>()
  readonly #byClient = new WeakMap<Client, Session>()
  #lastMessage = 0

  constructor(options: BookOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#byId.size
  }

  get journal(): SessionJournal {
    return this.#options.journal
  }

  now(): number {
    return this.#options.clock.now()
  }

  /** Whether a client that asks for a session can have one. */
  hasRoom(id: string): boolean {
    return this.#byId.has(id) || this.#byId.size < this.#options.limits.maxSessions
  }

  /** Whose session waits under this client id. */
  ownerOf(id: string): string | undefined {
    return this.#byId.get(id)?.owner
  }

  countOf(user: string): number {
    return [...this.#byId.values()].filter(({ owner }) => owner === user).length
  }

  /** Of a client whose CONNECT was taken. */
  of(client: Client): Session {
    const known = this.#byClient.get(client)
    if (known) return known
    const session = (client.clean ? undefined : this.#byId.get(client.id)) ?? this.#create(client.id, client.clean)
    this.#byClient.set(client, session)
    client.conn.once('close', () => this.#detach(client, session))
    return session
  }

  /** The session of a client id that outlives connections, made if there is none. Settles when it is on disk. */
  async open(id: string): Promise<{ readonly session: Session; readonly isNew: boolean }> {
    const found = this.#byId.get(id)
    const session = found ?? this.#create(id, false)
    session.owner = this.#options.userOf(id) ?? ''
    session.isAwayOnDisk = false
    try {
      await this.journal.write([putSession(session, 0, session.outbox.sentSeq)])
    } catch (error) {
      if (!found) this.#end(session)
      throw error
    }
    return { session, isNew: !found }
  }

  /** Puts a session there as it was found on disk. */
  restore(id: string, seen: number, owner: string): Session {
    const session = this.#create(id, false)
    session.seen = seen
    session.owner = owner
    return session
  }

  /** The client was greeted. */
  attach(client: Client): Session {
    const session = this.of(client)
    if (session.client !== client) session.outbox.rewind()
    session.client = client
    // The connection that this one takes the session from has ended since `open`.
    if (session.isAwayOnDisk && session.isKept) this.journal.note([putSession(session, 0, session.outbox.sentSeq)])
    session.isAwayOnDisk = false
    return session
  }

  subscribe(session: Session, filter: string, qos: 0 | 1 | 2, isBridge: boolean): Subscription {
    const before = session.filters.get(filter)
    if (before?.qos === qos && before.isBridge === isBridge) return before
    const tree = session.isClean ? this.live : this.lasting
    const subscription = { session, filter, qos, isBridge }
    // Its connection may outlive a session by a moment; what it asks for then would never be taken away.
    if (session.hasEnded) return subscription
    if (!session.isClean) session.unkept.push(subscription)
    if (before) tree.remove(filter, before)
    session.filters.set(filter, subscription)
    tree.add(filter, subscription)
    return subscription
  }

  /** Settles when what this session is subscribed to is on disk. */
  async keepSubscriptions(session: Session): Promise<void> {
    const fresh = session.unkept.filter((each) => session.filters.get(each.filter) === each)
    session.unkept = []
    if (session.isKept && fresh.length > 0) {
      session.keeping = this.journal.write(fresh.map(putSubscription)) ?? Promise.resolve()
    }
    const { keeping } = session
    try {
      // Without anything new it still waits for what another call is writing.
      await keeping
    } catch (error) {
      session.unkept.push(...fresh)
      if (session.keeping === keeping) session.keeping = Promise.resolve()
      throw error
    }
  }

  unsubscribe(session: Session, filters: readonly string[]): readonly StoreCall[] {
    const tree = session.isClean ? this.live : this.lasting
    const calls: StoreCall[] = []
    for (const filter of filters) {
      const subscription = session.filters.get(filter)
      if (!subscription) continue
      session.filters.delete(filter)
      tree.remove(filter, subscription)
      if (session.isKept) calls.push(removeSubscription(session.id, filter))
    }
    return calls
  }

  /** Ends the session that a client id has from before, with all that waits in it. */
  async end(id: string): Promise<void> {
    const session = this.#byId.get(id)
    if (session) await this.journal.write(this.#end(session))
  }

  /** Ends sessions whose clients stayed away too long. */
  expire(): void {
    const { limits, clock, onExpired } = this.#options
    const before = clock.now() - limits.expireAfter.milliseconds
    if (limits.expireAfter.milliseconds === 0) return
    for (const session of [...this.#byId.values()]) {
      if (session.client || session.seen > before) continue
      this.journal.note(this.#end(session))
      onExpired()
    }
  }

  /** Ends the sessions of these owners, with all that waits in them. */
  endOf(isMeant: (owner: string) => boolean): void {
    for (const session of [...this.#byId.values()]) {
      if (isMeant(session.owner)) this.journal.note(this.#end(session))
    }
  }

  message(topic: string, payload: Buffer): Message {
    return { topic, payload, id: ++this.#lastMessage, holders: 0 }
  }

  /** Ids of messages on disk are taken up to this one. */
  countFrom(lastMessage: number): void {
    this.#lastMessage = Math.max(this.#lastMessage, lastMessage)
  }

  /** A client has the message: its place in the queue goes. */
  taken(session: Session, entry: Entry): void {
    if (session.isKept) this.journal.note(this.gone(session, [entry]))
    else entry.message.holders--
  }

  /** What takes entries off the disk. */
  gone(session: Session, entries: readonly Entry[]): readonly StoreCall[] {
    return entries.flatMap((entry) => {
      const isLast = --entry.message.holders === 0
      return [dequeue(session.id, entry), ...(isLast ? [removeMessage(entry.message)] : [])]
    })
  }

  /** PUBREC: durable before PUBREL goes out, or a crash would send the message anew. */
  async released(session: Session, packetId: number): Promise<void> {
    const entry = session.outbox.release(packetId)
    if (entry && session.isKept) await this.journal.write([release(session.id, entry)])
  }

  /** PUBREL: durable before PUBCOMP goes out, or a crash would take the packet id's next message for a repetition. */
  async forgetIncoming(session: Session, packetId: number): Promise<void> {
    if (session.incoming.delete(packetId) && session.isKept) {
      await this.journal.write([removeIncoming(session.id, packetId)])
    }
  }

  /** At a clean stop. */
  detachAll(): void {
    for (const session of this.#byId.values()) if (session.client) this.#detach(session.client, session)
  }

  #create(id: string, isClean: boolean): Session {
    const { clock, limits } = this.#options
    const session = new Session(id, isClean, limits, clock.now())
    if (!isClean) this.#byId.set(id, session)
    return session
  }

  #detach(client: Client, session: Session): void {
    if (session.isClean) {
      session.client = undefined
      this.#end(session)
    } else if (session.client === client) {
      session.client = undefined
      session.seen = this.#options.clock.now()
      const sent = session.outbox.sentSeq
      session.outbox.rewind()
      if (!session.isKept) return
      session.isAwayOnDisk = true
      this.journal.note([putSession(session, session.seen, sent)])
    }
  }

  #end(session: Session): readonly StoreCall[] {
    session.hasEnded = true
    this.unsubscribe(session, [...session.filters.keys()])
    const bodies = session.outbox.clear().filter(({ message }) => --message.holders === 0)
    if (session.isClean) return []
    if (this.#byId.get(session.id) === session) this.#byId.delete(session.id)
    return [...endSession(session.id), ...bodies.map(({ message }) => removeMessage(message))]
  }
}
