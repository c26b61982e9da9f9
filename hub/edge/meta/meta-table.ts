import { RefusedError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { MetaRow } from './meta-store.ts'

/** How much of the cloud's objects a node takes. */
export interface MetaLimits {
  readonly maxObjects: number
  readonly maxObjectBytes: number
  /** Of all objects together, as JSON. */
  readonly maxBytes: number
}

export const META_LIMITS: MetaLimits = {
  maxObjects: 100_000,
  maxObjectBytes: 16 * 1024 * 1024,
  maxBytes: 256 * 1024 * 1024,
}

/** The objects of this node in memory, as they are on disk, and how much they are. */
export class MetaTable {
  readonly #limits: MetaLimits
  readonly #rows = new Map<string, MetaRow>()
  #bytes = 0
  /** Rows on their way to the disk, so that those which are written side by side keep the bounds together. */
  readonly #coming = new Set<MetaRow>()

  constructor(limits: MetaLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#rows.size
  }

  get bytes(): number {
    return this.#bytes
  }

  get(key: string): MetaRow | undefined {
    return this.#rows.get(key)
  }

  rows(): IterableIterator<MetaRow> {
    return this.#rows.values()
  }

  clear(): void {
    this.#rows.clear()
    this.#bytes = 0
  }

  set(row: MetaRow): void {
    this.#bytes += bytesOf(row) - bytesOf(this.#rows.get(row.key))
    this.#rows.set(row.key, row)
  }

  delete(key: string): void {
    this.#bytes -= bytesOf(this.#rows.get(key))
    this.#rows.delete(key)
  }

  /** Has the row written, and takes it. Throws what says how much is too much before anything is written. */
  async take(row: MetaRow, write: () => Promise<void>): Promise<void> {
    this.#admit(row)
    this.#coming.add(row)
    try {
      await write()
      this.set(row)
    } finally {
      this.#coming.delete(row)
    }
  }

  #admit(row: MetaRow): void {
    const { maxObjects, maxObjectBytes, maxBytes } = this.#limits
    const bytes = bytesOf(row)
    if (bytes > maxObjectBytes) {
      throw new RefusedError(
        `the object has ${bytes} bytes, this node takes ${maxObjectBytes}: make it smaller, or raise cloud.objects.maxObjectBytes of the node`,
        { code: 'HUB_OBJECT_TOO_LARGE', fields: { resource: row.key, bytes, maxObjectBytes } },
      )
    }
    const present = this.#rows.get(row.key)
    let objects = this.#rows.size + (present ? 0 : 1)
    let total = this.#bytes + bytes - bytesOf(present)
    for (const other of this.#coming) {
      if (!this.#rows.has(other.key)) objects++
      total += bytesOf(other)
    }
    // An object that is here already may always change, as long as it does not grow beyond the bound.
    if ((!present && objects > maxObjects) || (total > maxBytes && bytes > bytesOf(present))) {
      throw new UnavailableError(
        `this node has no room for more objects (${this.#rows.size} of ${maxObjects}, ${this.#bytes} of ${maxBytes} bytes): take some away, or raise cloud.objects of the node`,
        { code: 'HUB_OBJECTS_FULL', fields: { resource: row.key, maxObjects, maxBytes } },
      )
    }
  }
}

/** JavaScript's length is at most the bytes; UTF-8 is counted once for each object. */
const counted = new WeakMap<MetaRow, number>()

function bytesOf(row: MetaRow | undefined): number {
  if (!row) return 0
  const known = counted.get(row)
  if (known !== undefined) return known
  const bytes = Buffer.byteLength(row.value)
  counted.set(row, bytes)
  return bytes
}
