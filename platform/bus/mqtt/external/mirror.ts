import type { Counter } from '../../../health/metrics.ts'
import { describeError } from '../../../lifecycle/errors.ts'
import { type Clock, seconds } from '../../../time/index.ts'
import type { RetainedMessage, RetainedView, ViewHandle } from '../../event-bus.ts'
import type { BrokerConnection, Incoming } from './connection.ts'
import { Leftovers } from './leftovers.ts'
import { isEmpty, Markers } from './markers.ts'
import type { Outbox } from './outbox.ts'

export interface MirrorOptions {
  readonly nodeName: string
  readonly view: RetainedView
  readonly outbox: Outbox
  readonly clock: Clock
  /** Retained messages that were cleared because nothing stands behind them any more. */
  readonly cleared: Counter
}

type Payload = string | Uint8Array

/** Together; other messages go between. */
const MAX_IN_FLIGHT = 32
const RETRY = seconds(1)

/**
 * A view that is kept at a broker as retained messages. After each connect all of them are sent, at the pace of the broker, and
 * what an earlier life left is cleared; changes overtake what is still to be sent, and of one topic only the latest goes out.
 */
export class Mirror {
  readonly #options: MirrorOptions
  readonly #markers: Markers
  readonly #leftovers: Leftovers
  /** Changed topics; undefined is read when it is sent. */
  readonly #changed = new Map<string, Payload | undefined>()
  #connection: BrokerConnection | undefined
  #inFlight = 0
  #wake: () => void = () => undefined

  constructor(options: MirrorOptions) {
    this.#options = options
    this.#markers = new Markers(options.nodeName)
    this.#leftovers = new Leftovers({
      clock: options.clock,
      markers: this.#markers,
      view: options.view,
      clear: (topic) => {
        options.cleared.add()
        this.#change(topic, '')
      },
    })
  }

  /** Disposing leaves at the broker what is there. */
  handle(onDispose: () => void): ViewHandle {
    const isUp = () => this.#connection !== undefined
    return {
      get hasWatchers() {
        return isUp()
      },
      isWatched: isUp,
      show: (topic, payload) => this.#change(topic, payload),
      [Symbol.dispose]: () => {
        this.disconnected()
        onDispose()
      },
    }
  }

  connected(connection: BrokerConnection): void {
    this.#connection = connection
    this.#markers.forget()
    void this.#serve(connection).catch((error: unknown) => connection.abort(describeError(error)))
    void this.#leftovers.clear(connection)
  }

  disconnected(): void {
    this.#connection = undefined
    this.#changed.clear()
    this.#wake()
  }

  /** What the broker sends to the connection that publishes. */
  hear(message: Incoming): void {
    this.#leftovers.hear(message)
  }

  #change(topic: string, payload: Payload | undefined): void {
    if (!this.#connection) return
    this.#changed.set(topic, payload)
    this.#wake()
  }

  async #serve(connection: BrokerConnection): Promise<void> {
    const rest = iteratorOf(this.#options.view.messages('#'))
    let isDone = false
    while (this.#connection === connection) {
      const [change] = this.#changed
      if (this.#inFlight >= MAX_IN_FLIGHT || (!change && isDone)) await this.#woken()
      else if (change) await this.#sendChange(...change)
      else {
        const next = await rest.next()
        isDone = next.done === true
        // A change that came while this one was on its way is the later one.
        if (!next.done && !this.#changed.has(next.value.topic))
          await this.#send(next.value.topic, () => next.value.payload)
      }
    }
    if (!isDone) await rest.return?.()
  }

  async #sendChange(topic: string, given: Payload | undefined): Promise<void> {
    const payload = given ?? (await this.#current(topic))
    // While it was read it may have changed again.
    if (given === undefined && this.#changed.get(topic) !== undefined) return
    this.#changed.delete(topic)
    await this.#send(topic, () => payload)
  }

  async #send(topic: string, payloadOf: () => Payload): Promise<void> {
    const payload = payloadOf()
    // Before what it stands for, and after it is gone: a life that ends in between leaves nothing unmarked.
    const marker = payload.length > 0 ? this.#markers.mark(topic) : undefined
    if (marker !== undefined) this.#publish(marker, '1')
    this.#publish(topic, payload)
    if (payload.length > 0 || !this.#markers.isMarked(topic)) return
    if (await isEmpty(this.#options.view, topic)) this.#publish(this.#markers.unmark(topic), '')
  }

  #publish(topic: string, payload: Payload): void {
    this.#inFlight++
    this.#options.outbox
      .publish({ topic, payload, retain: true })
      .catch(() => this.#again(topic))
      .finally(() => {
        this.#inFlight--
        this.#wake()
      })
  }

  /** Not at once: the way is full or gone. */
  #again(topic: string): void {
    const connection = this.#connection
    this.#options.clock.after(RETRY, () => {
      if (this.#connection === connection && !this.#changed.has(topic)) this.#change(topic, undefined)
    })
  }

  async #current(topic: string): Promise<Payload> {
    const marker = this.#markers.payloadOf(topic)
    if (marker !== undefined) return marker
    for await (const message of this.#options.view.messages(topic)) return message.payload
    return ''
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}

function iteratorOf(
  messages: Iterable<RetainedMessage> | AsyncIterable<RetainedMessage>,
): Iterator<RetainedMessage> | AsyncIterator<RetainedMessage> {
  return Symbol.asyncIterator in messages ? messages[Symbol.asyncIterator]() : messages[Symbol.iterator]()
}
