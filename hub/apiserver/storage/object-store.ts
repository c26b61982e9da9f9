import type { Metrics } from '../../../platform/health/index.ts'
import { BugError, SkerryError } from '../../../platform/lifecycle/index.ts'
import type { Row, Store, StoreCall } from '../../../platform/store/index.ts'
import { isApiObject, withMetadata } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { tooManyRequests, unavailable } from '../../kube/status.ts'
import { type Change, type ChangeLog, type ChangeLogBounds, changeOf } from '../../kube/watch/index.ts'
import { Collection } from '../../serving/objects/collection.ts'
import { objectText } from '../../serving/objects/object-text.ts'
import { type Entry, type ObjectsView, within } from '../../serving/objects/ordered-objects.ts'
import { KeyQueue } from './key-queue.ts'
import { Room } from './room.ts'

export interface ObjectStoreOptions {
  readonly store: Store
  readonly metrics: Metrics
  /** Changes of each resource that a watcher may go back to; between this and twice as many are kept. Default 2,000. */
  readonly history?: number
  /** JSON text of all objects together, in characters: more is refused. Default: no bound. */
  readonly mostText?: number
}

export type ChangeListener = (resource: string, change: Change) => void

interface Pending {
  readonly version: number
  readonly resource: string
  readonly key: string
  readonly after: ApiObject | undefined
  /** Given back where the change does not come about. */
  readonly room: Disposable
  state: 'writing' | 'durable' | 'failed'
  readonly settled: PromiseWithResolvers<void>
  error: unknown
}

const DEFAULT_HISTORY = 2_000
/** Of the changes of one resource that are remembered, as JSON text. */
const HISTORY_BYTES = 16 * 1024 * 1024
/** What a change costs beside its text. */
const CHANGE_BYTES = 256
const MOST_WAITING_PER_KEY = 500

/**
 * All objects in memory, each change durable before anybody sees it. resourceVersions are one strictly increasing sequence
 * over all resources, also after kill -9; changes become visible in that order. Objects are never mutated.
 */
export class ObjectStore {
  readonly #store: Store
  readonly #bounds: ChangeLogBounds
  readonly #collections = new Map<string, Collection>()
  readonly #queue = new KeyQueue(MOST_WAITING_PER_KEY)
  readonly #pending: Pending[] = []
  readonly #listeners = new Set<ChangeListener>()
  readonly #room: Room
  readonly #broken = Promise.withResolvers<never>()
  /** Highest version given to a change. */
  #given = 0
  /** Highest version that readers see. */
  #visible = 0
  #first = 0

  constructor(options: ObjectStoreOptions) {
    const { store, metrics, history = DEFAULT_HISTORY, mostText = Number.POSITIVE_INFINITY } = options
    this.#store = store
    this.#room = new Room(mostText)
    this.#bounds = { changes: history, bytes: HISTORY_BYTES }
    this.#broken.promise.catch(() => undefined)
    metrics
      .gauge({ name: 'skerry_api_objects', help: 'Objects that the embedded API holds.' })
      .follow(() => [...this.#collections.values()].reduce((sum, { size }) => sum + size, 0))
    metrics
      .gauge({ name: 'skerry_api_object_bytes', help: 'Text of the objects that the embedded API holds.' })
      .follow(() => this.#room.taken)
    metrics
      .gauge({ name: 'skerry_api_remembered_change_bytes', help: 'Text of the changes that watches may go back to.' })
      .follow(() => [...this.#collections.values()].reduce((sum, { log }) => sum + log.bytes, 0))
    metrics
      .gauge({ name: 'skerry_api_watchers', help: 'Watches that are open.' })
      .follow(() => [...this.#collections.values()].reduce((sum, { log }) => sum + log.watchers, 0))
  }

  /** Rejects when it is unknown what of the last writes is durable: the store has to be loaded again. */
  get broken(): Promise<never> {
    return this.#broken.promise
  }

  /** Reads everything. Once, before all else. */
  async load(): Promise<void> {
    const [head] = await this.#store.read({ statement: 'kubernetes.head', parameters: [] })
    let version = Number(head?.['version'] ?? 0)
    const loaded: { resource: string; key: string; object: ApiObject }[] = []
    const read = (after: string) => {
      const page = this.#store.read({ statement: 'kubernetes.page', parameters: [after] })
      page.catch(() => undefined)
      return page
    }
    // The next page is read while one is parsed.
    for (let page = read(''); ; ) {
      const rows = await page
      const last = rows.at(-1)
      if (!last) break
      page = read(String(last['id']))
      for (const row of rows) {
        const one = parseRow(row)
        loaded.push(one)
        this.#room.put(one.object, String(row['body']).length)
        version = Math.max(version, Number(row['version']))
      }
    }
    // An empty list has a version too, and 0 means "any" in a request.
    this.#given = this.#visible = this.#first = Math.max(version, 1)
    for (const { resource, key, object } of loaded) this.#collection(resource).put(key, object)
  }

  /** The version that lists carry now. */
  get version(): number {
    return this.#visible
  }

  get(resource: string, key: string): ApiObject | undefined {
    return this.#collections.get(resource)?.get(key)
  }

  /** All objects of a resource, in order; those of one namespace share the prefix `namespace/`. */
  list(resource: string, prefix = ''): readonly Entry[] {
    const view = this.#collections.get(resource)?.view()
    return view ? [...within(view, prefix)] : []
  }

  /** The objects of a resource as they are now, or were at a version; undefined when that is forgotten, or was never reached. */
  view(resource: string, version = this.#visible): ObjectsView | undefined {
    if (version > this.#visible) return undefined
    return this.#collection(resource).view(version === this.#visible ? undefined : version)
  }

  /**
   * Keys of the objects that hold a text in a field, without a look at the others; with a version also of some that were others
   * then. Undefined for a field by which nothing is found.
   */
  keysWith(resource: string, field: string, value: string, version?: number): readonly string[] | undefined {
    return this.#collection(resource).keysWith(field, value, version)
  }

  /** The log of a resource, for watches. */
  log(resource: string): ChangeLog {
    return this.#collection(resource).log
  }

  /** Forgets what changed up to the version: who asks for it has to list again. */
  compact(version: number): void {
    for (const { log } of this.#collections.values()) log.compact(version)
  }

  /** Resources of which at least one object is there. */
  resources(): readonly string[] {
    return [...this.#collections].filter(([, { size }]) => size > 0).map(([resource]) => resource)
  }

  /** Whether a change is on its way to the disk that keeps or makes an object under the prefix. */
  isWriting(prefix: string, resource?: string): boolean {
    return this.#pending.some(
      (change) =>
        change.after !== undefined &&
        change.key.startsWith(prefix) &&
        (resource === undefined || change.resource === resource),
    )
  }

  /** Called after each visible change, in order. Must not throw. */
  onChange(listener: ChangeListener): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /**
   * Changes one object: `decide` sees the present state, with nothing else of this key going on, and answers the next one
   * (undefined: remove it; the same object: leave it). Resolves with what is stored then, once it is durable and visible.
   */
  async change<T extends ApiObject | undefined>(
    resource: string,
    key: string,
    decide: (current: ApiObject | undefined) => Promise<T> | T,
  ): Promise<ApiObject | undefined> {
    const result = this.#queue.tryRun(`${resource}/${key}`, async () => {
      const current = this.get(resource, key)
      const next = await decide(current)
      return next === current ? current : await this.#commit(resource, key, current, next)
    })
    if (!result) throw tooManyRequests(`too many requests wait to change ${resource} ${key}, please try again later`)
    return await result
  }

  async #commit(
    resource: string,
    key: string,
    before: ApiObject | undefined,
    next: ApiObject | undefined,
  ): Promise<ApiObject | undefined> {
    const version = this.#given + 1
    const after = next && withMetadata(next, { resourceVersion: String(version) })
    // What may throw comes first: all later changes wait for those that are pending.
    const calls = callsOf({ version, resource, key, after })
    const room = this.#room.take(before, after, after ? objectText(after).length : 0)
    this.#given = version
    const pending: Pending = {
      version,
      resource,
      key,
      after,
      room,
      state: 'writing',
      settled: Promise.withResolvers(),
      error: undefined,
    }
    this.#pending.push(pending)
    this.#store.write(calls).then(
      () => this.#settle(pending, 'durable'),
      (error: unknown) => {
        pending.error = error
        this.#settle(pending, 'failed')
      },
    )
    await pending.settled.promise
    return after
  }

  #settle(pending: Pending, state: 'durable' | 'failed'): void {
    pending.state = state
    for (let [first] = this.#pending; first && first.state !== 'writing'; [first] = this.#pending) {
      this.#pending.shift()
      if (first.state === 'durable') this.#publish(first)
      else this.#fail(first)
    }
  }

  #publish({ version, resource, key, after, settled }: Pending): void {
    const collection = this.#collection(resource)
    const before = collection.get(key)
    collection.put(key, after)
    this.#visible = version
    const change = changeOf(version, key, before, after)
    if (change) {
      collection.log.append(change, CHANGE_BYTES + objectText(change.shown).length)
      for (const listener of [...this.#listeners]) listener(resource, change)
    }
    settled.resolve()
  }

  #fail({ error, room, settled }: Pending): void {
    room[Symbol.dispose]()
    if (error instanceof SkerryError && error.code === 'PLATFORM_STORE_STOPPED') this.#broken.reject(error)
    settled.reject(unavailable('the change could not be made durable, please try again later', error))
  }

  #collection(resource: string): Collection {
    const known = this.#collections.get(resource)
    if (known) return known
    const made = new Collection(resource, this.#first, this.#bounds)
    this.#collections.set(resource, made)
    return made
  }
}

function callsOf({
  version,
  resource,
  key,
  after,
}: Pick<Pending, 'version' | 'resource' | 'key' | 'after'>): readonly StoreCall[] {
  const id = `${resource} ${key}`
  if (after) return [{ statement: 'kubernetes.put', parameters: [id, resource, version, objectText(after)] }]
  // What is there bears its version; that of a deletion stands nowhere else.
  return [
    { statement: 'kubernetes.remove', parameters: [id] },
    { statement: 'kubernetes.advance', parameters: [version] },
  ]
}

function parseRow(row: Row): { resource: string; key: string; object: ApiObject } {
  const resource = String(row['resource'])
  const object: unknown = JSON.parse(String(row['body']))
  if (!isApiObject(object)) {
    throw new BugError('The database of the Kubernetes API holds something that is no object', {
      code: 'HUB_API_STORED_OBJECT',
      fields: { id: row['id'] },
    })
  }
  return { resource, key: String(row['id']).slice(resource.length + 1), object }
}
