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

export interface ChangeLogBounds {
  /** Between this and twice as many are kept. */
  readonly changes: number
  /** What the changes may hold in memory, as their owner counts it. */
  readonly bytes: number
}

/**
 * The last changes of one resource, oldest first. Bounded: what falls out is compacted, and who asks for it has to list
 * again. Listeners run in the order of versions and must not throw.
 */
export class ChangeLog {
  readonly #bounds: ChangeLogBounds
  readonly #listeners = new Set<(change: Change, bytes: number) => void>()
  #changes: Change[] = []
  /** Of each change, and of all. */
  #sizes: number[] = []
  #bytes = 0
  #compacted: number

  /** Nothing up to `compacted` is remembered. */
  constructor(compacted: number, bounds: ChangeLogBounds) {
    this.#compacted = compacted
    this.#bounds = bounds
  }

  /** Changes after this version can be told. */
  get compacted(): number {
    return this.#compacted
  }

  get watchers(): number {
    return this.#listeners.size
  }

  get bytes(): number {
    return this.#bytes
  }

  append(change: Change, bytes = 0): void {
    this.#changes.push(change)
    this.#sizes.push(bytes)
    this.#bytes += bytes
    if (this.#changes.length > this.#bounds.changes * 2) this.#trim(this.#changes.length - this.#bounds.changes)
    if (this.#bytes > this.#bounds.bytes) this.#trim(this.#countBeyond(this.#bounds.bytes / 2))
    for (const listener of [...this.#listeners]) listener(change, bytes)
  }

  /** All changes after the version, or undefined when some of them are forgotten. */
  since(version: number): readonly Change[] | undefined {
    if (version < this.#compacted) return undefined
    return this.#changes.slice(this.#indexAfter(version))
  }

  /** Forgets what happened up to the version. */
  compact(version: number): void {
    this.#trim(this.#indexAfter(version))
  }

  /** `bytes`: as its owner counted them. */
  listen(listener: (change: Change, bytes: number) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  #trim(count: number): void {
    if (count === 0) return
    this.#compacted = this.#changes[count - 1]?.version ?? this.#compacted
    this.#changes = this.#changes.slice(count)
    for (const size of this.#sizes.slice(0, count)) this.#bytes -= size
    this.#sizes = this.#sizes.slice(count)
  }

  /** How many of the oldest have to go so that the rest holds no more than that. */
  #countBeyond(bytes: number): number {
    let left = this.#bytes
    let count = 0
    for (; left > bytes && count < this.#sizes.length; count++) left -= this.#sizes[count] ?? 0
    return count
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
