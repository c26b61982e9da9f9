import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, ms, type Random, seconds } from '../../../platform/time/index.ts'
import { type Frame, HELD_BOUND, parseMessages } from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import type { Road } from '../road.ts'
import { compareWithCloud } from './compare.ts'
import type { Outbox, Room, Stored } from './outbox.ts'

/**
 * What the cloud of the moment says to one message. taken: it has it, and will say when it is done. done: it need not be kept.
 * refused: it is not wanted. again: not now.
 */
export type Outcome = 'taken' | 'done' | 'refused' | 'again'

export interface SenderPorts<Message extends Stored> {
  readonly outbox: Outbox<Message>
  readonly frames: FrameFactory
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

export interface SenderKind<Message> {
  /** In the plural, for the log. */
  readonly what: string
  /** Module that speaks. */
  readonly source: string
  /** Of one line, under way at a time. */
  window(road: Road): Room
  /** Sends it once; a rejection is `again`. */
  send(message: Message, road: Road): Promise<Outcome>
  count(outcome: Outcome, count: number): void
}

const REST = { first: ms(500), most: seconds(60) }

/**
 * Takes what an outbox has to the cloud while there is one: each line in its order, others beside it. What the cloud has taken is kept
 * until it says that it is done, and is sent again to a cloud that does not have it, before all that came later. After a failure everything of
 * the line from the first message on that is not settled is sent again, so that none overtakes another.
 */
export class OutboxSender<Message extends Stored> {
  readonly #ports: SenderPorts<Message>
  readonly #kind: SenderKind<Message>
  /** Lines that are being sent. */
  readonly #lines = new Map<string, Promise<void>>()
  #road: Road | undefined
  /** The road whose cloud is known to have what it took. */
  #ready: Road | undefined
  #comparing: Promise<void> = Promise.resolve()

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
    const { outbox } = this.#ports
    this.#comparing = compareWithCloud(this.#ports, { outbox, source: this.#kind.source }, road).then(() => {
      if (this.road !== road) return
      this.#ready = road
      this.pump()
      return this.#tidy(road)
    })
  }

  disconnected(road: Road): void {
    if (this.#road === road) this.#road = undefined
  }

  /** The cloud says what is done. The reply says whether that is on disk here. */
  async takeDone(frame: Frame): Promise<Frame> {
    const { outbox, frames } = this.#ports
    const messages = parseMessages(frame.content)
    if (!messages) return frames.refuse(frame, `skerry.messages has to be a list of at most ${HELD_BOUND} ids`)
    try {
      await outbox.done(messages)
      return frames.reply(frame, 'OK')
    } catch (error) {
      return frames.refuse(frame, describeError(error))
    }
  }

  /** Settles when nothing is under way any more. */
  async close(): Promise<void> {
    this.#road = undefined
    await this.#comparing
    await Promise.allSettled(this.#lines.values())
  }

  /** There may be more to send. */
  pump(): void {
    if (!this.#open) return
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

  /** The road, once it may be sent on. */
  get #open(): Road | undefined {
    return this.road === this.#ready ? this.road : undefined
  }

  /** What the disk would not remove while an earlier link ended: nothing is sent for its sake any more, so nothing else would try. */
  async #tidy(road: Road): Promise<void> {
    const { outbox, random, clock, log } = this.#ports
    const backoff = new Backoff(REST, random)
    while (this.road === road) {
      try {
        return await outbox.flush()
      } catch (error) {
        log.debug(`${this.#kind.what} that the cloud has got are still on disk`, { error: describeError(error) })
        await clock.sleep(backoff.next(), road.signal).catch(() => undefined)
      }
    }
  }

  /** Until nothing of it waits or the link goes. */
  async #sendLine(line: string): Promise<void> {
    const { outbox, random, clock, log } = this.#ports
    const backoff = new Backoff(REST, random)
    for (let road = this.#open; road; road = this.#open) {
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
    outbox.sending(batch)
    const outcomes = await Promise.all(batch.map((message) => this.#sendOne(message, road)))
    const failed = outcomes.indexOf('again')
    const settled = failed < 0 ? batch : batch.slice(0, failed)
    const those = (wanted: Outcome) => settled.filter((_message, at) => outcomes[at] === wanted)
    const [taken, done, refused] = [those('taken'), those('done'), those('refused')]
    outbox.taken(taken)
    this.#kind.count('taken', taken.length)
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
