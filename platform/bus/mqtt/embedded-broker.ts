import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { Aedes, type Client, type Subscription } from 'aedes'
import { UnavailableError } from '../../lifecycle/errors.ts'
import type { Module } from '../../lifecycle/module.ts'
import { boundedLogger } from '../../log/bounded-logger.ts'
import type { Logger } from '../../log/logger.ts'
import type { EventBus } from '../event-bus.ts'
import { exposureWarnings } from './access/exposure.ts'
import { Gate } from './access/gate.ts'
import type { Peer } from './access/peer.ts'
import { type Counters, createCounters } from './counters.ts'
import { followAccounts } from './follow-accounts.ts'
import type { Handler } from './handling.ts'
import { createHooks } from './hooks.ts'
import { type Listeners, openListeners, type Ports } from './listen/listeners.ts'
import type { EmbeddedBrokerOptions } from './options.ts'
import type { Exchange } from './sessions/exchange.ts'
import { openSessions } from './sessions/open-sessions.ts'
import { publishedOf } from './sessions/queue.ts'
import { TopicTree } from './topic-tree.ts'
import { Views } from './views.ts'
import { gatherWrites } from './wire/gather-writes.ts'
import { Intake, SUPERSEDED } from './wire/intake.ts'

const REFUSED = {
  packet: 'An MQTT client sent too large a packet',
  protocol: 'An MQTT client breaks the protocol',
} as const

export interface EmbeddedBroker extends Module {
  readonly eventBus: EventBus
  /** The port that is listened on; what was asked for before the start. */
  readonly port: number
  readonly ports: Ports
  /** Lets pods in where `forPods` says. The port; undefined where that cannot be, which is logged. */
  listenForPods(): Promise<number | undefined>
}

/**
 * EventBus: an MQTT 3.1.1 broker in this process. Handlers that are registered stay so over restarts of the module. What the
 * edge itself publishes bypasses the access policy.
 */
export function createEmbeddedBroker(given: EmbeddedBrokerOptions): EmbeddedBroker {
  // Clients cause most of its lines, and one that comes back after each refusal would fill the disk with them.
  const options = { ...given, log: boundedLogger(given.log, given) }
  const handlers = new TopicTree<Handler>()
  const views = new Views(options.log)
  let broker: Aedes | undefined
  let exchange: Exchange | undefined
  let ports: Ports = { tcp: options.port, tls: undefined, websocket: undefined }
  let listeners: Listeners | undefined

  const eventBus: EventBus = {
    // What is retained is kept for those who come later.
    isWatched: (topic) => options.retain === true || exchange?.hears(topic) === true,
    async publish(topic, payload, { qos = options.qos ?? 1, retain = options.retain ?? false } = {}) {
      if (!exchange || broker?.closed) throw unavailable()
      const published = publishedOf({ topic, payload, qos, retain })
      await exchange.admit(published)
      await new Promise<void>((resolve) => exchange?.route(published, resolve))
    },
    handle(filter, handler) {
      // One wrapper per call, so that the same function may be registered twice.
      const own: Handler = (message) => handler(message)
      handlers.add(filter, own)
      return { [Symbol.dispose]: () => void handlers.remove(filter, own) }
    },
    view: (prefix, view) => views.open(prefix, view, eventBus),
  }

  return {
    name: 'EventBus',
    eventBus,
    get port() {
      return ports.tcp
    },
    get ports() {
      return ports
    },
    async listenForPods() {
      const pods = options.forPods?.()
      return pods && listeners?.forPods(pods)
    },
    async start(scope) {
      const { log } = options
      const counters = createCounters(options.metrics)
      const intakes = new WeakMap<Duplex, Intake>()
      const gate = createGate(options, counters)
      await gate.open()
      const { anonymousRemote = 'none' } = options
      const hasUsers = await gate.hasUsers()
      for (const warning of exposureWarnings({ ...options, anonymousRemote, hasUsers })) log.warn(warning)
      const sessions = await openSessions({ options, counters, ...sessionRights(gate) }, scope)
      if (options.accounts) followAccounts(options.accounts, { gate, book: sessions.book, log }, scope)
      const onDone = (client: Client) => intakes.get(client.conn)?.settled()
      const started = await Aedes.createBroker(createHooks({ options, gate, handlers, counters, sessions, onDone }))
      scope.defer(() => closeBroker(started))
      started.on('unsubscribe', (filters, client) => {
        if (client.clean) sessions.book.unsubscribe(sessions.book.of(client), filters)
      })
      started.on('connackSent', ({ returnCode }, client) => {
        if (returnCode !== 0) return
        sessions.attach(client)
        intakes.get(client.conn)?.opened()
      })
      started.on('subscribe', (subscriptions, client) => forgetSuperseded(subscriptions, client))
      views.serve(started, sessions.exchange)
      logEvents(started, log)
      listeners = await openListeners({ ...options, pods: options.forPods, counters, accept }, scope)
      ports = listeners
      scope.use(counters.connections.follow(() => started.connectedClients))
      scope.run((signal) => gate.follow(signal))
      broker = started
      exchange = sessions.exchange
      await options.onListening?.()

      function accept(connection: Duplex, peer: Peer, request?: IncomingMessage): void {
        const intake = new Intake(connection, {
          maxPacketBytes: options.maxPacketBytes,
          maxInHand: sessions.limits.maxInflight,
          onRefused: (reason, detail) => {
            counters.refused.add(1, { reason })
            log.warn(REFUSED[reason], { address: peer.address, detail, maxPacketBytes: options.maxPacketBytes })
          },
        })
        intakes.set(connection, intake)
        gatherWrites(connection)
        gate.expect(connection, peer)
        started.handle(connection, request)
      }
    },
  }
}

function sessionRights(gate: Gate) {
  return {
    mayReceive: (client: Client, topic: string) => gate.of(client).rights.mayHear(topic),
    mayKeep: (user: string, topic: string) => user === '' || gate.rightsOf(user).mayHear(topic),
    clientOf: (id: string) => gate.clientOf(id),
    userOf: (id: string) => gate.userOf(id),
  }
}

function createGate(options: EmbeddedBrokerOptions, counters: Counters): Gate {
  const { anonymous, anonymousRemote = 'none', clients = [], passwordFile, folder, loginLimits, recheck } = options
  const { inner, accounts } = options
  const path = passwordFile ?? (folder === undefined ? undefined : join(folder, 'passwords'))
  return new Gate({
    ...{ anonymous, anonymousRemote, clients, inner, accounts, clock: options.clock, log: options.log, counters },
    passwordFile: path === undefined ? undefined : { path, isNamed: passwordFile !== undefined },
    maxConnectionsPerUser: options.maxConnectionsPerUser,
    maxConnectionsPerPod: options.maxConnectionsPerPod,
    ...(loginLimits === undefined ? {} : { limits: loginLimits }),
    ...(recheck === undefined ? {} : { recheck }),
  })
}

function closeBroker(broker: Aedes): Promise<void> {
  return new Promise((resolve) => broker.close(resolve))
}

/** What stands for repeated filters was answered; it must not stay with the client. */
function forgetSuperseded(subscriptions: readonly Subscription[], client: Client): void {
  const held: unknown = Reflect.get(client, 'subscriptions')
  if (typeof held !== 'object' || held === null) return
  for (const { topic } of subscriptions) if (topic.startsWith(SUPERSEDED)) Reflect.deleteProperty(held, topic)
}

function logEvents(broker: Aedes, log: Logger): void {
  // The types of aedes do not know it, but an error of its memory comes this way, and would end the process unheard.
  const emitter: EventEmitter = broker
  emitter.on('error', (error: unknown) => log.error('The MQTT broker failed inside', { error }))
  broker.on('clientError', (client, error) => log.debug('An MQTT client failed', { client: client.id, error }))
  broker.on('connectionError', (_client, error) => log.debug('An MQTT connection failed', { error }))
}

function unavailable(): UnavailableError {
  return new UnavailableError('The MQTT broker is not running', { code: 'PLATFORM_MQTT_CLOSED' })
}
