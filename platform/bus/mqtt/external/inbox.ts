import type { Counter } from '../../../health/metrics.ts'
import type { Logger } from '../../../log/logger.ts'
import { type Clock, seconds } from '../../../time/index.ts'
import { isOfEdge } from '../access/topics.ts'
import { type Handler, Handling } from '../handling.ts'
import type { TopicTree } from '../topic-tree.ts'
import type { Incoming, Receipt, Receive } from './connection.ts'

export interface InboxOptions {
  readonly handlers: TopicTree<Handler>
  readonly clock: Clock
  readonly log: Logger
  readonly received: Counter
  /** Label `reason`. */
  readonly refused: Counter
}

/** While more is worked on the broker is held up. */
const MAX_MESSAGES = 1000
const MAX_BYTES = 4 * 1024 * 1024
/**
 * A broker counts a message without its receipt as on its way until the connection ends, and lets few of them be: a connection
 * that withholds one is made anew after this time.
 */
const RENEW_AFTER = seconds(5)

/** What the broker sent, on its way to the handlers. Handlers start, and receipts are given, in the order of the messages. */
export class Inbox {
  readonly #options: InboxOptions
  readonly #handling: Handling
  #messages = 0
  #bytes = 0
  /** Connections that are held up. */
  #waiting: (() => void)[] = []

  constructor(options: InboxOptions) {
    this.#options = options
    this.#handling = new Handling(options.clock)
  }

  /** For one connection; `renew` asks to replace it. */
  open(renew: () => void): Receive {
    let before = Promise.resolve()
    let isRenewing = false
    return (message, receipt) => {
      const handling = this.#take(message)
      before = this.#answer(before, handling, receipt, () => {
        if (!isRenewing) this.#options.clock.after(RENEW_AFTER, renew)
        isRenewing = true
      })
      if (this.#hasRoom()) receipt.proceed()
      else this.#waiting.push(() => receipt.proceed())
    }
  }

  async #answer(before: Promise<void>, handling: Promise<boolean>, receipt: Receipt, withhold: () => void) {
    const isTaken = await handling
    await before
    if (isTaken) receipt.acknowledge()
    else withhold()
  }

  /** False when a handler failed. */
  async #take(message: Incoming): Promise<boolean> {
    const { handlers, refused, received } = this.#options
    if (isOfEdge(message.topic)) {
      refused.add(1, { reason: 'topic' })
      return true
    }
    received.add()
    const found = handlers.match(message.topic)
    if (found.length === 0) return true
    const bytes = message.payload.length + message.topic.length
    this.#messages++
    this.#bytes += bytes
    try {
      return await this.#handle(found, message)
    } finally {
      this.#messages--
      this.#bytes -= bytes
      while (this.#hasRoom()) {
        const next = this.#waiting.shift()
        if (!next) break
        next()
      }
    }
  }

  async #handle(found: readonly Handler[], message: Incoming): Promise<boolean> {
    const { log, refused } = this.#options
    try {
      await this.#handling.take(found, message)
      return true
    } catch (error) {
      refused.add(1, { reason: 'handler' })
      log.warn('An MQTT message was not taken; its receipt is withheld', { topic: message.topic, error })
      return false
    }
  }

  #hasRoom(): boolean {
    return this.#messages < MAX_MESSAGES && this.#bytes < MAX_BYTES
  }
}
