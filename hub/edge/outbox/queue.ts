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
}

/** What waits, in the order of the ids: all together, and in lines that do not wait for each other. */
export class OutboxQueue {
  readonly #lines = new Map<string, Set<Entry>>()
  readonly #byFrame = new Map<string, Entry>()
  #bytes = 0

  get size(): number {
    return this.#byFrame.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Of which something waits. */
  get lines(): readonly string[] {
    return [...this.#lines.keys()]
  }

  get(frameId: string): Entry | undefined {
    return this.#byFrame.get(frameId)
  }

  /** In its order. */
  *of(line: string): Iterable<Entry> {
    yield* this.#lines.get(line) ?? []
  }

  get oldest(): Entry | undefined {
    let oldest: Entry | undefined
    for (const line of this.#lines.values()) {
      const [first] = line
      if (first && (!oldest || first.id < oldest.id)) oldest = first
    }
    return oldest
  }

  /** Later than all that are there. */
  put(entry: Entry): void {
    const line = this.#lines.get(entry.line) ?? new Set()
    this.#lines.set(entry.line, line.add(entry))
    this.#byFrame.set(entry.frameId, entry)
    this.#bytes += entry.bytes
  }

  /** False where it is not there. */
  take(entry: Entry): boolean {
    const line = this.#lines.get(entry.line)
    if (!line?.delete(entry)) return false
    if (line.size === 0) this.#lines.delete(entry.line)
    this.#byFrame.delete(entry.frameId)
    this.#bytes -= entry.bytes
    return true
  }

  /** In their places. */
  restore(entries: readonly Entry[]): void {
    for (const name of new Set(entries.map(({ line }) => line))) {
      const line = [...(this.#lines.get(name) ?? []), ...entries.filter((each) => each.line === name)]
      this.#lines.set(name, new Set(line.sort((one, other) => one.id - other.id)))
    }
    for (const entry of entries) {
      this.#byFrame.set(entry.frameId, entry)
      this.#bytes += entry.bytes
    }
  }

  clear(): void {
    this.#lines.clear()
    this.#byFrame.clear()
    this.#bytes = 0
  }
}
