import type { AedesPublishPacket, AuthErrorCode, Client, ConnectPacket, PublishPacket, Subscription } from 'aedes'
import { RefusedError } from '../../lifecycle/errors.ts'
import type { MqttMessage } from '../event-bus.ts'
import type { Guest } from './access/doorkeeper.ts'
import type { Gate } from './access/gate.ts'
import { INNER_MAX_SUBSCRIPTIONS } from './access/inner-account.ts'
import { isOfEdge, isQuestion, isUnderView } from './access/topics.ts'
import type { Counters } from './counters.ts'
import { type Handler, Handling } from './handling.ts'
import type { EmbeddedBrokerOptions } from './options.ts'
import { Receipts } from './receipts.ts'
import { arrive } from './sessions/arrivals.ts'
import type { Sessions } from './sessions/open-sessions.ts'
import { SESSION_MARK } from './sessions/persistence.ts'
import { publishedOf } from './sessions/queue.ts'
import type { TopicTree } from './topic-tree.ts'
import { passOver, takeBack } from './wire/batch.ts'
import { encodeRefusal } from './wire/encode.ts'
import { SUPERSEDED } from './wire/intake.ts'

export interface HookOptions {
  readonly options: EmbeddedBrokerOptions
  readonly gate: Gate
  readonly handlers: TopicTree<Handler>
  readonly counters: Counters
  readonly sessions: Sessions
  /** A message of a client is done, taken or not. */
  readonly onDone: (client: Client) => void
}

/** Where messages go that nobody gets. */
const REFUSED_TOPIC = '$skerry/refused'

/** What aedes asks while it works: who may come in, and what becomes of each message. */
export function createHooks({ options, gate, handlers, counters, sessions, onDone }: HookOptions) {
  const { log } = options
  const { book, exchange, fresh, limits } = sessions
  const receipts = new Receipts()
  const handling = new Handling(options.clock)
  const warned = new WeakSet<Client>()
  const warnedOfFilter = new WeakSet<Client>()

  const nameOf = (client: Client | null) => {
    const { user } = gate.of(client)
    return { client: client?.id, ...(user === undefined ? {} : { user }) }
  }
  /** Said once for each connection: a client that does not listen would fill the log. */
  const refuse = (client: Client | null, { topic }: PublishPacket, reason: string) => {
    counters.refused.add(1, { reason: 'publish' })
    if (client && warned.has(client)) return
    if (client) warned.add(client)
    log.warn('An MQTT client may not publish there', { ...nameOf(client), topic, reason })
  }
  const settle = (client: Client | null) => {
    if (!client) return
    takeBack(client)
    onDone(client)
  }
  const handle = async (found: readonly Handler[], message: MqttMessage) => {
    try {
      await handling.take(found, message)
    } catch (error) {
      counters.refused.add(1, { reason: 'handler' })
      log.warn('An MQTT message was not taken; its receipt is withheld', { topic: message.topic, error })
      throw error
    }
  }

  return {
    mq: sessions.mq,
    persistence: sessions.persistence,
    // Half of the packet ids of a client. A client knows of no lower limit (MQTT 3.1.1 has no way to say one).
    maxInflightInbound: 32_768,
    // A client that takes nothing for so long is not coming back on this connection.
    drainTimeout: 30_000,
    connectTimeout: 10_000,

    preConnect(client: Client, packet: ConnectPacket, done: (error: Error | null, isTaken: boolean) => void): void {
      if (packet.clean || book.hasRoom(packet.clientId)) {
        done(null, true)
        return
      }
      counters.refused.add(1, { reason: 'sessions' })
      log.warn('An MQTT client asks for a session, and there are too many', { client: packet.clientId })
      // §3.2.2.3: 3 is "server unavailable".
      client.conn.end(encodeRefusal(3), () => client.conn.destroy())
    },

    authenticate(
      client: Client,
      user: string | undefined,
      password: Buffer | undefined,
      done: (error: (Error & { returnCode: AuthErrorCode }) | null, success: boolean | null) => void,
    ): void {
      gate.admit(client, user, password, book).then(
        (refusal) => {
          if (!refusal) done(null, true)
          else done(Object.assign(new Error(refusal.reason), { returnCode: refusal.returnCode }), false)
        },
        (error: unknown) => {
          log.error('An MQTT client could not be checked', { client: client.id, error })
          done(Object.assign(new Error('the broker cannot check it'), { returnCode: 3 }), false)
        },
      )
    },

    authorizePublish(client: Client | null, packet: PublishPacket, finish: (error?: Error | null) => void): void {
      if (client) passOver(client)
      /** What is taken is settled once it was published. */
      const done = (error?: Error | null) => {
        if (error) settle(client)
        finish(error)
      }
      if (isOfEdge(packet.topic)) {
        refuse(client, packet, 'only the edge publishes on this topic')
        // Old mappers say twin/cloud_updated beside each update: they get their receipt (§3.3.5 allows it), nobody the message.
        Object.assign(packet, { topic: REFUSED_TOPIC, payload: Buffer.alloc(0), retain: false })
        receipts.give(client, {}, done)
        return
      }
      // What is asked once is not asked again of each who subscribes.
      if (isUnderView(packet.topic) || isQuestion(packet.topic)) Object.assign(packet, { retain: false })
      const guest = gate.of(client)
      const refusal = guest.rights.refusePublish(packet.topic)
      if (refusal) {
        refuse(client, packet, refusal)
        const fields = { topic: packet.topic, reason: refusal }
        done(new RefusedError('This client may not publish there', { code: 'PLATFORM_MQTT_REFUSED', fields }))
        return
      }
      const arrival = arrive(book, client, packet)
      if (arrival instanceof Promise) {
        // Nothing is published for it.
        receipts.give(client, { handling: arrival }, (error) => {
          settle(client)
          finish(error)
        })
        return
      }
      counters.received.add()
      fresh.add(packet)
      const found = handlers.match(packet.topic)
      const handled = found.length === 0 ? undefined : handle(found, messageOf(client, guest, packet))
      const admit = () => exchange.admit(publishedOf(packet, client?.id), arrival)
      receipts.give(client, { handling: handled, admit }, (error) => {
        arrival?.settle(error)
        done(error)
      })
    },

    published(_packet: AedesPublishPacket, client: Client | null, done: (error?: Error | null) => void): void {
      settle(client)
      done(null)
    },

    authorizeSubscribe(
      client: Client,
      subscription: Subscription,
      done: (error: Error | null, subscription?: Subscription | null) => void,
    ): void {
      const { topic, qos, rap } = subscription
      if (topic === SESSION_MARK || topic.startsWith(SUPERSEDED)) {
        done(null, subscription)
        return
      }
      if (!gate.of(client).rights.maySubscribe(topic)) {
        counters.refused.add(1, { reason: 'subscription' })
        if (!warnedOfFilter.has(client))
          log.warn('An MQTT client may not subscribe there', { ...nameOf(client), filter: topic })
        warnedOfFilter.add(client)
        done(null, null)
        return
      }
      const session = book.of(client)
      const most = gate.of(client).isInner ? INNER_MAX_SUBSCRIPTIONS : limits.maxSubscriptions
      const isTaken = session.filters.has(topic) || session.filters.size < most
      if (isTaken) book.subscribe(session, topic, qos, rap === true)
      else counters.refused.add(1, { reason: 'subscriptions' })
      done(null, isTaken ? subscription : null)
    },

    /** Asked for retained messages alone: all others go through the exchange. */
    authorizeForward(client: Client, packet: AedesPublishPacket): null {
      if (gate.of(client).rights.mayHear(packet.topic)) exchange.replay(client, publishedOf(packet))
      return null
    },
  }
}

function messageOf(client: Client | null, { user, rights }: Guest, packet: PublishPacket): MqttMessage {
  const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
  const side = rights.side(packet.topic)
  return {
    ...{ topic: packet.topic, payload, qos: packet.qos, retain: packet.retain },
    ...(client ? { client: client.id } : {}),
    ...(user === undefined ? {} : { user }),
    ...(side === undefined ? {} : { side }),
  }
}
