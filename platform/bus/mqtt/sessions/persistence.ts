import { Readable } from 'node:stream'
import type { Client, Subscription } from 'aedes'
import type { Retained } from './retained.ts'
import type { Session } from './session.ts'
import type { SessionBook } from './session-book.ts'

/** Stands for a session without subscriptions, which the broker would else announce as new. */
export const SESSION_MARK = '$skerry/session'

/** A packet as aedes hands it to its persistence. */
interface Packet {
  readonly cmd: string
  readonly messageId?: number | undefined
}

export interface PersistenceOptions {
  readonly book: SessionBook
  readonly retained: Retained
  /** Who is connected with a client id. */
  readonly clientOf: (id: string) => Client | undefined
  /** Messages that were admitted, and are not repetitions. */
  readonly fresh: WeakSet<object>
  /** Sends what a client may get after it has acknowledged something. */
  readonly pump: (session: Session) => void
}

/**
 * The memory of sessions in the shape that aedes asks for. Messages to clients do not pass here: the exchange keeps their queues,
 * and aedes tells what the clients acknowledge.
 */
export function createPersistence({ book, retained, clientOf, fresh, pump }: PersistenceOptions) {
  const acknowledge = (client: Client, { cmd, messageId }: Packet) => {
    if (messageId === undefined || (cmd !== 'puback' && cmd !== 'pubcomp')) return
    const session = book.of(client)
    const entry = session.outbox.acknowledge(messageId, cmd === 'puback' ? 1 : 2)
    if (entry) book.taken(session, entry)
    pump(session)
  }
  const matching = function* (filters: readonly string[]) {
    for (const filter of filters) {
      for (const { topic, payload, qos } of retained.matching(filter)) {
        yield { cmd: 'publish', topic, payload, qos, retain: true, dup: false }
      }
    }
  }
  const nothing = () => Readable.from([])

  return {
    async setup(): Promise<void> {},
    async destroy(): Promise<void> {},

    createRetainedStream: (filter: string) => Readable.from(matching([filter])),
    createRetainedStreamCombi: (filters: readonly string[]) => Readable.from(matching(filters)),

    async subscriptionsByClient({ id }: Pick<Client, 'id'>): Promise<readonly Subscription[]> {
      const client = clientOf(id)
      const { session, isNew } = await book.open(id)
      mustBeHere(client)
      if (isNew) return []
      const own = [...session.filters.values()].map(({ filter, qos, isBridge }) => {
        return isBridge ? { topic: filter, qos, rh: 0, rap: true, nl: true } : { topic: filter, qos }
      })
      return own.length > 0 ? own : [{ topic: SESSION_MARK, qos: 0 }]
    },
    addSubscriptions: (client: Client) => book.keepSubscriptions(book.of(client)),
    async removeSubscriptions(client: Client, filters: readonly string[]): Promise<void> {
      await book.journal.write(book.unsubscribe(book.of(client), filters))
    },
    async cleanSubscriptions(client: Client): Promise<void> {
      await book.end(client.id)
      mustBeHere(client)
    },

    async outgoingClearMessageId(client: Client, packet: Packet): Promise<void> {
      acknowledge(client, packet)
    },
    async outgoingUpdate(client: Client, { cmd, messageId }: Packet): Promise<void> {
      if (cmd === 'pubrel' && messageId !== undefined) await book.released(book.of(client), messageId)
    },

    async incomingGetPacket(client: Client, packet: Packet): Promise<object> {
      const { messageId } = packet
      const isKnown = messageId !== undefined && book.of(client).incoming.has(messageId)
      if (packet.cmd === 'publish' ? fresh.has(packet) : !isKnown) throw new Error('no such packet')
      return packet
    },
    async incomingDelPacket(client: Client, { messageId }: Packet): Promise<void> {
      if (messageId !== undefined) await book.forgetIncoming(book.of(client), messageId)
    },

    // What the exchange does, or the session itself.
    async storeRetained(): Promise<void> {},
    subscriptionsByTopic: async () => [],
    async outgoingEnqueue(): Promise<void> {},
    async outgoingEnqueueCombi(): Promise<void> {},
    outgoingStream: nothing,
    async incomingStorePacket(): Promise<void> {},
    async cleanIncoming(): Promise<void> {},
    async putWill(): Promise<void> {},
    async getWill(): Promise<void> {},
    async delWill(): Promise<void> {},
    streamWill: nothing,
    getClientList: nothing,
    countOffline: async () => ({ subsCount: 0, clientsCount: book.size }),
  }
}

/** aedes would register a client that has left meanwhile, and count it for ever. */
function mustBeHere(client: Client | undefined): void {
  if (!client || client.closed) throw new Error('the client has left')
}
