import type { Row, SqlValue, Store, StoreCall } from '../../../platform/store/index.ts'
import type { Clock, Random } from '../../../platform/time/index.ts'
import type { DropReason, OutboxDrops } from './drops.ts'
import { type Entry, OutboxQueue } from './queue.ts'
import { rangesOf } from './ranges.ts'

export interface OutboxLimits {
  readonly maxMessages: number
  readonly maxBytes: number
  readonly maxAgeHours: number
}

/** A message as it is on the disk. */
export interface Stored {
  readonly id: number
  /** Identity on the wire, the same however often it is sent. */
  readonly frameId: string
}

/** Whose messages they are. */
export interface OutboxKind<Message extends Stored> {
  /**
   * Store domain with statements `index` (id, frame, line, bytes and received of each, in the order of the ids), `put` (id, frame, what
   * else there is, received), `read` and `remove` (from one id to another), and those of `OutboxDrops`.
   */
  readonly domain: string
  messageOf(row: Row): Message
}

export interface OutboxPorts {
  readonly store: Store
  readonly limits: OutboxLimits
  readonly clock: Clock
  readonly random: Random
  readonly drops: OutboxDrops
}

export interface Room {
  readonly messages: number
  readonly bytes: number
}

interface Gone {
  readonly entry: Entry
  /** `copy`: the cloud has taken it, so that it is not lost with this. */
  readonly reason: DropReason | 'copy'
}

/** What an earlier process has left. */
const FOUND = { isStored: true, isSent: true, isTaken: false }

/**
 * Messages for the cloud on disk, in their order and within their bounds. Beyond them copies of what the cloud has taken go first,
 * because they are needed only where its disk is lost; then the oldest of what waits, of whichever line they are.
 */
export class Outbox<Message extends Stored> {
  readonly #ports: OutboxPorts
  readonly #kind: OutboxKind<Message>
  readonly #queue = new OutboxQueue()
  /** Out of the queue, and still on disk: they are removed there with the next write. */
  readonly #unremoved = new Set<number>()
  /** Those that go for the bounds, until that is on disk. */
  readonly #leaving = new Map<number, Entry>()
  #lastId = 0

  constructor(ports: OutboxPorts, kind: OutboxKind<Message>) {
    this.#ports = ports
    this.#kind = kind
  }

  /** Those that wait for the cloud. */
  get depth(): number {
    return this.#queue.size - this.#queue.taken
  }

  get bytes(): number {
    return this.#queue.bytes - this.#queue.takenBytes
  }

  /** How many the cloud has taken, and are kept until their targets have them. */
  get kept(): number {
    return this.#queue.taken
  }

  /** ms that the oldest has waited; undefined where none waits. */
  get oldestAge(): number | undefined {
    const first = this.#queue.oldest
    return first && this.#ports.clock.monotonic() - first.born
  }

  /** Of which something waits. */
  get lines(): readonly string[] {
    return this.#queue.lines
  }

  /** There is something that `peek` gives. */
  hasStored(line: string): boolean {
    const [first] = this.#queue.of(line)
    return first?.isStored === true
  }

  async open(): Promise<void> {
    const { store, clock, drops } = this.#ports
    await drops.open()
    this.#queue.clear()
    for (const row of await store.read({ statement: `${this.#kind.domain}.index`, parameters: [] })) {
      const age = Math.max(0, clock.now() - numberIn(row, 'received'))
      const [id, bytes] = [numberIn(row, 'id'), numberIn(row, 'bytes')]
      const [frameId, line] = [String(row['frame']), String(row['line'])]
      this.#queue.put({ id, frameId, line, bytes, born: clock.monotonic() - age, ...FOUND })
      this.#lastId = Math.max(this.#lastId, id)
    }
    await this.#makeRoom({ messages: 0, bytes: 0 }, (gone) => this.#write([], gone))
  }

  /** Settles with its identity when it is on disk; rejects when it could not be written. `columns`: what `put` takes beside id, frame and time. */
  async add(line: string, bytes: number, columns: readonly SqlValue[]): Promise<string> {
    const { clock, random } = this.#ports
    const received = Math.trunc(clock.now())
    const frameId = random.uuid()
    await this.#makeRoom({ messages: 1, bytes }, async (gone) => {
      const entry: Entry = {
        ...{ id: ++this.#lastId, frameId, line, bytes },
        ...{ born: clock.monotonic(), isStored: false, isSent: false, isTaken: false },
      }
      this.#queue.put(entry)
      try {
        await this.#write([this.#call('put', [entry.id, frameId, ...columns, received])], gone)
        entry.isStored = true
      } catch (error) {
        this.#queue.remove(entry)
        throw error
      }
    })
    return frameId
  }

  /** The oldest of a line on disk, in order; at least one where there is one. */
  async peek(line: string, most: Room): Promise<readonly Message[]> {
    await this.#makeRoom({ messages: 0, bytes: 0 }, (gone) => this.#write([], gone))
    const chosen: Entry[] = []
    let bytes = 0
    for (const entry of this.#queue.of(line)) {
      const isFull = chosen.length >= most.messages || (chosen.length > 0 && bytes + entry.bytes > most.bytes)
      if (!entry.isStored || isFull) break
      bytes += entry.bytes
      chosen.push(entry)
    }
    const rows: Row[] = []
    for (const { first, last } of rangesOf(chosen.map(({ id }) => id)))
      rows.push(...(await this.#ports.store.read(this.#call('read', [first, last]))))
    const found = new Set(rows.map((row) => numberIn(row, 'id')))
    // What is not on disk any more cannot be sent.
    for (const entry of chosen) if (!found.has(entry.id)) this.#queue.remove(entry)
    return rows.map((row) => this.#kind.messageOf(row))
  }

  /** They are about to be sent. */
  sending(messages: readonly Stored[]): void {
    for (const entry of this.#entries(messages)) entry.isSent = true
  }

  /** They wait in the cloud, and are kept. */
  taken(messages: readonly Stored[]): void {
    for (const entry of this.#entries(messages)) this.#queue.take(entry)
  }

  /** Those that a cloud may know, as it knows them, in their order. */
  sent(): readonly string[] {
    return this.#queue.sent.map(({ frameId }) => frameId)
  }

  /** Of these the cloud of the moment has all but the missing ones, which wait for it. */
  compared(frameIds: readonly string[], missing: ReadonlySet<string>): void {
    const entries = frameIds.flatMap((frameId) => this.#queue.get(frameId) ?? [])
    this.#queue.recall(entries.filter(({ frameId }) => missing.has(frameId)))
    for (const entry of entries) if (!missing.has(entry.frameId)) this.#queue.take(entry)
  }

  /** As `remove`, of those that are still here. */
  async done(frameIds: readonly string[]): Promise<void> {
    await this.#remove(frameIds.flatMap((frameId) => this.#queue.get(frameId) ?? []))
  }

  /** Forgets them at once. Settles when they are gone on disk too; where it rejects, they go there with the next write or `peek`. */
  async remove(messages: readonly Stored[]): Promise<void> {
    if (messages.length > 0) await this.#remove(messages)
  }

  /** Removes them, because the cloud does not want them. */
  async refuse(messages: readonly Stored[]): Promise<void> {
    if (messages.length === 0) return
    this.#ports.drops.note('refused', messages.length)
    await this.remove(messages)
  }

  async #remove(messages: readonly Stored[]): Promise<void> {
    for (const { id } of messages) {
      this.#leaving.delete(id)
      this.#unremoved.add(id)
    }
    for (const entry of this.#entries(messages)) this.#queue.remove(entry)
    await this.#write([])
  }

  #entries(messages: readonly Stored[]): readonly Entry[] {
    return messages.flatMap(({ frameId }) => this.#queue.get(frameId) ?? [])
  }

  /** Settles when nothing that is known is missing on disk. */
  async flush(): Promise<void> {
    await this.#write([])
  }

  /**
   * Lets the oldest go until so much more fits, in one write with what comes. Where that cannot be written they stay, and are not
   * counted: a disk that takes nothing must not cost what it has.
   */
  async #makeRoom(room: Room, write: (gone: readonly number[]) => Promise<void>): Promise<void> {
    const gone = this.#shrink(room)
    for (const { entry } of gone) this.#leaving.set(entry.id, entry)
    try {
      await write(gone.map(({ entry }) => entry.id))
    } catch (error) {
      const back = gone.filter(({ entry }) => this.#leaving.delete(entry.id)).map(({ entry }) => entry)
      // One that came meanwhile and could not be written was never taken.
      this.#queue.restore(back.filter(({ isStored }) => isStored))
      throw error
    }
    const counts = new Map<Gone['reason'], number>()
    for (const { entry, reason } of gone) {
      if (this.#leaving.delete(entry.id) && entry.isStored) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    }
    for (const [reason, count] of counts) this.#ports.drops.note(reason, count)
  }

  #shrink(room: Room): readonly Gone[] {
    const gone: Gone[] = []
    for (let next = this.#next(room); next; next = this.#next(room)) {
      this.#queue.remove(next.entry)
      gone.push(next)
    }
    return gone
  }

  /** What has to go for so many more, if anything. */
  #next({ messages, bytes }: Room): Gone | undefined {
    const { limits, clock } = this.#ports
    const { oldest: waiting, oldestTaken: taken } = this.#queue
    const tooOld = clock.monotonic() - limits.maxAgeHours * 3_600_000
    if (taken && taken.born < tooOld) return { entry: taken, reason: 'copy' }
    if (waiting && waiting.born < tooOld) return { entry: waiting, reason: 'age' }
    const isMany = this.#queue.size + messages > limits.maxMessages
    if (!isMany && this.#queue.bytes + bytes <= limits.maxBytes) return undefined
    if (taken) return { entry: taken, reason: 'copy' }
    return waiting && { entry: waiting, reason: isMany ? 'count' : 'bytes' }
  }

  /** With what is not removed yet, and what is not noted yet of what was dropped. */
  async #write(calls: readonly StoreCall[], gone: readonly number[] = []): Promise<void> {
    const { store, drops } = this.#ports
    const removed = [...this.#unremoved, ...gone]
    const removals = rangesOf(removed).map(({ first, last }) => this.#call('remove', [first, last]))
    const noted = drops.calls()
    if (removals.length + calls.length + noted.length === 0) return
    await store.write([...removals, ...calls, ...noted])
    for (const id of removed) this.#unremoved.delete(id)
    drops.kept(noted)
  }

  #call(statement: string, parameters: readonly SqlValue[]): StoreCall {
    return { statement: `${this.#kind.domain}.${statement}`, parameters }
  }
}

function numberIn(row: Row, column: string): number {
  return Number(row[column] ?? 0)
}
