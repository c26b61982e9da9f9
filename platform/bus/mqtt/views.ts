import { Readable } from 'node:stream'
import type { Aedes, AedesPublishPacket, Client, Subscription } from 'aedes'
import { BugError } from '../../lifecycle/errors.ts'
import type { Logger } from '../../log/logger.ts'
import type { EventBus, RetainedMessage, RetainedView, ViewHandle } from '../event-bus.ts'
import type { Emitter } from './emitter.ts'
import { TopicTree } from './topic-tree.ts'

type Patterns = readonly string[]

/** What the broker's memory does, as far as views join in. */
interface Persistence {
  createRetainedStreamCombi(patterns: Patterns): AsyncIterable<object>
  addSubscriptions(client: Client, subscriptions: readonly Subscription[]): Promise<void>
  removeSubscriptions(client: Client, filters: Patterns): Promise<void>
  cleanSubscriptions(client: Client): Promise<void>
}

/**
 * Retained messages that are made when a client subscribes. They go out one by one, each as the client's socket takes the one
 * before, at QoS 0; the payload is read last, so that a change that was told meanwhile is not followed by an older value.
 */
export class Views {
  readonly #log: Logger
  readonly #views = new Map<string, RetainedView>()
  #emitter: Emitter<AedesPublishPacket> | undefined
  #sessions = new SessionFilters()

  constructor(log: Logger) {
    this.#log = log
  }

  /** Its changes are published on the bus at QoS 1. It stays over restarts of the broker. */
  open(prefix: string, view: RetainedView, bus: Pick<EventBus, 'publish'>): ViewHandle {
    if (this.#views.has(prefix)) {
      throw new BugError('Two views have one prefix', { code: 'PLATFORM_MQTT_TWO_VIEWS', fields: { prefix } })
    }
    this.#views.set(prefix, view)
    const [first = prefix] = prefix.split('/', 1)
    const reaches = () => this.#emitter?.reaches(first) === true || this.#sessions.tree.reaches(first)
    return {
      get hasWatchers() {
        return reaches()
      },
      isWatched: (topic) => this.#emitter?.hears(topic) === true || this.#sessions.tree.match(topic).length > 0,
      show: (topic, payload) => {
        bus.publish(topic, payload, { qos: 1 }).catch((error: unknown) => {
          this.#log.debug('A change of a retained view was not sent', { topic, error })
        })
      },
      [Symbol.dispose]: () => void this.#views.delete(prefix),
    }
  }

  /** Joins a broker that has started, after whatever else wraps its memory. */
  serve(broker: Aedes): void {
    const memory = persistenceOf(broker)
    this.#emitter = emitterOf(broker)
    this.#sessions = new SessionFilters()
    this.#sessions.follow(memory)
    const stored = memory.createRetainedStreamCombi.bind(memory)
    let asking: Client | undefined
    // The broker tells who subscribes and asks for the retained messages in the same turn.
    broker.on('subscribe', (_subscriptions, client) => {
      asking = client
    })
    memory.createRetainedStreamCombi = (patterns) => {
      const client = asking
      return Readable.from(this.#combine(stored(patterns), patterns, client), { highWaterMark: 1 })
    }
  }

  async *#combine(stored: AsyncIterable<object>, patterns: Patterns, client: Client | undefined) {
    try {
      yield* stored
      for await (const message of this.#messages(patterns)) {
        // Who has left needs no more, and the broker would go on to the end.
        if (client?.closed) return
        yield packetOf(message)
      }
    } catch (error) {
      // Nobody else hears of it, and it would end the process.
      this.#log.error('Retained messages could not be read', { error })
    }
  }

  async *#messages(patterns: Patterns) {
    for (const view of this.#views.values()) for (const pattern of patterns) yield* view.messages(pattern)
  }
}

/** Filters of sessions at QoS 1 and 2: they hear of what happens while their clients are away. */
class SessionFilters {
  readonly tree = new TopicTree<string>()
  readonly #ofClient = new Map<string, Set<string>>()

  follow(memory: Persistence): void {
    const addSubscriptions = memory.addSubscriptions.bind(memory)
    const removeSubscriptions = memory.removeSubscriptions.bind(memory)
    const cleanSubscriptions = memory.cleanSubscriptions.bind(memory)
    memory.addSubscriptions = async (client, subscriptions) => {
      await addSubscriptions(client, subscriptions)
      for (const { topic, qos } of subscriptions) this.#set(client.id, topic, qos > 0)
    }
    memory.removeSubscriptions = async (client, filters) => {
      await removeSubscriptions(client, filters)
      for (const filter of filters) this.#set(client.id, filter, false)
    }
    memory.cleanSubscriptions = async (client) => {
      await cleanSubscriptions(client)
      for (const filter of [...(this.#ofClient.get(client.id) ?? [])]) this.#set(client.id, filter, false)
    }
  }

  #set(id: string, filter: string, isThere: boolean): void {
    const own = this.#ofClient.get(id) ?? new Set()
    if (own.has(filter) === isThere) return
    if (isThere) {
      this.#ofClient.set(id, own.add(filter))
      this.tree.add(filter, id)
    } else {
      own.delete(filter)
      if (own.size === 0) this.#ofClient.delete(id)
      this.tree.remove(filter, id)
    }
  }
}

function packetOf(message: RetainedMessage): object {
  return {
    ...{ cmd: 'publish', topic: message.topic, qos: 0, retain: true, dup: false },
    get payload() {
      const { payload } = message
      return typeof payload === 'string' ? Buffer.from(payload) : payload
    },
  }
}

/** The broker has both, its types do not say so. */
function persistenceOf(broker: object): Persistence
function persistenceOf(broker: object): unknown {
  return Reflect.get(broker, 'persistence')
}

function emitterOf(broker: object): Emitter<AedesPublishPacket>
function emitterOf(broker: object): unknown {
  return Reflect.get(broker, 'mq')
}
