import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Row, Store, StoreCall } from '../../../platform/store/index.ts'
import type { Clock, Random } from '../../../platform/time/index.ts'
import type { DropReason, UserDrops } from './user-drops.ts'

export interface UserMessageLimits {
  readonly maxMessages: number
  readonly maxBytes: number
  readonly maxAgeHours: number
}

export interface UserOutboxPorts {
  readonly store: Store
  readonly limits: UserMessageLimits
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
  readonly drops: UserDrops
}

export interface UserMessage {
  readonly id: number
  /** Identity on the wire, the same however often it is sent. */
  readonly frameId: string
  readonly topic: string
  readonly payload: Uint8Array
}

/** Base64 in a frame of at most 32 MiB. */
const LARGEST_MESSAGE = 16 * 1024 * 1024

interface Entry {
  readonly id: number
  readonly bytes: number
  /** Monotonic: a clock that is set does not make messages older. */
  readonly born: number
  isStored: boolean
}

/** Messages for the cloud on disk, in their order and within their bounds: beyond them the oldest go. */
export class UserOutbox {
  readonly #ports: UserOutboxPorts
  readonly #entries: Entry[] = []
  /** Entries before it are gone. */
  #head = 0
  #bytes = 0
  #lastId = 0
  /** Messages up to it are gone for good, on disk or with the next removal. */
  #removedUpTo = 0
  /** Some of them are still on disk. */
  #isBehind = false

  constructor(ports: UserOutboxPorts) {
    this.#ports = ports
    const metrics = ports.metrics ?? silentMetrics
    const gauge = (name: string, help: string, read: () => number) => metrics.gauge({ name, help }).follow(read)
    gauge('skerry_edgehub_user_waiting', 'Messages of MQTT clients that the cloud has not got yet.', () => this.depth)
    gauge('skerry_edgehub_user_waiting_bytes', 'Bytes of them, topics and payloads.', () => this.#bytes)
    gauge(
      'skerry_edgehub_user_oldest_seconds',
      'How long the oldest of them has waited.',
      () => (this.oldestAge ?? 0) / 1000,
    )
  }

  get depth(): number {
    return this.#entries.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  /** ms that the oldest has waited; undefined where none waits. */
  get oldestAge(): number | undefined {
    const first = this.#entries[this.#head]
    return first && this.#ports.clock.monotonic() - first.born
  }

  /** There is something that `peek` gives. */
  get hasStored(): boolean {
    return this.#entries[this.#head]?.isStored === true
  }

  async open(): Promise<void> {
    const { store, clock, drops } = this.#ports
    this.#removedUpTo = 0
    await drops.open()
    this.#entries.length = 0
    this.#head = 0
    this.#bytes = 0
    for (const row of await store.read({ statement: 'user.index', parameters: [] })) {
      const age = Math.max(0, clock.now() - numberIn(row, 'received'))
      const id = numberIn(row, 'id')
      const bytes = numberIn(row, 'bytes')
      this.#entries.push({ id, bytes, born: clock.monotonic() - age, isStored: true })
      this.#bytes += bytes
      this.#lastId = Math.max(this.#lastId, id)
    }
    await this.#makeRoom({ messages: 0, bytes: 0 }, (removal) => this.#write(removal))
  }

  /** Settles when it is on disk, or dropped; rejects when it could not be written. */
  async add(topic: string, payload: Uint8Array): Promise<void> {
    const { clock, random, limits } = this.#ports
    const bytes = Buffer.byteLength(topic) + payload.length
    if (bytes > Math.min(limits.maxBytes, LARGEST_MESSAGE)) return await this.drop('size', 1).catch(() => undefined)
    const received = Math.trunc(clock.now())
    await this.#makeRoom({ messages: 1, bytes }, async (removal) => {
      const id = ++this.#lastId
      const entry: Entry = { id, bytes, born: clock.monotonic(), isStored: false }
      this.#entries.push(entry)
      this.#bytes += bytes
      const put = { statement: 'user.put', parameters: [id, random.uuid(), topic, payload, received] }
      try {
        await this.#write([...removal, put])
        entry.isStored = true
      } catch (error) {
        const at = this.#entries.indexOf(entry, this.#head)
        if (at >= 0) {
          this.#entries.splice(at, 1)
          this.#bytes -= bytes
        }
        throw error
      }
    })
  }

  /** The oldest on disk, in order; at least one where there is one. */
  async peek(most: { readonly messages: number; readonly bytes: number }): Promise<readonly UserMessage[]> {
    const { store } = this.#ports
    await this.#makeRoom({ messages: 0, bytes: 0 }, (removal) => this.#write(removal))
    const first = this.#entries[this.#head]
    let last: Entry | undefined
    let bytes = 0
    for (let at = this.#head; at < this.#entries.length && at - this.#head < most.messages; at++) {
      const entry = this.#entries[at]
      if (!entry?.isStored || (last && bytes + entry.bytes > most.bytes)) break
      bytes += entry.bytes
      last = entry
    }
    if (!first || !last) return []
    const rows = await store.read({ statement: 'user.read', parameters: [first.id, last.id] })
    // What is not on disk any more cannot be sent.
    if (rows.length === 0) this.#forget(last.id)
    return rows.map(messageOf)
  }

  /** Forgets it and everything before. Settles when that is on disk; what could not be removed there is so with the next write or `peek`. */
  async removeUpTo(id: number): Promise<void> {
    for (let first = this.#entries[this.#head]; first && first.id <= id; first = this.#entries[this.#head])
      this.#shift()
    this.#removedUpTo = Math.max(this.#removedUpTo, id)
    await this.#write([removalUpTo(id)]).catch((error: unknown) => {
      this.#isBehind = true
      this.#ports.log.warn('Messages that the cloud has got could not be removed', { error })
    })
  }

  /** Settles when nothing that is known is missing on disk. */
  async flush(): Promise<void> {
    await this.#write([])
  }

  /** Not one of those that wait, or not any more. */
  async drop(reason: DropReason, count: number): Promise<void> {
    this.#ports.drops.note(reason, count)
    await this.#write([])
  }

  /**
   * Lets the oldest go until so much more fits, in one write with what comes. Where that cannot be written they stay, and are not
   * counted: a disk that takes nothing must not cost what it has.
   */
  async #makeRoom(
    room: { readonly messages: number; readonly bytes: number },
    write: (removal: readonly StoreCall[]) => Promise<void>,
  ): Promise<void> {
    const gone = this.#shrink(room.messages, room.bytes)
    const upTo = gone.at(-1)?.entry.id ?? (this.#isBehind ? this.#removedUpTo : undefined)
    try {
      await write(upTo === undefined ? [] : [removalUpTo(upTo)])
    } catch (error) {
      for (const { entry } of gone) if (entry.isStored && entry.id > this.#removedUpTo) this.#restore(entry)
      throw error
    }
    if (upTo === undefined) return
    this.#isBehind = false
    this.#removedUpTo = Math.max(this.#removedUpTo, upTo)
    const counts = new Map<DropReason, number>()
    // One that came meanwhile and could not be written was never taken.
    for (const { entry, reason } of gone) if (entry.isStored) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    for (const [reason, count] of counts) this.#ports.drops.note(reason, count)
  }

  /** The oldest that have to go for so many more. */
  #shrink(messages: number, bytes: number): readonly { readonly entry: Entry; readonly reason: DropReason }[] {
    const { limits, clock } = this.#ports
    const oldest = clock.monotonic() - limits.maxAgeHours * 3_600_000
    const gone: { readonly entry: Entry; readonly reason: DropReason }[] = []
    for (let first = this.#entries[this.#head]; first; first = this.#entries[this.#head]) {
      const reason =
        first.born < oldest
          ? 'age'
          : this.depth + messages > limits.maxMessages
            ? 'count'
            : this.#bytes + bytes > limits.maxBytes
              ? 'bytes'
              : undefined
      if (!reason) break
      this.#shift()
      gone.push({ entry: first, reason })
    }
    return gone
  }

  #restore(entry: Entry): void {
    let at = this.#head
    while ((this.#entries[at]?.id ?? Number.POSITIVE_INFINITY) < entry.id) at++
    this.#entries.splice(at, 0, entry)
    this.#bytes += entry.bytes
  }

  /** With what is not noted yet of what was dropped. */
  async #write(calls: readonly StoreCall[]): Promise<void> {
    const { store, drops } = this.#ports
    const noted = drops.calls()
    if (calls.length + noted.length === 0) return
    await store.write([...calls, ...noted])
    drops.kept(noted)
  }

  #forget(id: number): void {
    for (let first = this.#entries[this.#head]; first && first.id <= id; first = this.#entries[this.#head])
      this.#shift()
  }

  #shift(): void {
    this.#bytes -= this.#entries[this.#head]?.bytes ?? 0
    this.#head++
    if (this.#head < 1024 || this.#head * 2 < this.#entries.length) return
    this.#entries.splice(0, this.#head)
    this.#head = 0
  }
}

function removalUpTo(id: number): StoreCall {
  return { statement: 'user.removeUpTo', parameters: [id] }
}

function messageOf(row: Row): UserMessage {
  const { frame, topic, payload } = row
  return {
    id: numberIn(row, 'id'),
    frameId: typeof frame === 'string' ? frame : '',
    topic: typeof topic === 'string' ? topic : '',
    payload: payload instanceof Uint8Array ? payload : new Uint8Array(0),
  }
}

function numberIn(row: Row, column: string): number {
  return Number(row[column] ?? 0)
}
