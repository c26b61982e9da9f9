/** Something read again and again. */
export interface Recurring {
  readonly id: string
  /** ms. */
  readonly cycleMs: number
}

const NOTHING: readonly never[] = []

interface Group<T> {
  readonly key: string
  readonly cycleMs: number
  readonly offsetMs: number
  due: number
  readonly members: Map<string, T>
}

/** So many devices after each other; more would wake the line for little. */
const SLOTS = 16
/** Slots lie within so much of a cycle that is longer. */
const SPREAD_MS = 1000
/** Fractions that lie far from each other, however many there are of them, and in any part of a second. */
const GOLDEN = (Math.sqrt(5) - 1) / 2

/**
 * When each visit of one connection is due. All cycles of one slot count from one epoch, so that visits of equal cycles, and of
 * multiples, fall due together and make one batch. Slots lie beside each other, so that hundreds of devices are not read in one
 * burst and then not for a second. What was missed while the line was busy is skipped, not caught up.
 */
export class Schedule<T extends Recurring> {
  readonly #epoch: number
  /** By cycle and slot. */
  readonly #groups = new Map<string, Group<T>>()
  readonly #groupOf = new Map<string, Group<T>>()
  /** Never read yet: due at once. */
  readonly #fresh = new Map<string, T>()

  /** Epoch in ms of a monotonic clock. */
  constructor(epoch: number) {
    this.#epoch = epoch
  }

  /** Items of one slot number make batches; any whole number is one. */
  add(item: T, now: number, slot = 0): void {
    const key = `${item.cycleMs}/${slot % SLOTS}`
    const group = this.#groups.get(key) ?? this.#groupAt(key, item.cycleMs, slot % SLOTS, now)
    this.#groups.set(key, group)
    this.#groupOf.set(item.id, group)
    group.members.set(item.id, item)
    this.#fresh.set(item.id, item)
  }

  remove(item: T): void {
    this.#fresh.delete(item.id)
    const group = this.#groupOf.get(item.id)
    this.#groupOf.delete(item.id)
    group?.members.delete(item.id)
    if (group?.members.size === 0) this.#groups.delete(group.key)
  }

  /** Everything, or one item that is in it, is due at once again, as after a reconnect. */
  refresh(item?: T): void {
    if (item) {
      if (this.#groupOf.has(item.id)) this.#fresh.set(item.id, item)
      return
    }
    for (const { members } of this.#groups.values()) for (const [id, item] of members) this.#fresh.set(id, item)
  }

  /** What is due now, each once; it is due again one cycle later. */
  take(now: number): readonly T[] {
    const next = this.next(now)
    if (next === undefined || next > now) return NOTHING
    const batch = [...this.#fresh.values()]
    for (const group of this.#groups.values()) {
      if (group.due > now) continue
      group.due = this.#after(now, group)
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

  #groupAt(key: string, cycleMs: number, slot: number, now: number): Group<T> {
    const offsetMs = Math.round(((slot * GOLDEN) % 1) * SPREAD_MS)
    return { key, cycleMs, offsetMs, due: this.#after(now, { cycleMs, offsetMs }), members: new Map() }
  }

  #after(now: number, { cycleMs, offsetMs }: Pick<Group<T>, 'cycleMs' | 'offsetMs'>): number {
    const begin = this.#epoch + offsetMs
    const due = begin + (Math.floor((now - begin) / cycleMs) + 1) * cycleMs
    // What is divided may be rounded down by a hair.
    return due > now ? due : due + cycleMs
  }
}
