import { type Clock, minutes, type Random } from '../../../platform/time/index.ts'
import { eventName, type Occurrence } from './event-object.ts'
import type { EventSubject, PodEvent } from './pod-events.ts'

/** One Event of the API, and how often it has happened. */
export interface Entry extends Occurrence {
  readonly key: string
  pod: EventSubject
  event: PodEvent
  count: number
  lastAt: number
  /** Monotonic ms. */
  seenAt: number
  /** The cloud has been told of it. */
  isSent: boolean
}

/** Of one pod and reason: messages that were told lately. */
interface Similar {
  readonly messages: Set<string>
  seenAt: number
}

/** The same within this time is a repetition. */
const WINDOW = minutes(10)
/** So many messages of one pod and reason within it; more are one Event. */
const MOST_SIMILAR = 10
/** Remembered; those that were told the longest ago go first. */
const ENTRIES_BOUND = 4096

/** Finds what is the same again, as a kubelet does (client-go, tools/record). */
export class Correlation {
  readonly #clock: Clock
  readonly #random: Random
  readonly #entries = new Map<string, Entry>()
  readonly #similar = new Map<string, Similar>()

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock
    this.#random = random
  }

  /** The Event that this is, with its count raised. */
  observe(pod: EventSubject, event: PodEvent): Entry {
    const group = JSON.stringify([pod.namespace, pod.name, pod.uid, event.type, event.reason])
    if (!this.#isTooMuch(group, event.message)) {
      return this.#raise(JSON.stringify([group, event.fieldPath, event.message]), pod, event)
    }
    const message = `(combined from similar events): ${event.message}`
    return this.#raise(group, pod, { ...event, message })
  }

  /** The next one of its kind is a new Event. */
  forget({ key, name }: Entry): void {
    if (this.#entries.get(key)?.name === name) this.#entries.delete(key)
  }

  #isTooMuch(group: string, message: string): boolean {
    const similar = this.#recent(this.#similar, group) ?? { messages: new Set(), seenAt: 0 }
    similar.seenAt = this.#clock.monotonic()
    similar.messages.add(message)
    remember(this.#similar, group, similar)
    if (similar.messages.size <= MOST_SIMILAR) return false
    const [oldest] = similar.messages
    if (oldest !== undefined) similar.messages.delete(oldest)
    return true
  }

  #raise(key: string, pod: EventSubject, event: PodEvent): Entry {
    const now = this.#clock.now()
    const entry = this.#recent(this.#entries, key) ?? {
      ...{ key, pod, event, name: eventName(pod.name, this.#suffix()) },
      ...{ count: 0, firstAt: now, lastAt: now, seenAt: 0, isSent: false },
    }
    Object.assign(entry, { pod, event, count: entry.count + 1, lastAt: now, seenAt: this.#clock.monotonic() })
    remember(this.#entries, key, entry)
    return entry
  }

  #recent<T extends { readonly seenAt: number }>(map: ReadonlyMap<string, T>, key: string): T | undefined {
    const known = map.get(key)
    return known && this.#clock.monotonic() - known.seenAt <= WINDOW.milliseconds ? known : undefined
  }

  #suffix(): string {
    return Buffer.from(this.#random.bytes(8)).toString('hex')
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > ENTRIES_BOUND && oldest !== undefined) map.delete(oldest)
}
