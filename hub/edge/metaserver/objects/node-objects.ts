import { sameJson, withMetadata } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { type ChangeLog, changeOf } from '../../../kube/watch/index.ts'
import { Collection } from '../../../serving/objects/collection.ts'
import { objectText } from '../../../serving/objects/object-text.ts'
import type { ObjectsView } from '../../../serving/objects/ordered-objects.ts'
import type { ReadableObjects } from '../../../serving/reading/context.ts'
import type { NodeVersions } from './node-versions.ts'

/** Of each kind: a client that was away for more lists again. */
const HISTORY = { changes: 1_000, bytes: 4 * 1024 * 1024 }
/** What a change costs beside its text. */
const CHANGE_BYTES = 256

/** What this node shows of each object, with the versions of this node. */
export class NodeObjects implements ReadableObjects {
  readonly #versions: NodeVersions
  readonly #collections = new Map<string, Collection>()
  readonly #first: number
  #visible: number

  constructor(versions: NodeVersions) {
    this.#versions = versions
    this.#first = this.#visible = versions.last
  }

  get version(): number {
    return this.#visible
  }

  /** How many watches are open. */
  get watchers(): number {
    return [...this.#collections.values()].reduce((sum, { log }) => sum + log.watchers, 0)
  }

  get size(): number {
    return [...this.#collections.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** The object is so now (undefined: gone). What shows no difference is no change. */
  put(resource: string, key: string, object: ApiObject | undefined): void {
    const collection = this.#collection(resource)
    const before = collection.get(key)
    if (!before && !object) return
    if (before && object) {
      const { resourceVersion } = before.metadata
      if (sameJson(before, withMetadata(object, { resourceVersion }))) return
    }
    const version = this.#versions.next()
    const after = object && withMetadata(object, { resourceVersion: String(version) })
    collection.put(key, after)
    this.#visible = version
    const change = changeOf(version, key, before, after)
    if (change) collection.log.append(change, CHANGE_BYTES + objectText(change.shown).length)
  }

  get(resource: string, key: string): ApiObject | undefined {
    return this.#collections.get(resource)?.get(key)
  }

  /** Whether this node has anything of the kind. */
  holds(resource: string): boolean {
    return (this.#collections.get(resource)?.size ?? 0) > 0
  }

  view(resource: string, version = this.#visible): ObjectsView | undefined {
    if (version > this.#visible) return undefined
    return this.#collection(resource).view(version === this.#visible ? undefined : version)
  }

  keysWith(resource: string, field: string, value: string, version?: number): readonly string[] | undefined {
    return this.#collection(resource).keysWith(field, value, version)
  }

  log(resource: string): ChangeLog {
    return this.#collection(resource).log
  }

  #collection(resource: string): Collection {
    const known = this.#collections.get(resource)
    if (known) return known
    const made = new Collection(resource, this.#first, HISTORY)
    this.#collections.set(resource, made)
    return made
  }
}
