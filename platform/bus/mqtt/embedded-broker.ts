import type { EventEmitter } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { Aedes, type AedesPublishPacket, type AuthErrorCode, type Client, type PublishPacket } from 'aedes'
import type { Counter, Metrics } from '../../health/metrics.ts'
import { listen } from '../../http/listen.ts'
import { RefusedError, UnavailableError } from '../../lifecycle/errors.ts'
import type { Module, Scope } from '../../lifecycle/module.ts'
import type { Logger } from '../../log/logger.ts'
import { type Clock, seconds, withDeadline } from '../../time/index.ts'
import type { EventBus, MqttMessage } from '../event-bus.ts'
import { type Anonymous, isOfEdge, refuseConnect, refusePublish } from './access.ts'
import { Backlog, MAX_BACKLOG_BYTES } from './backlog.ts'
import { Emitter } from './emitter.ts'
import { limitPackets } from './packet-limit.ts'
import { Receipts } from './receipts.ts'
import { boundSessions, SESSION_LIMITS } from './sessions.ts'
import { TopicTree } from './topic-tree.ts'

export interface EmbeddedBrokerOptions {
  readonly host: string
  /** 0 takes a free one, see `port` of the module. */
  readonly port: number
  readonly anonymous: Anonymous
  /** Of a whole MQTT packet without its fixed header. A client that announces a larger one is disconnected. */
  readonly maxPacketBytes: number
  readonly maxConnections: number
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  /** What may wait in memory for one client. */
  readonly maxBacklogBytes?: number
}

export interface EmbeddedBroker extends Module {
  readonly eventBus: EventBus
  /** The port that is listened on; what was asked for before the start. */
  readonly port: number
}

type Handler = (message: MqttMessage) => Promise<void>

/** A handler that takes longer has lost: the receipt is withheld. */
const HANDLER_DEADLINE = seconds(30)
const MAX_SUBSCRIPTIONS = 1000
/** Where messages go that nobody gets. */
const REFUSED_TOPIC = '$skerry/refused'

/**
 * EventBus: an MQTT 3.1.1 broker in this process. Handlers that are registered stay so over restarts of the module. What the
 * edge itself publishes bypasses the access policy.
 */
export function createEmbeddedBroker(options: EmbeddedBrokerOptions): EmbeddedBroker {
  const handlers = new TopicTree<Handler>()
  let broker: Aedes | undefined
  let port = options.port

  const eventBus: EventBus = {
    publish(topic, payload, { qos = 0, retain = false } = {}) {
      const open = broker
      if (!open || open.closed) return Promise.reject(unavailable())
      const content = typeof payload === 'string' ? Buffer.from(payload) : asBuffer(payload)
      const packet: PublishPacket = { cmd: 'publish', topic, payload: content, qos, retain, dup: false }
      return new Promise((resolve, reject) => {
        open.publish(packet, (error) => (error ? reject(error) : resolve()))
      })
    },
    handle(filter, handler) {
      // One wrapper per call, so that the same function may be registered twice.
      const own: Handler = (message) => handler(message)
      handlers.add(filter, own)
      return { [Symbol.dispose]: () => void handlers.remove(filter, own) }
    },
  }

  return {
    name: 'EventBus',
    eventBus,
    get port() {
      return port
    },
    async start(scope) {
      const counters = createCounters(options.metrics)
      const subscriptions = new WeakMap<Client, Set<string>>()
      const started = await Aedes.createBroker(brokerOptions(options, handlers, counters, subscriptions))
      scope.defer(() => closeBroker(started))
      started.on('unsubscribe', (topics, client) => {
        for (const topic of topics) subscriptions.get(client)?.delete(topic)
      })
      boundSessions(started, SESSION_LIMITS, (reason) => counters.dropped.add(1, { reason }))
      logEvents(started, options.log)
      const server = createServer({ noDelay: true, pauseOnConnect: false }, (socket) => accept(socket, started))
      server.maxConnections = options.maxConnections
      server.on('drop', () => counters.refused.add(1, { reason: 'connections' }))
      await open(server, options, scope)
      scope.use(counters.connections.follow(() => started.connectedClients))
      port = portOf(server)
      broker = started
      options.log.info('The MQTT broker listens', { host: options.host, port })

      function accept(socket: Socket, to: Aedes): void {
        limitPackets(socket, options.maxPacketBytes, () => {
          counters.refused.add(1, { reason: 'packet' })
          options.log.warn('An MQTT client sent too large a packet', { maxPacketBytes: options.maxPacketBytes })
        })
        to.handle(socket)
      }
    },
  }
}

async function open(server: Server, options: EmbeddedBrokerOptions, scope: Scope): Promise<void> {
  await listen(server, { host: options.host, port: options.port })
  server.on('error', (error) => options.log.error('The MQTT broker cannot accept', { error }))
  // New connections first, then those that are there: releases run in reverse order.
  scope.defer(() => void server.close())
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

function brokerOptions(
  options: EmbeddedBrokerOptions,
  handlers: TopicTree<Handler>,
  counters: Counters,
  subscriptions: WeakMap<Client, Set<string>>,
) {
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

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function closeBroker(broker: Aedes): Promise<void> {
  return new Promise((resolve) => broker.close(resolve))
}

function logEvents(broker: Aedes, log: Logger): void {
  // The types of aedes do not know it, but an error of its memory comes this way, and would end the process unheard.
  const emitter: EventEmitter = broker
  emitter.on('error', (error: unknown) => log.error('The MQTT broker failed inside', { error }))
  broker.on('clientError', (client, error) => log.debug('An MQTT client failed', { client: client.id, error }))
  broker.on('connectionError', (_client, error) => log.debug('An MQTT connection failed', { error }))
}

interface Counters {
  readonly connections: ReturnType<Metrics['gauge']>
  readonly received: Counter
  readonly refused: Counter
  readonly dropped: Counter
}

function createCounters(metrics: Metrics): Counters {
  return {
    connections: metrics.gauge({ name: 'skerry_mqtt_connections', help: 'MQTT clients that are connected.' }),
    received: metrics.counter({ name: 'skerry_mqtt_received_total', help: 'Messages that MQTT clients published.' }),
    refused: metrics.counter({
      name: 'skerry_mqtt_refused_total',
      help: 'Connections, subscriptions and messages of MQTT clients that were refused.',
      labels: ['reason'],
    }),
    dropped: metrics.counter({
      name: 'skerry_mqtt_dropped_total',
      help: 'Messages not delivered to an MQTT client that does not take them.',
      labels: ['reason'],
    }),
  }
}

function unavailable(): UnavailableError {
  return new UnavailableError('The MQTT broker is not running', { code: 'PLATFORM_MQTT_CLOSED' })
}
