/** A message on the disk, or on its way there, without what it says. */
export interface Entry {
  readonly id: number
  /** Identity on the wire, the same however often it is sent. */
  readonly frameId: string
  readonly line: string
  readonly bytes: number
  /** Monotonic ms: a clock that is set does not make messages older. */
  readonly born: number
  isStored: boolean
  /** The cloud may know it: it was sent before, or an earlier process may have sent it. */
  isSent: boolean
  /** It waits in the cloud for its target, and is kept until that has it. */
  isTaken: boolean
}

/**
 * What is kept: what waits for the cloud, in lines that do not wait for each other, each in the order of the ids; and what the cloud
 * has taken.
 */
export class OutboxQueue {
  readonly #lines = new Map<string, Set<Entry>>()
  readonly #taken = new Set<Entry>()
  readonly #byFrame = new Map<string, Entry>()
  #bytes = 0
  #takenBytes = 0

  get size(): number {
    return this.#byFrame.size
  }

  get bytes(): number {
    return this.#bytes
  }

  get taken(): number {
    return this.#taken.size
  }

  get takenBytes(): number {
    return this.#takenBytes
  }

  /** Of which something waits. */
  get lines(): readonly string[] {
    return [...this.#lines.keys()]
  }

  get(frameId: string): Entry | undefined {
    return this.#byFrame.get(frameId)
  }

  /** What waits of a line, in its order. */
  *of(line: string): Iterable<Entry> {
    yield* this.#lines.get(line) ?? []
  }

  /** Of those that wait. */
  get oldest(): Entry | undefined {
    let oldest: Entry | undefined
    for (const line of this.#lines.values()) {
      const [first] = line
      if (first && (!oldest || first.id < oldest.id)) oldest = first
    }
    return oldest
  }

  /** The one that was taken first. */
  get oldestTaken(): Entry | undefined {
    const [first] = this.#taken
    return first
  }

  /** Those that the cloud may know, in the order of their ids. */
  get sent(): readonly Entry[] {
    return [...this.#byFrame.values()].filter(({ isSent }) => isSent).sort((one, other) => one.id - other.id)
  }

  /** Later than all that wait in its line. */
  put(entry: Entry): void {
    const line = this.#lines.get(entry.line) ?? new Set()
    this.#lines.set(entry.line, line.add(entry))
    this.#count(entry)
  }

  /** False where it is not there. */
  remove(entry: Entry): boolean {
    if (!this.#byFrame.delete(entry.frameId)) return false
    this.#bytes -= entry.bytes
    if (this.#taken.delete(entry)) this.#takenBytes -= entry.bytes
    else this.#leaveLine(entry)
    return true
  }

  /** The cloud has taken one that waited. */
  take(entry: Entry): void {
    if (entry.isTaken || !this.#byFrame.has(entry.frameId)) return
    this.#leaveLine(entry)
    entry.isTaken = true
    this.#taken.add(entry)
    this.#takenBytes += entry.bytes
  }

  /** They wait again, in their places. */
  recall(entries: readonly Entry[]): void {
    const taken = entries.filter((entry) => this.#taken.delete(entry))
    for (const entry of taken) {
      entry.isTaken = false
      this.#takenBytes -= entry.bytes
    }
    this.#intoLines(taken)
  }

  /** Puts back what was removed, as it was. */
  restore(entries: readonly Entry[]): void {
    this.#intoLines(entries.filter(({ isTaken }) => !isTaken))
    const taken = [...entries.filter(({ isTaken }) => isTaken), ...this.#taken]
    this.#taken.clear()
    for (const entry of taken) this.#taken.add(entry)
    for (const entry of entries) {
      if (entry.isTaken) this.#takenBytes += entry.bytes
      this.#count(entry)
    }
  }

  clear(): void {
    this.#lines.clear()
    this.#taken.clear()
    this.#byFrame.clear()
    this.#bytes = 0
    this.#takenBytes = 0
  }

  #count(entry: Entry): void {
    this.#byFrame.set(entry.frameId, entry)
    this.#bytes += entry.bytes
  }

  #leaveLine(entry: Entry): void {
    const line = this.#lines.get(entry.line)
    line?.delete(entry)
    if (line?.size === 0) this.#lines.delete(entry.line)
  }

  #intoLines(entries: readonly Entry[]): void {
    for (const [name, added] of Map.groupBy(entries, ({ line }) => line)) {
      const line = [...(this.#lines.get(name) ?? []), ...added]
      this.#lines.set(name, new Set(line.sort((one, other) => one.id - other.id)))
    }
  }
}
