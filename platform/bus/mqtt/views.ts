import { Readable } from 'node:stream'
import type { Aedes, Client } from 'aedes'
import { BugError } from '../../lifecycle/errors.ts'
import type { Logger } from '../../log/logger.ts'
import type { EventBus, RetainedMessage, RetainedView, ViewHandle } from '../event-bus.ts'
import type { Exchange } from './sessions/exchange.ts'

type Patterns = readonly string[]

/** What the broker's memory does, as far as views join in. */
interface Persistence {
  createRetainedStreamCombi(patterns: Patterns): AsyncIterable<object>
}

/**
 * Retained messages that are made when a client subscribes. They go out one by one, each as the client's socket takes the one
 * before, at QoS 0; the payload is read last, so that a change that was told meanwhile is not followed by an older value.
 */
export class Views {
  readonly #log: Logger
  readonly #views = new Map<string, RetainedView>()
  #exchange: Exchange | undefined

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
    const reaches = () => this.#exchange?.reaches(first) === true
    return {
      get hasWatchers() {
        return reaches()
      },
      isWatched: (topic) => this.#exchange?.hears(topic) === true,
      show: (topic, payload) => {
        bus.publish(topic, payload, { qos: 1, retain: false }).catch((error: unknown) => {
          this.#log.debug('A change of a retained view was not sent', { topic, error })
        })
      },
      [Symbol.dispose]: () => void this.#views.delete(prefix),
    }
  }

  /** Joins a broker that has started, after whatever else wraps its memory. */
  serve(broker: Aedes, exchange: Exchange): void {
    const memory = persistenceOf(broker)
    this.#exchange = exchange
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
      for await (const message of stored) {
        await this.#room(client)
        if (client?.closed) return
        yield message
      }
      for await (const message of this.#messages(patterns)) {
        await this.#room(client)
        // Who has left needs no more, and the broker would go on to the end.
        if (client?.closed) return
        yield packetOf(message)
      }
    } catch (error) {
      // Nobody else hears of it, and it would end the process.
      this.#log.error('Retained messages could not be read', { error })
    }
  }

  #room(client: Client | undefined): Promise<void> | undefined {
    return client?.closed === false ? this.#exchange?.room(client) : undefined
  }

  async *#messages(patterns: Patterns) {
    for (const view of this.#views.values()) for (const pattern of patterns) yield* view.messages(pattern)
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

/** The broker has it, its types do not say so. */
function persistenceOf(broker: object): Persistence
function persistenceOf(broker: object): unknown {
  return Reflect.get(broker, 'persistence')
}
