import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, ms, type Random, seconds } from '../../../platform/time/index.ts'
import type { Road } from '../road.ts'
import type { Outbox, Room, Stored } from './outbox.ts'

/** What the cloud of the moment says to one message. done: it answers for it. refused: it never will. again: not now. */
export type Outcome = 'done' | 'refused' | 'again'

export interface SenderPorts<Message extends Stored> {
  readonly outbox: Outbox<Message>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

export interface SenderKind<Message> {
  /** In the plural, for the log. */
  readonly what: string
  /** Of one line, under way at a time. */
  window(road: Road): Room
  /** Sends it once; a rejection is `again`. */
  send(message: Message, road: Road): Promise<Outcome>
  count(outcome: Outcome, count: number): void
}

const REST = { first: ms(500), most: seconds(60) }

/**
 * Takes what an outbox has to the cloud while there is one: each line in its order, others beside it. After a failure everything of
 * the line from the first message on that is not settled is sent again, so that none overtakes another.
 */
export class OutboxSender<Message extends Stored> {
  readonly #ports: SenderPorts<Message>
  readonly #kind: SenderKind<Message>
  /** Lines that are being sent. */
  readonly #lines = new Map<string, Promise<void>>()
  #road: Road | undefined

  constructor(ports: SenderPorts<Message>, kind: SenderKind<Message>) {
    this.#ports = ports
    this.#kind = kind
  }

  /** The cloud of the moment, if any. */
  get road(): Road | undefined {
    return this.#road?.signal.aborted === false ? this.#road : undefined
  }

  connected(road: Road): void {
    this.#road = road
    this.pump()
  }

  disconnected(road: Road): void {
    if (this.#road === road) this.#road = undefined
  }

  /** Settles when nothing is under way any more. */
  async close(): Promise<void> {
    this.#road = undefined
    await Promise.allSettled(this.#lines.values())
  }

  /** There may be more to send. */
  pump(): void {
    if (!this.road) return
    const { outbox } = this.#ports
    for (const line of outbox.lines) {
      if (this.#lines.has(line)) continue
      const sending = this.#sendLine(line).finally(() => {
        this.#lines.delete(line)
        // What came while the last look at the disk was under way.
        if (outbox.hasStored(line)) this.pump()
      })
      this.#lines.set(line, sending)
    }
  }

  /** Until nothing of it is left or the link goes. */
  async #sendLine(line: string): Promise<void> {
    const { outbox, random, clock, log } = this.#ports
    const backoff = new Backoff(REST, random)
    for (let road = this.road; road; road = this.road) {
      try {
        const batch = await outbox.peek(line, this.#kind.window(road))
        if (batch.length === 0) return
        if (await this.#sendBatch(batch, road)) {
          backoff.reset()
          continue
        }
      } catch (error) {
        log.debug(`${this.#kind.what} could not be sent`, { error: describeError(error) })
      }
      await clock.sleep(backoff.next(), road.signal).catch(() => undefined)
    }
  }

  /** Whether all of it is settled. */
  async #sendBatch(batch: readonly Message[], road: Road): Promise<boolean> {
    const { outbox, log } = this.#ports
    const outcomes = await Promise.all(batch.map((message) => this.#sendOne(message, road)))
    const failed = outcomes.indexOf('again')
    const settled = failed < 0 ? batch : batch.slice(0, failed)
    const those = (wanted: Outcome) => settled.filter((_message, at) => outcomes[at] === wanted)
    const [done, refused] = [those('done'), those('refused')]
    this.#kind.count('done', done.length)
    this.#kind.count('refused', refused.length)
    if (failed >= 0) this.#kind.count('again', outcomes.filter((each) => each === 'again').length)
    try {
      await outbox.remove(done)
      await outbox.refuse(refused)
    } catch (error) {
      log.warn(`${this.#kind.what} that the cloud has got could not be removed`, { error: describeError(error) })
    }
    return failed < 0
  }

  async #sendOne(message: Message, road: Road): Promise<Outcome> {
    try {
      return await this.#kind.send(message, road)
    } catch (error) {
      this.#ports.log.debug(`${this.#kind.what} are not taken by the cloud`, { error: describeError(error) })
      return 'again'
    }
  }
}
