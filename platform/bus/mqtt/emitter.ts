import type { Logger } from '../../log/logger.ts'
import { type Clock, type Duration, ms } from '../../time/index.ts'
import { TopicTree } from './topic-tree.ts'

/** What the broker hands to a subscription; `done` is called when the socket has taken it. */
export type Deliver<M> = (message: M, done: () => void) => void
type Done = (error?: Error) => void

export interface EmitterOptions {
  readonly clock: Clock
  readonly log: Logger
  /** How long a message waits for one subscription. One that needs longer is not waited for until it has caught up. */
  readonly patience?: Duration
}

/**
 * The broker's inner distribution, in the shape that aedes expects of `mq`. A publisher is paced by its subscribers, but a
 * stalled one holds it once, for `patience`. Nothing is queued here and callbacks are drained in a loop, so that any number of
 * them may come at once, as when a subscriber with a backlog leaves.
 */
export class Emitter<M extends { readonly topic: string }> {
  /** Asked for by aedes; there is no limit, since no message waits here. */
  readonly concurrency = 0
  closed = false
  readonly #clock: Clock
  readonly #log: Logger
  readonly #patience: Duration
  readonly #tree = new TopicTree<Subscription<M>>()
  readonly #subscriptions = new Map<Deliver<M>, Map<string, Subscription<M>>>()
  readonly #awaited = new Set<Subscription<M>>()
  readonly #ready: (() => void)[] = []
  #draining = false
  #timer: Disposable | undefined

  constructor({ clock, log, patience = ms(250) }: EmitterOptions) {
    this.#clock = clock
    this.#log = log
    this.#patience = patience
  }

  on(filter: string, deliver: Deliver<M>, done?: Done): this {
    const own = this.#subscriptions.get(deliver) ?? new Map<string, Subscription<M>>()
    this.#subscriptions.set(deliver, own)
    if (!own.has(filter)) {
      const subscription = { deliver, flights: new Map(), open: 0, late: false }
      own.set(filter, subscription)
      this.#tree.add(filter, subscription)
    }
    if (done) setImmediate(done)
    return this
  }

  removeListener(filter: string, deliver: Deliver<M>, done?: Done): this {
    // Not at once: the broker removes while it tells, and counts on that.
    setImmediate(() => {
      const own = this.#subscriptions.get(deliver)
      const subscription = own?.get(filter)
      if (own && subscription) {
        own.delete(filter)
        if (own.size === 0) this.#subscriptions.delete(deliver)
        this.#tree.remove(filter, subscription)
        this.#letGo(subscription)
        this.#drain()
      }
      done?.()
    })
    return this
  }

  emit(message: M, done: Done = () => undefined): this {
    if (this.closed) {
      this.#ready.push(() => done(new Error('the broker is closed')))
    } else {
      const flight = { open: 1, startedMs: this.#clock.monotonic(), done }
      for (const subscription of this.#tree.match(message.topic)) this.#send(subscription, message, flight)
      this.#land(flight)
    }
    this.#drain()
    return this
  }

  /** Whether a message on this topic would go to somebody. */
  hears(topic: string): boolean {
    return this.#tree.match(topic).length > 0
  }

  /** Whether a message on some topic with this first level could go to somebody. */
  reaches(first: string): boolean {
    return this.#tree.reaches(first)
  }

  close(done: Done): this {
    this.closed = true
    this.#timer?.[Symbol.dispose]()
    for (const subscription of [...this.#awaited]) this.#letGo(subscription)
    this.#drain()
    setImmediate(done)
    return this
  }

  #send(subscription: Subscription<M>, message: M, flight: Flight): void {
    const waits = !subscription.late
    const key = {}
    subscription.open++
    if (waits) {
      flight.open++
      subscription.flights.set(key, flight)
      this.#awaited.add(subscription)
      this.#watchTime()
    }
    const settle = () => {
      if (!settled) subscription.open--
      settled = true
      if (subscription.open === 0) subscription.late = false
      if (subscription.flights.delete(key)) {
        if (subscription.flights.size === 0) this.#awaited.delete(subscription)
        this.#land(flight)
        this.#drain()
      }
    }
    let settled = false
    try {
      subscription.deliver(message, settle)
    } catch (error) {
      this.#log.error('A subscription of the broker threw', { error })
      settle()
    }
  }

  #land(flight: Flight): void {
    flight.open--
    if (flight.open === 0) this.#ready.push(flight.done)
  }

  #letGo(subscription: Subscription<M>): void {
    this.#awaited.delete(subscription)
    const flights = [...subscription.flights.values()]
    subscription.flights.clear()
    for (const flight of flights) this.#land(flight)
  }

  #drain(): void {
    if (this.#draining) return
    this.#draining = true
    try {
      // By index: shifting a long array one by one is quadratic.
      for (let i = 0; i < this.#ready.length; i++) this.#call(this.#ready[i])
    } finally {
      this.#ready.length = 0
      this.#draining = false
    }
  }

  #call(done: (() => void) | undefined): void {
    try {
      done?.()
    } catch (error) {
      this.#log.error('A publisher of the broker threw', { error })
    }
  }

  #watchTime(): void {
    this.#timer ??= this.#clock.after(this.#patience, () => {
      this.#timer = undefined
      const before = this.#clock.monotonic() - this.#patience.milliseconds
      for (const subscription of [...this.#awaited]) {
        const oldest = subscription.flights.values().next().value
        if (!oldest || oldest.startedMs > before) continue
        subscription.late = true
        this.#letGo(subscription)
      }
      if (this.#awaited.size > 0) this.#watchTime()
      this.#drain()
    })
  }
}

interface Flight {
  /** Subscriptions that still have to take the message, and one for the sending itself. */
  open: number
  readonly startedMs: number
  readonly done: () => void
}

interface Subscription<M> {
  readonly deliver: Deliver<M>
  /** Messages that wait for it, oldest first. */
  readonly flights: Map<object, Flight>
  /** Messages that it has not taken, waited for or not. */
  open: number
  late: boolean
}
