import type { ApiObject } from '../../kube/resource.ts'

export type Entry = readonly [key: string, object: ApiObject]

/** Objects in the order of their keys, as they were at one moment. */
export interface ObjectsView {
  get(key: string): ApiObject | undefined
  /** From a key on, to the last one. */
  from(start: string): Iterable<Entry>
  /** How many keys stand before the text; without one, all. */
  countBefore(text?: string): number
}

interface Block {
  /** How many views were taken when it was made: none that was taken later refers to it. */
  readonly age: number
  readonly entries: Entry[]
}

/** A change copies no more than one block, and a view refers to all of them. */
const MOST_IN_BLOCK = 256

/** Objects of one resource, by their keys and in the order of them. Views stay as they were taken, whatever changes. */
export class OrderedObjects {
  readonly #objects = new Map<string, ApiObject>()
  /** In order, none of them empty. */
  readonly #blocks: Block[] = []
  #views = 0
  #latest: ObjectsView | undefined

  get size(): number {
    return this.#objects.size
  }

  get(key: string): ApiObject | undefined {
    return this.#objects.get(key)
  }

  set(key: string, object: ApiObject): void {
    const isKnown = this.#objects.has(key)
    this.#objects.set(key, object)
    const at = this.#blockOf(key)
    const entries = this.#writable(at)
    const place = placeOf(entries, key)
    entries.splice(place, isKnown ? 1 : 0, [key, object])
    if (entries.length <= MOST_IN_BLOCK) return
    // What grows at its end, as all does while it is loaded, leaves full blocks behind.
    const half = place === MOST_IN_BLOCK ? MOST_IN_BLOCK : MOST_IN_BLOCK / 2
    this.#blocks.splice(at + 1, 0, { age: this.#views, entries: entries.splice(half) })
  }

  delete(key: string): void {
    if (!this.#objects.delete(key)) return
    const at = this.#blockOf(key)
    const entries = this.#writable(at)
    entries.splice(placeOf(entries, key), 1)
    if (entries.length === 0) this.#blocks.splice(at, 1)
  }

  /** What is there now. */
  view(): ObjectsView {
    if (this.#latest) return this.#latest
    this.#views++
    this.#latest = new BlocksView(this.#blocks.map(({ entries }) => entries))
    return this.#latest
  }

  #blockOf(key: string): number {
    const blocks = this.#blocks
    return Math.max(0, partition(blocks.length, (at) => (blocks[at]?.entries[0]?.[0] ?? '') <= key) - 1)
  }

  /** No view holds it. */
  #writable(at: number): Entry[] {
    this.#latest = undefined
    const block = this.#blocks[at]
    if (block?.age === this.#views) return block.entries
    const entries = [...(block?.entries ?? [])]
    this.#blocks[at] = { age: this.#views, entries }
    return entries
  }
}

class BlocksView implements ObjectsView {
  readonly #blocks: readonly (readonly Entry[])[]

  constructor(blocks: readonly (readonly Entry[])[]) {
    this.#blocks = blocks
  }

  get(key: string): ApiObject | undefined {
    const entries = this.#blocks[this.#blockOf(key)] ?? []
    const [known, object] = entries[placeOf(entries, key)] ?? []
    return known === key ? object : undefined
  }

  *from(start: string): Generator<Entry> {
    const first = this.#blockOf(start)
    for (let at = first; at < this.#blocks.length; at++) {
      const entries = this.#blocks[at] ?? []
      yield* at === first ? entries.slice(placeOf(entries, start)) : entries
    }
  }

  countBefore(text?: string): number {
    const at = text === undefined ? this.#blocks.length : this.#blockOf(text)
    const whole = this.#blocks.slice(0, at).reduce((sum, { length }) => sum + length, 0)
    return text === undefined ? whole : whole + placeOf(this.#blocks[at] ?? [], text)
  }

  #blockOf(key: string): number {
    const blocks = this.#blocks
    return Math.max(0, partition(blocks.length, (at) => (blocks[at]?.[0]?.[0] ?? '') <= key) - 1)
  }
}

/** Those of one prefix (empty: all; otherwise with `/` at its end), from a key on. */
export function* within(view: ObjectsView, prefix: string, start = ''): Generator<Entry> {
  for (const entry of view.from(start > prefix ? start : prefix)) {
    if (!entry[0].startsWith(prefix)) return
    yield entry
  }
}

export function countWithin(view: ObjectsView, prefix: string, start = ''): number {
  const before = view.countBefore(start > prefix ? start : prefix)
  // `0` is what comes after `/`.
  return view.countBefore(prefix === '' ? undefined : `${prefix.slice(0, -1)}0`) - before
}

function placeOf(entries: readonly Entry[], key: string): number {
  return partition(entries.length, (at) => (entries[at]?.[0] ?? '') < key)
}

/** How many of the first of them are `isBefore`; after those none is. */
function partition(length: number, isBefore: (at: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(middle)) low = middle + 1
    else high = middle
  }
  return low
}
