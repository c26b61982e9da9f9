import { RefusedError } from '../../../lifecycle/errors.ts'
import type { Module, Scope } from '../../../lifecycle/module.ts'
import type { EventBus, ViewHandle } from '../../event-bus.ts'
import type { Handler } from '../handling.ts'
import { TopicTree } from '../topic-tree.ts'
import { readableByOthers } from './address.ts'
import { clientIdsOf } from './client-ids.ts'
import type { BrokerConnection, Dial, Receive } from './connection.ts'
import { createExternalCounters } from './counters.ts'
import { createDial } from './dial.ts'
import { Inbox } from './inbox.ts'
import { keepConnected } from './link.ts'
import { Mirror } from './mirror.ts'
import type { ExternalBrokerOptions } from './options.ts'
import { Outbox } from './outbox.ts'
import { type Role, Status } from './status.ts'
import { Subscriptions } from './subscriptions.ts'

export interface ExternalBroker extends Module {
  readonly eventBus: EventBus
}

/** Nobody looks at a view that is not kept. */
const UNSEEN: ViewHandle = {
  hasWatchers: false,
  isWatched: () => false,
  show: () => undefined,
  [Symbol.dispose]: () => undefined,
}

/**
 * EventBus on a broker that runs elsewhere, as KubeEdge uses it: one client that subscribes and one that publishes, so that a
 * message that is still being worked on holds no publishing up. Ready at once; while the broker cannot be reached that is shown
 * as pending. What is published goes out at QoS 1 and not retained, whatever the options say. Handlers stay over restarts.
 * Throws a ConfigError for settings that contradict each other.
 */
export function createExternalBroker(options: ExternalBrokerOptions): ExternalBroker {
  const { name = 'EventBus', clock, random, log, metrics, nodeName, address, maxPacketBytes, plainView } = options
  const { connected, waiting, received, refused, unsent, cleared } = createExternalCounters(metrics)
  const status = new Status(address.url)
  const handlers = new TopicTree<Handler>()
  const subscriptions = new Subscriptions({
    ...{ clock, log, refused },
    onChange: () => status.refuses(subscriptions.refused),
  })
  const inbox = new Inbox({ handlers, clock, log, received, refused })
  const outbox = new Outbox(clock, unsent)
  const mirrors = new Set<Mirror>()
  let publisher: BrokerConnection | undefined

  const ids = clientIdsOf(options, random)
  const makeDial = options.dial ?? createDial
  const linkTo = (role: Role) => ({
    ...{ clock, random, log: log.child({ url: address.url, client: ids[role] }) },
    dial: makeDial({ address, clientId: ids[role], maxPacketBytes, clock }) satisfies Dial,
    onState: (reason: string | undefined) => status.set(role, reason),
  })
  const subscribing = {
    ...linkTo('subscribe'),
    receive: (renew: () => void) => inbox.open(renew),
    onConnected: (connection: BrokerConnection) => subscriptions.connected(connection),
    onDisconnected() {
      subscriptions.disconnected()
      status.refuses([])
    },
  }
  const publishing = {
    ...linkTo('publish'),
    receive: (): Receive => (message, receipt) => {
      for (const mirror of mirrors) mirror.hear(message)
      receipt.acknowledge()
      receipt.proceed()
    },
    onConnected(connection: BrokerConnection) {
      publisher = connection
      outbox.connected(connection)
      for (const mirror of mirrors) mirror.connected(connection)
    },
    onDisconnected() {
      publisher = undefined
      for (const mirror of mirrors) mirror.disconnected()
      outbox.disconnected()
    },
    onStopping: () => outbox.idle(),
  }

  const eventBus: EventBus = {
    // Who is subscribed there only the broker knows.
    isWatched: () => true,
    publish: (topic, payload) =>
      isTopic(topic) ? outbox.publish({ topic, payload, retain: false }) : Promise.reject(notATopic(topic)),
    handle(filter, handler) {
      // One wrapper per call, so that the same function may be registered twice.
      const own: Handler = (message) => handler(message)
      handlers.add(filter, own)
      subscriptions.add(filter)
      return {
        [Symbol.dispose]() {
          if (handlers.remove(filter, own)) subscriptions.remove(filter)
        },
      }
    },
    view(_prefix, view) {
      if (!plainView) return UNSEEN
      const mirror = new Mirror({ nodeName, view, outbox, clock, cleared })
      mirrors.add(mirror)
      if (publisher) mirror.connected(publisher)
      return mirror.handle(() => void mirrors.delete(mirror))
    },
  }

  return {
    name,
    eventBus,
    async start(scope: Scope) {
      status.follow(scope)
      for (const role of ['subscribe', 'publish'] as const) {
        scope.use(connected.follow(() => (status.isUp(role) ? 1 : 0), { role }))
      }
      scope.use(waiting.follow(() => outbox.waiting))
      outbox.open()
      scope.defer(() => outbox.close())
      for (const file of await readableByOthers(address)) {
        log.warn('Others on this machine can read a secret of the MQTT broker', { file })
      }
      scope.run((signal) => keepConnected(subscribing, signal))
      scope.run((signal) => keepConnected(publishing, signal))
    },
  }
}

/** MQTT 3.1.1 §4.7: a broker ends the connection over anything else. */
function isTopic(topic: string): boolean {
  return topic !== '' && !/[+#\0]/.test(topic) && Buffer.byteLength(topic) <= 65_535
}

function notATopic(topic: string): RefusedError {
  return new RefusedError('Nothing can be published on such a topic', {
    code: 'PLATFORM_MQTT_TOPIC',
    fields: { topic: topic.slice(0, 200) },
  })
}
