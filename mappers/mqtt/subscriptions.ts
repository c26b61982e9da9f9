import type { MapperContext } from '../contract/index.ts'
import type { Client, Heard } from './client.ts'
import { TopicTree } from './topic-tree.ts'

/** What somebody listens to; disposing ends it. */
export interface Listening extends Disposable {
  /** Why the broker lets nobody listen there, or nothing. Never settles where the connection ends before. */
  readonly refusal: Promise<string | undefined>
}

export interface SubscriptionsOptions {
  readonly now: () => number
  readonly log: MapperContext['log']
  /** For a session that the broker keeps: its messages may come before anybody listens. */
  readonly keepsEarly: boolean
}

interface Listener {
  readonly hear: (heard: Heard) => void
  /** Topics of which it has heard something new: what the broker had kept is older. */
  readonly live: Set<string>
}

interface Book {
  qos: 0 | 1 | 2
  readonly listeners: Set<Listener>
  refusal: Promise<string | undefined>
}

interface Echo {
  readonly bytes: Uint8Array
  readonly until: number
}

const MOST_IN_ONE_PACKET = 200
const MOST_LIVE_TOPICS = 10_000
const MOST_ECHOES = 64
const ECHO_MS = 5000
const MOST_EARLY = 10_000
const MOST_EARLY_BYTES = 16_777_216

/**
 * Who listens to what, over one client: one subscription for each distinct filter, however many devices share it. What is
 * asked for in one turn goes in as few packets as possible.
 */
export class Subscriptions {
  readonly #books = new Map<string, Book>()
  readonly #tree = new TopicTree<Listener>()
  readonly #echoes = new Map<string, Echo[]>()
  readonly #now: () => number
  readonly #log: MapperContext['log']
  #client: Client | undefined
  #next: PromiseWithResolvers<ReadonlyMap<string, string | undefined>> | undefined
  readonly #changed = new Set<string>()
  #sending: Promise<void> | undefined
  /** What a kept session brings before anybody listens. */
  #early: Heard[] | undefined
  #earlyBytes = 0
  #lost = 0

  constructor({ now, log, keepsEarly }: SubscriptionsOptions) {
    this.#now = now
    this.#log = log
    if (keepsEarly) this.#early = []
  }

  get size(): number {
    return this.#books.size
  }

  attach(client: Client): void {
    this.#client = client
  }

  /** `isLive`: what the broker has kept is not wanted, so that nothing need be asked where it is subscribed already. */
  listen(filter: string, qos: 0 | 1 | 2, hear: (heard: Heard) => void, isLive = false): Listening {
    const listener: Listener = { hear, live: new Set() }
    const known = this.#books.get(filter)
    const book = known ?? { qos, listeners: new Set(), refusal: this.#change(filter) }
    this.#books.set(filter, book)
    book.listeners.add(listener)
    this.#tree.add(filter, listener)
    if (known && (!isLive || qos > known.qos)) {
      if (qos > known.qos) known.qos = qos
      known.refusal = this.#change(filter)
    }
    return {
      refusal: book.refusal,
      [Symbol.dispose]: () => {
        this.#tree.remove(filter, listener)
        if (!book.listeners.delete(listener) || book.listeners.size > 0) return
        this.#books.delete(filter)
        void this.#change(filter)
      },
    }
  }

  /** What this client publishes where it listens comes back to it once, and is nothing that a device said. */
  expectEcho(topic: string, payload: string | Uint8Array): void {
    if (this.#client?.isDeaf || this.#tree.match(topic).length === 0) return
    const now = this.#now()
    const list = (this.#echoes.get(topic) ?? []).filter(({ until }) => until > now)
    const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload
    this.#echoes.set(topic, [...list.slice(1 - MOST_ECHOES), { bytes, until: now + ECHO_MS }])
  }

  hear(heard: Heard): void {
    if (this.#early) {
      const bytes = this.#earlyBytes + heard.message.bytes.length
      if (this.#early.length >= MOST_EARLY || bytes > MOST_EARLY_BYTES) this.#lost++
      else {
        this.#earlyBytes = bytes
        this.#early.push(heard)
      }
      return
    }
    const { message } = heard
    if (!message.isRetained && this.#isEcho(message.topic, message.bytes)) return
    for (const listener of this.#tree.match(message.topic)) {
      if (!message.isRetained) listener.live.add(message.topic)
      else if (listener.live.has(message.topic) || listener.live.size > MOST_LIVE_TOPICS) continue
      listener.hear(heard)
    }
  }

  #isEcho(topic: string, bytes: Uint8Array): boolean {
    const list = this.#echoes.get(topic)
    if (!list) return false
    const now = this.#now()
    const at = list.findIndex((echo) => echo.until > now && equal(echo.bytes, bytes))
    if (at < 0) return false
    list.splice(at, 1)
    if (list.length === 0) this.#echoes.delete(topic)
    return true
  }

  #change(filter: string): Promise<string | undefined> {
    this.#changed.add(filter)
    this.#next ??= Promise.withResolvers()
    const { promise } = this.#next
    this.#sending ??= Promise.resolve().then(() => this.#send())
    return promise.then((refusals) => refusals.get(filter))
  }

  /** One round after the other: no broker can take leaving for coming back. Ends for good with the connection. */
  async #send(): Promise<void> {
    for (let next = this.#next; next; next = this.#next) {
      const changed = [...this.#changed]
      this.#next = undefined
      this.#changed.clear()
      const client = this.#client
      if (!client || client.gone.aborted) return
      const sending = this.#sendAll(client, changed)
      const early = this.#early ?? []
      this.#early = undefined
      if (this.#lost > 0) this.#log.warn('The MQTT broker had kept more messages than are held', { lost: this.#lost })
      this.#lost = 0
      for (const heard of early) this.hear(heard)
      next.resolve(await sending)
    }
    this.#sending = undefined
  }

  async #sendAll(client: Client, changed: readonly string[]): Promise<ReadonlyMap<string, string | undefined>> {
    const leaving = changed.filter((filter) => !this.#books.has(filter))
    await Promise.all(parts(leaving).map((part) => client.unsubscribe(part)))
    const refusals = new Map<string, string | undefined>()
    const byQos = Map.groupBy(changed, (filter) => this.#books.get(filter)?.qos)
    const packets = [...byQos].flatMap(([qos, filters]) =>
      qos === undefined ? [] : parts(filters).map((part) => ({ qos, part })),
    )
    await Promise.all(
      packets.map(async ({ qos, part }) => {
        const taken = await client.subscribe(part, qos)
        for (const [index, filter] of part.entries()) {
          if (!taken[index]) refusals.set(filter, `the MQTT broker refuses the subscription to ${filter}`)
        }
      }),
    )
    return refusals
  }
}

function parts(filters: readonly string[]): readonly (readonly string[])[] {
  const all: (readonly string[])[] = []
  for (let at = 0; at < filters.length; at += MOST_IN_ONE_PACKET) all.push(filters.slice(at, at + MOST_IN_ONE_PACKET))
  return all
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index])
}
