import { isMatch } from '../topic-tree.ts'
import type { SessionLimits } from './limits.ts'

export interface RetainedMessage {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: 0 | 1 | 2
}

/** The last retained message of each topic (MQTT 3.1.1 §3.3.1.3). */
export class Retained {
  readonly #limits: Pick<SessionLimits, 'maxRetained' | 'maxRetainedBytes'>
  readonly #byTopic = new Map<string, RetainedMessage>()
  #bytes = 0

  constructor(limits: Pick<SessionLimits, 'maxRetained' | 'maxRetainedBytes'>) {
    this.#limits = limits
  }

  get size(): number {
    return this.#byTopic.size
  }

  /** An empty payload removes. `full`: there is no room for one more topic, and nothing is kept. */
  set(message: RetainedMessage): 'put' | 'removed' | 'none' | 'full' {
    const { topic, payload } = message
    const before = this.#byTopic.get(topic)
    const bytes = this.#bytes - sizeOf(before)
    if (payload.length === 0) {
      this.#byTopic.delete(topic)
      this.#bytes = bytes
      return before ? 'removed' : 'none'
    }
    const isTooMuch = bytes + sizeOf(message) > this.#limits.maxRetainedBytes
    if (isTooMuch || (!before && this.#byTopic.size >= this.#limits.maxRetained)) return 'full'
    this.#byTopic.set(topic, message)
    this.#bytes = bytes + sizeOf(message)
    return 'put'
  }

  *matching(filter: string): Generator<RetainedMessage> {
    if (!filter.includes('+') && !filter.includes('#')) {
      const found = this.#byTopic.get(filter)
      if (found) yield found
      return
    }
    for (const message of this.#byTopic.values()) if (isMatch(filter, message.topic)) yield message
  }
}

function sizeOf(message: RetainedMessage | undefined): number {
  return message ? message.topic.length + message.payload.length + 64 : 0
}
