/** Something read again and again. */
export interface Recurring {
  readonly id: string
  /** ms. */
  readonly cycleMs: number
}

const NOTHING: readonly never[] = []

/**
 * When each visit of one connection is due. All cycles count from one epoch, so that visits of equal cycles, and of
 * multiples, fall due together and make one batch. What was missed while the line was busy is skipped, not caught up.
 */
export class Schedule<T extends Recurring> {
  readonly #epoch: number
  readonly #groups = new Map<number, { due: number; readonly members: Map<string, T> }>()
  /** Never read yet: due at once. */
  readonly #fresh = new Map<string, T>()

  /** Epoch in ms of a monotonic clock. */
  constructor(epoch: number) {
    this.#epoch = epoch
  }

  add(item: T, now: number): void {
    const group = this.#groups.get(item.cycleMs) ?? { due: this.#after(now, item.cycleMs), members: new Map() }
    this.#groups.set(item.cycleMs, group)
    group.members.set(item.id, item)
    this.#fresh.set(item.id, item)
  }

  remove(item: T): void {
    this.#fresh.delete(item.id)
    const group = this.#groups.get(item.cycleMs)
    if (!group) return
    group.members.delete(item.id)
    if (group.members.size === 0) this.#groups.delete(item.cycleMs)
  }

  /** Everything, or one item that is in it, is due at once again, as after a reconnect. */
  refresh(item?: T): void {
    if (item) {
      if (this.#groups.get(item.cycleMs)?.members.has(item.id)) this.#fresh.set(item.id, item)
      return
    }
    for (const { members } of this.#groups.values()) for (const [id, item] of members) this.#fresh.set(id, item)
  }

  /** What is due now, each once; it is due again one cycle later. */
  take(now: number): readonly T[] {
    const next = this.next(now)
    if (next === undefined || next > now) return NOTHING
    const batch = [...this.#fresh.values()]
    for (const [cycle, group] of this.#groups) {
      if (group.due > now) continue
      group.due = this.#after(now, cycle)
      for (const [id, item] of group.members) if (!this.#fresh.has(id)) batch.push(item)
    }
    this.#fresh.clear()
    return batch
  }

  /** When something is due next; now or earlier where something waits already. */
  next(now: number): number | undefined {
    if (this.#fresh.size > 0) return now
    let earliest: number | undefined
    for (const { due } of this.#groups.values()) if (earliest === undefined || due < earliest) earliest = due
    return earliest
  }

  #after(now: number, cycle: number): number {
    return this.#epoch + (Math.floor((now - this.#epoch) / cycle) + 1) * cycle
  }
}
