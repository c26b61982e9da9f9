/** Something that falls due, monotonic ms. */
export interface Due {
  readonly at: number
}

/** What falls due first comes out first; put and take cost the logarithm of the size. */
export class DueHeap<T extends Due> {
  #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  put(item: T): void {
    const items = this.#items
    let index = items.length
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = items[parent]
      if (!above || above.at <= item.at) break
      items[index] = above
      index = parent
    }
    items[index] = item
  }

  take(): T | undefined {
    const items = this.#items
    const [first] = items
    const last = items.pop()
    if (!last || items.length === 0) return first
    let index = 0
    for (;;) {
      const child = this.#earlierChild(index)
      const below = items[child]
      if (!below || below.at >= last.at) break
      items[index] = below
      index = child
    }
    items[index] = last
    return first
  }

  /** Keeps what the test wants. */
  retain(wanted: (item: T) => boolean): void {
    const kept = this.#items.filter(wanted)
    this.#items = []
    for (const item of kept) this.put(item)
  }

  #earlierChild(index: number): number {
    const left = 2 * index + 1
    const one = this.#items[left]
    const other = this.#items[left + 1]
    return one && other && other.at < one.at ? left + 1 : left
  }
}
