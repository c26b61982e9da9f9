import type { AedesPublishPacket, AuthErrorCode, Client, PublishPacket } from 'aedes'
import { RefusedError } from '../../lifecycle/errors.ts'
import { seconds, withDeadline } from '../../time/index.ts'
import type { MqttMessage } from '../event-bus.ts'
import { isOfEdge, isUnderView, refuseConnect, refusePublish } from './access.ts'
import { Backlog, MAX_BACKLOG_BYTES } from './backlog.ts'
import type { Counters } from './counters.ts'
import { Emitter } from './emitter.ts'
import type { EmbeddedBrokerOptions } from './options.ts'
import { Receipts } from './receipts.ts'
import type { TopicTree } from './topic-tree.ts'

export type Handler = (message: MqttMessage) => Promise<void>

export interface HookOptions {
  readonly options: EmbeddedBrokerOptions
  readonly handlers: TopicTree<Handler>
  readonly counters: Counters
  /** Filters that each connected client holds. */
  readonly subscriptions: WeakMap<Client, Set<string>>
}

/** A handler that takes longer has lost: the receipt is withheld. */
const HANDLER_DEADLINE = seconds(30)
const MAX_SUBSCRIPTIONS = 1000
/** Where messages go that nobody gets. */
const REFUSED_TOPIC = '$skerry/refused'

/** What aedes asks while it works: who may come in, and what becomes of each message. */
export function createHooks({ options, handlers, counters, subscriptions }: HookOptions) {
  const { anonymous, clock, log } = options
  const backlog = new Backlog(options.maxBacklogBytes ?? MAX_BACKLOG_BYTES)
  const receipts = new Receipts()
  const warned = new WeakSet<Client>()

  /** Said once for each connection: a client that does not listen would fill the log. */
  const refuse = (client: Client | null, { topic }: PublishPacket, reason: string) => {
    counters.refused.add(1, { reason: 'publish' })
    if (client && warned.has(client)) return
    if (client) warned.add(client)
    log.warn('An MQTT client may not publish there', { client: client?.id, topic, reason })
  }
  const handle = async (found: readonly Handler[], message: MqttMessage) => {
    try {
      await withDeadline(clock, HANDLER_DEADLINE, undefined, () =>
        Promise.all(found.map((handler) => attempt(handler, message))),
      )
    } catch (error) {
      counters.refused.add(1, { reason: 'handler' })
      log.warn('An MQTT message was not taken; its receipt is withheld', { topic: message.topic, error })
      throw error
    }
  }

  return {
    mq: new Emitter<AedesPublishPacket>({ clock, log }),
    // A client that takes nothing for so long is not coming back on this connection.
    drainTimeout: 30_000,
    connectTimeout: 10_000,

    authenticate(
      client: Client,
      _user: string | undefined,
      _password: Buffer | undefined,
      done: (error: (Error & { returnCode: AuthErrorCode }) | null, success: boolean | null) => void,
    ): void {
      const refusal = refuseConnect(anonymous)
      if (!refusal) {
        done(null, true)
        return
      }
      counters.refused.add(1, { reason: 'credentials' })
      log.warn('An MQTT client was refused', { client: client.id, reason: refusal })
      // MQTT 3.1.1 §3.2.2.3: 5 is "not authorized".
      done(Object.assign(new Error(refusal), { returnCode: 5 }), false)
    },

    authorizePublish(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): void {
      if (isOfEdge(packet.topic)) {
        refuse(client, packet, 'only the edge publishes on this topic')
        // Old mappers say twin/cloud_updated beside each update: they get their receipt (§3.3.5 allows it), nobody the message.
        Object.assign(packet, { topic: REFUSED_TOPIC, payload: Buffer.alloc(0), retain: false })
        receipts.give(client, undefined, done)
        return
      }
      if (isUnderView(packet.topic)) Object.assign(packet, { retain: false })
      const refusal = refusePublish(anonymous, packet.topic)
      if (refusal) {
        refuse(client, packet, refusal)
        const fields = { topic: packet.topic, reason: refusal }
        done(new RefusedError('This client may not publish there', { code: 'PLATFORM_MQTT_REFUSED', fields }))
        return
      }
      counters.received.add()
      const found = handlers.match(packet.topic)
      receipts.give(client, found.length === 0 ? undefined : handle(found, messageOf(client, packet)), done)
    },

    authorizeSubscribe<S extends { readonly topic: string }>(
      client: Client,
      subscription: S,
      done: (error: Error | null, subscription?: S | null) => void,
    ): void {
      const own = subscriptions.get(client) ?? new Set()
      const isTaken = own.has(subscription.topic) || own.size < MAX_SUBSCRIPTIONS
      if (isTaken) subscriptions.set(client, own.add(subscription.topic))
      else counters.refused.add(1, { reason: 'subscriptions' })
      done(null, isTaken ? subscription : null)
    },

    authorizeForward(client: Client, packet: AedesPublishPacket): AedesPublishPacket | null {
      const verdict = backlog.judge(client, packet.payload.length + packet.topic.length + 8, packet.qos)
      if (verdict === 'forward') return packet
      counters.dropped.add(1, { reason: verdict === 'drop' ? 'backlog' : 'stalled' })
      if (verdict === 'disconnect') client.conn.destroy()
      return null
    },
  }
}

/** Turns a synchronous throw into a rejection. */
async function attempt(handler: Handler, message: MqttMessage): Promise<void> {
  await handler(message)
}

function messageOf(client: Client | null, packet: PublishPacket): MqttMessage {
  const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
  const message = { topic: packet.topic, payload, qos: packet.qos, retain: packet.retain }
  return client ? { ...message, client: client.id } : message
}
