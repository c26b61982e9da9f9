import type { EventBus, MqttMessage, ViewHandle } from '../../../../platform/bus/index.ts'

/** The broker of a gateway, without a network: a client that publishes waits for its receipt. */
export class SimulatedBroker implements EventBus {
  /** Answers on `.../result`, by the id of what was asked. */
  readonly #results = new Map<string, Record<string, unknown>>()
  readonly #handlers = new Map<string, (message: MqttMessage) => Promise<void>>()

  isWatched(topic: string): boolean {
    return topic.endsWith('/update/result')
  }

  async publish(_topic: string, payload: string | Uint8Array): Promise<void> {
    const message: Record<string, unknown> = JSON.parse(Buffer.from(payload).toString())
    this.#results.set(String(message['event_id']), message)
  }

  handle(filter: string, handler: (message: MqttMessage) => Promise<void>): Disposable {
    this.#handlers.set(filter, handler)
    return { [Symbol.dispose]: () => void this.#handlers.delete(filter) }
  }

  view(): ViewHandle {
    return {
      hasWatchers: false,
      isWatched: () => false,
      show: () => undefined,
      [Symbol.dispose]: () => undefined,
    }
  }

  /** Settles with true when the receipt is given; false: nobody is there to give one. */
  async send(topic: string, payload: string): Promise<boolean> {
    const handlers = [...this.#handlers].filter(([filter]) => matches(filter, topic))
    const message = { topic, payload: Buffer.from(payload), qos: 1, retain: false, client: 'panel' } as const
    await Promise.all(handlers.map(([, handler]) => handler(message)))
    return handlers.length > 0
  }

  /** What was answered to the request of this id, once. */
  resultOf(eventId: string): Readonly<Record<string, unknown>> | undefined {
    const result = this.#results.get(eventId)
    this.#results.delete(eventId)
    return result
  }
}

function matches(filter: string, topic: string): boolean {
  const parts = topic.split('/')
  const wanted = filter.split('/')
  const isOpen = wanted.at(-1) === '#' && parts.length >= wanted.length - 1
  return (
    (isOpen || wanted.length === parts.length) &&
    wanted.every((part, index) => part === '#' || part === '+' || part === parts[index])
  )
}
