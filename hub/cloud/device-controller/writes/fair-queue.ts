/** How soon something has to be written: changes of state, then values, then the second copy of values. */
export const URGENCIES = ['state', 'reading', 'mirror'] as const
export type Urgency = (typeof URGENCIES)[number]

export function moreUrgent(a: Urgency, b: Urgency | undefined): Urgency {
  return b !== undefined && URGENCIES.indexOf(b) < URGENCIES.indexOf(a) ? b : a
}

export interface Waiting {
  readonly key: string
  readonly node: string
  readonly urgency: Urgency
  /** Monotonic ms. */
  readonly since: number
}

/**
 * Which key is next: the most urgent first, except for a share that the others keep; nodes in turn, so that one with much to
 * say delays nobody; and of one node the key that has waited longest.
 */
export class FairQueue {
  readonly #waiting = new Map<string, Waiting>()
  readonly #lanes = new Map<Urgency, Map<string, Set<string>>>(URGENCIES.map((urgency) => [urgency, new Map()]))
  /** Asked at each turn, whatever the number of nodes. */
  readonly #depths: Record<Urgency, number> = { state: 0, reading: 0, mirror: 0 }
  #turn = 0

  get(key: string): Waiting | undefined {
    return this.#waiting.get(key)
  }

  /** A key that waits already keeps its place, unless it became more or less urgent or moved. */
  put(next: Waiting): void {
    const known = this.#waiting.get(next.key)
    if (known?.urgency === next.urgency && known.node === next.node) return
    if (known) this.delete(next.key)
    this.#waiting.set(next.key, known ? { ...next, since: known.since } : next)
    const lane = this.#laneOf(next.urgency)
    const keys = lane.get(next.node) ?? new Set()
    keys.add(next.key)
    lane.set(next.node, keys)
    this.#depths[next.urgency]++
  }

  delete(key: string): void {
    const known = this.#waiting.get(key)
    if (!known) return
    this.#waiting.delete(key)
    this.#depths[known.urgency]--
    const lane = this.#laneOf(known.urgency)
    const keys = lane.get(known.node)
    keys?.delete(key)
    if (keys?.size === 0) lane.delete(known.node)
  }

  /** Takes the next one among the urgencies that may go now. */
  next(mayGo: (urgency: Urgency) => boolean): Waiting | undefined {
    for (const urgency of this.#order()) {
      const [first] = mayGo(urgency) ? this.#laneOf(urgency) : []
      const [key] = first?.[1] ?? []
      const found = key === undefined ? undefined : this.#waiting.get(key)
      if (!found) continue
      this.delete(found.key)
      this.#toTheEnd(urgency, found.node)
      this.#turn++
      return found
    }
    return undefined
  }

  depth(urgency: Urgency): number {
    return this.#depths[urgency]
  }

  /** Since when the one of this urgency that waits longest does. */
  oldest(urgency: Urgency): number | undefined {
    let oldest: number | undefined
    for (const keys of this.#laneOf(urgency).values()) {
      const [first] = keys
      const since = first === undefined ? undefined : this.#waiting.get(first)?.since
      if (since !== undefined && (oldest === undefined || since < oldest)) oldest = since
    }
    return oldest
  }

  /** Of 32 turns one belongs to mirrors first, and four to readings: what is urgent without end starves nobody. */
  #order(): readonly Urgency[] {
    const turn = this.#turn % 32
    if (turn === 31) return ['mirror', 'reading', 'state']
    return turn % 8 === 3 ? ['reading', 'state', 'mirror'] : URGENCIES
  }

  #toTheEnd(urgency: Urgency, node: string): void {
    const lane = this.#laneOf(urgency)
    const keys = lane.get(node)
    if (!keys) return
    lane.delete(node)
    lane.set(node, keys)
  }

  #laneOf(urgency: Urgency): Map<string, Set<string>> {
    const lane = this.#lanes.get(urgency)
    if (!lane) throw new RangeError(`no lane ${urgency}`)
    return lane
  }
}
