import type { ApiObject } from '../../kube/resource.ts'
import { ChangeLog, type ChangeLogBounds, statesBefore } from '../../kube/watch/index.ts'
import { FieldIndex } from './field-index.ts'
import { type ObjectsView, OrderedObjects } from './ordered-objects.ts'
import { pastView } from './past-view.ts'

/** Fields by which objects are looked for where there are many of them: each node for its pods, people for the events of an object. */
const INDEXED: Readonly<Record<string, readonly string[]>> = {
  '/pods': ['spec.nodeName'],
  '/events': ['involvedObject.uid', 'involvedObject.name'],
}

/** The objects of one resource and what finds them, with the changes that are remembered. */
export class Collection {
  readonly log: ChangeLog
  readonly #objects = new OrderedObjects()
  readonly #indexes: ReadonlyMap<string, FieldIndex>

  /** Nothing up to version `first` is remembered. */
  constructor(resource: string, first: number, bounds: ChangeLogBounds) {
    this.log = new ChangeLog(first, bounds)
    this.#indexes = new Map((INDEXED[resource] ?? []).map((field) => [field, new FieldIndex(field)]))
  }

  get size(): number {
    return this.#objects.size
  }

  get(key: string): ApiObject | undefined {
    return this.#objects.get(key)
  }

  /** Undefined removes. */
  put(key: string, object: ApiObject | undefined): void {
    const before = this.#objects.get(key)
    if (object) this.#objects.set(key, object)
    else this.#objects.delete(key)
    for (const index of this.#indexes.values()) index.change(key, before, object)
  }

  /** What is there; undefined for an earlier version that is forgotten. */
  view(version?: number): ObjectsView | undefined {
    const present = this.#objects.view()
    if (version === undefined) return present
    const changes = this.log.since(version)
    return changes && (changes.length === 0 ? present : pastView(present, statesBefore(changes)))
  }

  /**
   * Keys of all objects that hold the text in the field, in order; with a version also of those that were another then.
   * Undefined for a field by which nothing is found.
   */
  keysWith(field: string, value: string, version?: number): readonly string[] | undefined {
    const index = this.#indexes.get(field)
    if (!index) return undefined
    const changes = version === undefined ? [] : (this.log.since(version) ?? [])
    return [...new Set([...index.keysOf(value), ...changes.map(({ key }) => key)])].sort()
  }
}
