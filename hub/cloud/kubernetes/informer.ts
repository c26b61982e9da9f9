import { unlessAborted } from '../../../platform/time/index.ts'
import type { KubeObject } from '../../../schemas/index.ts'
import { Following, type InformerOptions, type InformerPorts } from './follow.ts'
import { joinKey, keyOf, type ObjectKey, type ObjectList, type ResourceType } from './kubernetes.ts'

export type { InformerOptions, InformerPorts } from './follow.ts'

/**
 * Called in the order of changes. `now` is absent after a deletion, `before` on the first sight; the two are always of one uid: what
 * was deleted and made anew while nobody watched is told as both. Must not throw.
 */
export type InformerHandler<T> = (now: T | undefined, before: T | undefined) => void

/** A local copy of all objects of one kind, kept fresh by list and watch. Reads are synchronous and may be slightly stale. */
export interface Informer<T extends KubeObject> {
  readonly type: ResourceType<T>
  /** Settles after the first complete list; rejects only when `signal` aborts. */
  synced(signal?: AbortSignal): Promise<void>
  /** Whether the first complete list is there. */
  readonly isSynced: boolean
  get(at: ObjectKey): T | undefined
  list(): readonly T[]
  /** Later objects are told to the handler; those already there are told at once. */
  onChange(handler: InformerHandler<T>): Disposable
  /** Takes the answer of an own write, so that the next read sees it before the watch brings it. */
  absorb(object: T): void
}

/** An informer with its endless work, which the caller runs in its scope. */
export interface RunningInformer<T extends KubeObject> extends Informer<T> {
  run(signal: AbortSignal): Promise<void>
  /** Grows when a complete list begins, and again when the cache has taken it over: odd in between. */
  readonly lists: number
}

export function createInformer<T extends KubeObject>(
  type: ResourceType<T>,
  options: InformerOptions<T>,
  ports: InformerPorts,
): RunningInformer<T> {
  const cache = new InformerCache(type, options.keep)
  cache.follow = (signal) => new Following(cache, options, ports).run(signal)
  return cache
}

/** Deletions remembered: far more than there can be while one write is under way. */
const GONE_BOUND = 5000

class InformerCache<T extends KubeObject> implements RunningInformer<T> {
  follow: (signal: AbortSignal) => Promise<void> = async () => undefined
  readonly type: ResourceType<T>
  readonly #objects = new Map<string, T>()
  readonly #handlers = new Set<InformerHandler<T>>()
  /** uids of objects that the watch or a list took away, oldest first. */
  readonly #gone = new Set<string>()
  /** Answers to own writes that came while a list was under way, which may have been made before them. */
  readonly #absorbed = new Map<string, T>()
  readonly #first = Promise.withResolvers<void>()
  readonly #keep: ((object: T) => boolean) | undefined
  #isSynced = false
  #lists = 0

  constructor(type: ResourceType<T>, keep: ((object: T) => boolean) | undefined) {
    this.type = type
    this.#keep = keep
  }

  get lists(): number {
    return this.#lists
  }

  async refill(list: () => Promise<ObjectList<T>>): Promise<string> {
    this.#lists++
    try {
      const answer = await list()
      this.#replaceAll(answer)
      return answer.resourceVersion
    } finally {
      this.#lists++
      this.#absorbed.clear()
    }
  }

  run(signal: AbortSignal): Promise<void> {
    return this.follow(signal)
  }

  async synced(signal?: AbortSignal): Promise<void> {
    await unlessAborted(this.#first.promise, signal)
  }

  get isSynced(): boolean {
    return this.#isSynced
  }

  get(at: ObjectKey): T | undefined {
    return this.#objects.get(joinKey(at))
  }

  list(): readonly T[] {
    return [...this.#objects.values()]
  }

  onChange(handler: InformerHandler<T>): Disposable {
    this.#handlers.add(handler)
    for (const object of this.#objects.values()) handler(object, undefined)
    return { [Symbol.dispose]: () => void this.#handlers.delete(handler) }
  }

  absorb(object: T): void {
    // The answer to a write may arrive after the news of the object's deletion, and nothing would take it away again.
    if (this.#gone.has(object.metadata.uid ?? '')) return
    if (this.#lists % 2 === 1) this.#absorbed.set(keyOf(object), object)
    this.apply(object)
  }

  /** A complete list wins even where it is older: the API may have been restored from a backup. */
  apply(object: T, complete = false): void {
    const key = keyOf(object)
    const before = this.#objects.get(key)
    if (before && (isOlder(object, before) ? !complete : isSame(object, before))) return
    const isKept = this.#keep?.(object) ?? true
    const isSuccessor = before !== undefined && before.metadata.uid !== object.metadata.uid
    if (before && (isSuccessor || !isKept)) this.remove(before)
    if (!isKept) return
    this.#objects.set(key, object)
    this.#gone.delete(object.metadata.uid ?? '')
    for (const handler of this.#handlers) handler(object, isSuccessor ? undefined : before)
  }

  remove(object: KubeObject): void {
    const key = keyOf(object)
    this.#bury(object.metadata.uid)
    const before = this.#objects.get(key)
    if (!before) return
    // The name may already belong to a successor that an own write brought.
    if (before.metadata.uid !== object.metadata.uid) return
    this.#objects.delete(key)
    for (const handler of this.#handlers) handler(undefined, before)
  }

  #bury(uid: string | undefined): void {
    if (uid === undefined) return
    this.#gone.add(uid)
    const [oldest] = this.#gone
    if (this.#gone.size > GONE_BOUND && oldest !== undefined) this.#gone.delete(oldest)
  }

  #replaceAll({ items, resourceVersion }: ObjectList<T>): void {
    const present = new Set(items.map(keyOf))
    for (const [key, object] of [...this.#objects])
      if (!present.has(key) && !this.#isLater(key, resourceVersion)) this.remove(object)
    for (const object of items) this.apply(object, !this.#isLater(keyOf(object), resourceVersion))
    this.#isSynced = true
    this.#first.resolve()
  }

  /** An own write that a list does not show yet; the watch that follows it will. */
  #isLater(key: string, version: string): boolean {
    const absorbed = this.#absorbed.get(key)?.metadata.resourceVersion
    return absorbed !== undefined && isLower(version, absorbed)
  }
}

function isSame(a: KubeObject, b: KubeObject): boolean {
  const version = a.metadata.resourceVersion
  return version !== undefined && version === b.metadata.resourceVersion && a.metadata.uid === b.metadata.uid
}

/** resourceVersions are opaque; only where both are plain numbers can one be older. */
function isOlder(a: KubeObject, b: KubeObject): boolean {
  return isLower(a.metadata.resourceVersion ?? '', b.metadata.resourceVersion ?? '')
}

function isLower(left: string, right: string): boolean {
  if (!/^(0|[1-9]\d*)$/.test(left) || !/^(0|[1-9]\d*)$/.test(right)) return false
  return left.length === right.length ? left < right : left.length < right.length
}
