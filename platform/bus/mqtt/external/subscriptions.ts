import type { Counter } from '../../../health/metrics.ts'
import { describeError } from '../../../lifecycle/errors.ts'
import type { Logger } from '../../../log/logger.ts'
import { type Clock, seconds, withDeadline } from '../../../time/index.ts'
import type { BrokerConnection } from './connection.ts'

export interface SubscriptionsOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Label `reason`. */
  readonly refused: Counter
  readonly onChange: () => void
}

const ANSWER_DEADLINE = seconds(10)

/** The filters that handlers want, and what the broker says to each. Filters may come and go while a connection stands. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions
  /** How many want each. */
  readonly #wanted = new Map<string, number>()
  #standing: Standing | undefined

  constructor(options: SubscriptionsOptions) {
    this.#options = options
  }

  /** Filters that the broker refused on this connection. */
  get refused(): readonly string[] {
    return [...(this.#standing?.answers ?? [])].filter(([, isGranted]) => !isGranted).map(([filter]) => filter)
  }

  add(filter: string): void {
    const count = this.#wanted.get(filter) ?? 0
    this.#wanted.set(filter, count + 1)
    if (count === 0 && this.#standing) void this.#settle(filter, this.#standing)
  }

  remove(filter: string): void {
    const count = this.#wanted.get(filter) ?? 0
    if (count > 1) this.#wanted.set(filter, count - 1)
    else if (this.#wanted.delete(filter) && this.#standing) void this.#settle(filter, this.#standing)
  }

  /** Settles when the broker has answered for each. A broker that does not answer in time is disconnected. */
  async connected(connection: BrokerConnection): Promise<void> {
    const standing: Standing = { connection, answers: new Map(), busy: new Set() }
    this.#standing = standing
    await Promise.all([...this.#wanted.keys()].map((filter) => this.#settle(filter, standing)))
  }

  disconnected(): void {
    this.#standing = undefined
  }

  async #settle(filter: string, standing: Standing): Promise<void> {
    const { connection, answers, busy } = standing
    if (busy.has(filter)) return
    busy.add(filter)
    try {
      // What is wanted may have changed meanwhile.
      while (this.#standing === standing && this.#wanted.has(filter) !== answers.has(filter)) {
        await withDeadline(this.#options.clock, ANSWER_DEADLINE, undefined, () => this.#ask(filter, standing))
      }
    } catch (error) {
      connection.abort(describeError(error))
    } finally {
      busy.delete(filter)
    }
  }

  async #ask(filter: string, { connection, answers }: Standing): Promise<void> {
    const { log, refused, onChange } = this.#options
    if (!this.#wanted.has(filter)) {
      if (answers.get(filter)) await connection.unsubscribe(filter)
      answers.delete(filter)
    } else {
      const isGranted = await connection.subscribe(filter, 1)
      answers.set(filter, isGranted)
      if (!isGranted) {
        refused.add(1, { reason: 'subscription' })
        log.warn('The MQTT broker refuses a subscription', { filter })
      }
    }
    onChange()
  }
}

interface Standing {
  readonly connection: BrokerConnection
  /** False: refused. */
  readonly answers: Map<string, boolean>
  /** A filter is asked for by one at a time. */
  readonly busy: Set<string>
}
