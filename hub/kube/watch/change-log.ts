import { withMetadata } from '../object/access.ts'
import type { ApiObject } from '../resource.ts'

/** One durable change of one object. At least one of `before` and `after` is there. */
export interface Change {
  /** The resourceVersion that it made. */
  readonly version: number
  /** `namespace/name`, or `/name` for cluster-scoped objects. */
  readonly key: string
  readonly before: ApiObject | undefined
  /** Undefined: deleted. */
  readonly after: ApiObject | undefined
  /** What a watcher gets: `after`, or the last state with the version of its deletion. */
  readonly shown: ApiObject
}

export function changeOf(
  version: number,
  key: string,
  before: ApiObject | undefined,
  after: ApiObject | undefined,
): Change | undefined {
  if (after) return { version, key, before, after, shown: after }
  if (!before) return undefined
  return { version, key, before, after, shown: withMetadata(before, { resourceVersion: String(version) }) }
}

/**
 * The last changes of one resource, oldest first. Bounded: what falls out is compacted, and who asks for it has to list
 * again. Listeners run in the order of versions and must not throw.
 */
export class ChangeLog {
  readonly #capacity: number
  readonly #listeners = new Set<(change: Change) => void>()
  #changes: Change[] = []
  #compacted: number

  /** Nothing up to `compacted` is remembered. */
  constructor(compacted: number, capacity: number) {
    this.#compacted = compacted
    this.#capacity = capacity
  }

  /** Changes after this version can be told. */
  get compacted(): number {
    return this.#compacted
  }

  get watchers(): number {
    return this.#listeners.size
  }

  append(change: Change): void {
    this.#changes.push(change)
    if (this.#changes.length > this.#capacity * 2) this.#trim(this.#changes.length - this.#capacity)
    for (const listener of [...this.#listeners]) listener(change)
  }

  /** All changes after the version, or undefined when some of them are forgotten. */
  since(version: number): readonly Change[] | undefined {
    if (version < this.#compacted) return undefined
    return this.#changes.slice(this.#indexAfter(version))
  }

  /** Forgets all that is there. */
  compact(): void {
    this.#trim(this.#changes.length)
  }

  listen(listener: (change: Change) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  #trim(count: number): void {
    this.#compacted = this.#changes[count - 1]?.version ?? this.#compacted
    this.#changes = this.#changes.slice(count)
  }

  #indexAfter(version: number): number {
    let low = 0
    let high = this.#changes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#changes[middle]?.version ?? 0) <= version) low = middle + 1
      else high = middle
    }
    return low
  }
}
