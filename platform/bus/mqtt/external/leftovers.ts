import { type Clock, ms, seconds } from '../../../time/index.ts'
import type { RetainedView } from '../../event-bus.ts'
import { isOfEdge } from '../access/topics.ts'
import type { BrokerConnection, Incoming } from './connection.ts'
import { groupOf, has, isEmpty, type Markers } from './markers.ts'

export interface LeftoversOptions {
  readonly clock: Clock
  readonly markers: Markers
  readonly view: RetainedView
  readonly clear: (topic: string) => void
}

/** MQTT does not say when all retained messages have come: after so long without one. */
const QUIET = seconds(1)
const MOST_MS = 60_000
/** Groups that are looked at together. */
const BATCH = 100
/** Of one look; what is beyond is found after the next connect. */
const MAX_FOUND = 100_000

/** Finds retained messages that an earlier life of this edge left at the broker and nothing stands behind any more. */
export class Leftovers {
  readonly #options: LeftoversOptions
  #heard: ((message: Incoming) => void) | undefined
  #count = 0

  constructor(options: LeftoversOptions) {
    this.#options = options
  }

  hear(message: Incoming): void {
    if (!message.retain || message.payload.length === 0 || !this.#heard) return
    this.#count++
    this.#heard(message)
  }

  /** Settles when all are found or the connection has ended. */
  async clear(connection: BrokerConnection): Promise<void> {
    const stop = new AbortController()
    void connection.closed.then((reason) => stop.abort(new Error(reason)))
    try {
      const { markers } = this.#options
      const groups = new Set<string>()
      await this.#look(connection, stop.signal, [markers.filter], ({ topic }) => {
        const group = markers.groupOfOwn(topic)
        if (group !== undefined && groups.size < MAX_FOUND) groups.add(group)
      })
      const all = [...groups]
      for (let at = 0; at < all.length; at += BATCH) {
        await this.#clearGroups(connection, stop.signal, all.slice(at, at + BATCH))
      }
    } catch (error) {
      // The next connection begins anew.
      if (!stop.signal.aborted) connection.abort(error instanceof Error ? error.message : 'it was not understood')
    }
  }

  async #clearGroups(connection: BrokerConnection, signal: AbortSignal, groups: readonly string[]): Promise<void> {
    const { markers, view, clear } = this.#options
    const orphans = new Set<string>()
    for (const group of groups) if (await isEmpty(view, group)) orphans.add(group)
    const claimed = new Set<string>()
    const left = new Set<string>()
    const filters = [
      ...groups.map((group) => `${group}/#`),
      ...[...orphans].map((group) => markers.anyoneFilter(group)),
    ]
    await this.#look(connection, signal, filters, ({ topic }) => {
      const other = markers.groupOfOther(topic)
      if (other !== undefined) claimed.add(other)
      // On other topics clients speak, and would take the clearing for a message.
      else if (isOfEdge(topic) && markers.groupOfOwn(topic) === undefined && left.size < MAX_FOUND) left.add(topic)
    })
    for (const topic of left) if (!claimed.has(groupOf(topic)) && !(await has(view, topic))) clear(topic)
    for (const group of orphans) if (await isEmpty(view, group)) clear(markers.markerOf(group))
  }

  async #look(
    connection: BrokerConnection,
    signal: AbortSignal,
    filters: readonly string[],
    heard: (message: Incoming) => void,
  ): Promise<void> {
    const { clock } = this.#options
    this.#heard = heard
    const since = clock.monotonic()
    try {
      await Promise.all(filters.map((filter) => connection.subscribe(filter, 0)))
      for (let before = -1; before !== this.#count && clock.monotonic() - since < MOST_MS; ) {
        before = this.#count
        await clock.sleep(ms(QUIET.milliseconds), signal)
      }
    } finally {
      this.#heard = undefined
    }
    await Promise.all(filters.map((filter) => connection.unsubscribe(filter)))
  }
}
