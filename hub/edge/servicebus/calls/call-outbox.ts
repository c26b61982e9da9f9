import { type Metrics, silentMetrics } from '../../../../platform/health/index.ts'
import type { Row, Store, StoreCall } from '../../../../platform/store/index.ts'
import type { Clock, Random } from '../../../../platform/time/index.ts'
import type { DropReason, UserDrops } from '../../user/user-drops.ts'
import { ServiceError } from '../service-error.ts'

export interface CallLimits {
  readonly maxMessages: number
  readonly maxBytes: number
  readonly maxAgeHours: number
}

export interface CallOutboxPorts {
  readonly store: Store
  readonly limits: CallLimits
  readonly clock: Clock
  readonly random: Random
  readonly metrics?: Metrics
  readonly drops: UserDrops
}

export interface StoredCall {
  readonly id: number
  /** Identity on the wire, the same however often it is sent. */
  readonly frameId: string
  readonly rule: string
  /** Method, headers and the like, as JSON. */
  readonly head: string
  readonly body: Buffer
}

interface Entry {
  readonly id: number
  readonly rule: string
  readonly bytes: number
  /** Monotonic: a clock that is set does not make calls older. */
  readonly born: number
  isStored: boolean
}

/**
 * Calls for the cloud on disk, in the order of each rule and within their bounds together: beyond them the oldest go. What is
 * said to be stored is on disk; what the cloud has got is removed for itself, so that one rule never waits for another.
 */
export class CallOutbox {
  readonly #ports: CallOutboxPorts
  /** In their order, the oldest first. */
  readonly #entries = new Map<number, Entry>()
  readonly #byRule = new Map<string, Set<Entry>>()
  #bytes = 0
  #lastId = 0

  constructor(ports: CallOutboxPorts) {
    this.#ports = ports
    const metrics = ports.metrics ?? silentMetrics
    const gauge = (name: string, help: string, read: () => number) => metrics.gauge({ name, help }).follow(read)
    gauge('skerry_servicebus_waiting', 'Calls of local applications that the cloud has not got yet.', () => this.depth)
    gauge('skerry_servicebus_waiting_bytes', 'Bytes of them, headers and bodies.', () => this.#bytes)
  }

  get depth(): number {
    return this.#entries.size
  }

  /** Rules of which something waits. */
  get rules(): readonly string[] {
    return [...this.#byRule.keys()]
  }

  async open(): Promise<void> {
    const { store, clock, drops } = this.#ports
    await drops.open()
    this.#entries.clear()
    this.#byRule.clear()
    this.#bytes = 0
    for (const row of await store.read({ statement: 'servicebus.index', parameters: [] })) {
      const age = Math.max(0, clock.now() - Number(row['received'] ?? 0))
      const [id, bytes] = [Number(row['id']), Number(row['bytes'])]
      this.#put({ id, rule: String(row['rule']), bytes, born: clock.monotonic() - age, isStored: true })
      this.#lastId = Math.max(this.#lastId, id)
    }
  }

  /** Settles when it is on disk; rejects when it could not be written, or is larger than all together may be. */
  async add(rule: string, head: string, body: Buffer): Promise<string> {
    const { clock, random, limits } = this.#ports
    const bytes = Buffer.byteLength(head) + body.length
    if (bytes > limits.maxBytes) {
      const fields = { bytes, maxBytes: limits.maxBytes }
      throw new ServiceError(413, 'The call is too large to be stored', { code: 'HUB_CALL_TOO_LARGE', fields })
    }
    const gone = this.#excess(1, bytes)
    const entry: Entry = { id: ++this.#lastId, rule, bytes, born: clock.monotonic(), isStored: false }
    const frameId = random.uuid()
    const parameters = [entry.id, frameId, rule, head, body, Math.trunc(clock.now())]
    // Reserved before it is written, so that others who come meanwhile see how much there is.
    this.#put(entry)
    for (const { entry: old } of gone) this.#take(old)
    try {
      await this.#write([...gone.map(({ entry: old }) => removal(old.id)), { statement: 'servicebus.put', parameters }])
    } catch (error) {
      this.#take(entry)
      // A disk that takes nothing must not cost what it has.
      this.#restore(gone.map(({ entry: old }) => old))
      throw error
    }
    entry.isStored = true
    await this.#note(gone)
    return frameId
  }

  /** The oldest of a rule, in order; at least one where there is one. */
  async peek(
    rule: string,
    most: { readonly messages: number; readonly bytes: number },
  ): Promise<readonly StoredCall[]> {
    await this.#expire()
    const chosen: Entry[] = []
    let bytes = 0
    for (const entry of this.#byRule.get(rule) ?? []) {
      const isFull = chosen.length >= most.messages || (chosen.length > 0 && bytes + entry.bytes > most.bytes)
      if (!entry.isStored || isFull) break
      chosen.push(entry)
      bytes += entry.bytes
    }
    const calls: StoredCall[] = []
    for (const entry of chosen) {
      const [row] = await this.#ports.store.read({ statement: 'servicebus.read', parameters: [entry.id] })
      if (row) calls.push(callOf(row))
      // What is not on disk any more cannot be sent.
      else this.#take(entry)
    }
    return calls
  }

  /** Settles when they are gone on disk too; rejects where they are not: then they are still here. */
  async remove(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return
    await this.#write(ids.map(removal))
    for (const id of ids) {
      const entry = this.#entries.get(id)
      if (entry) this.#take(entry)
    }
  }

  /** The cloud does not want it. */
  async refuse(id: number): Promise<void> {
    if (!this.#entries.has(id)) return
    await this.remove([id])
    await this.#noteCount('refused', 1)
  }

  /** Settles when what was dropped is noted on disk. */
  async flush(): Promise<void> {
    await this.#write([])
  }

  /** What is too old goes. */
  async #expire(): Promise<void> {
    const gone = this.#excess(0, 0)
    if (gone.length === 0) return
    await this.remove(gone.map(({ entry }) => entry.id))
    await this.#note(gone)
  }

  #excess(messages: number, bytes: number): readonly { readonly entry: Entry; readonly reason: DropReason }[] {
    const { limits, clock } = this.#ports
    const oldest = clock.monotonic() - limits.maxAgeHours * 3_600_000
    const gone: { readonly entry: Entry; readonly reason: DropReason }[] = []
    let [count, size] = [this.#entries.size + messages, this.#bytes + bytes]
    for (const entry of this.#entries.values()) {
      // One that is being written is not on disk to be removed there.
      if (!entry.isStored) continue
      const isOver = count > limits.maxMessages ? 'count' : size > limits.maxBytes ? 'bytes' : undefined
      const reason = entry.born < oldest ? 'age' : isOver
      if (!reason) break
      gone.push({ entry, reason })
      count--
      size -= entry.bytes
    }
    return gone
  }

  async #note(gone: readonly { readonly reason: DropReason }[]): Promise<void> {
    const counts = new Map<DropReason, number>()
    for (const { reason } of gone) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    for (const [reason, count] of counts) await this.#noteCount(reason, count)
  }

  async #noteCount(reason: DropReason, count: number): Promise<void> {
    this.#ports.drops.note(reason, count)
    // With the next write at the latest.
    await this.#write([]).catch(() => undefined)
  }

  async #write(calls: readonly StoreCall[]): Promise<void> {
    const { store, drops } = this.#ports
    const noted = drops.calls()
    if (calls.length + noted.length === 0) return
    await store.write([...calls, ...noted])
    drops.kept(noted)
  }

  #put(entry: Entry): void {
    this.#entries.set(entry.id, entry)
    this.#bytes += entry.bytes
    const line = this.#byRule.get(entry.rule) ?? new Set()
    this.#byRule.set(entry.rule, line.add(entry))
  }

  #take(entry: Entry): void {
    if (!this.#entries.delete(entry.id)) return
    this.#bytes -= entry.bytes
    const line = this.#byRule.get(entry.rule)
    line?.delete(entry)
    if (line?.size === 0) this.#byRule.delete(entry.rule)
  }

  /** In their places again. */
  #restore(entries: readonly Entry[]): void {
    if (entries.length === 0) return
    const all = [...this.#entries.values(), ...entries].sort((one, other) => one.id - other.id)
    this.#entries.clear()
    this.#byRule.clear()
    this.#bytes = 0
    for (const entry of all) this.#put(entry)
  }
}

function removal(id: number): StoreCall {
  return { statement: 'servicebus.remove', parameters: [id] }
}

function callOf(row: Row): StoredCall {
  const { id, frame, rule, head, body } = row
  return {
    id: Number(id),
    frameId: String(frame),
    rule: String(rule),
    head: String(head),
    body: Buffer.from(body instanceof Uint8Array ? body : []),
  }
}
