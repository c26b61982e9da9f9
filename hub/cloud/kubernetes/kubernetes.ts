import type { JsonObject, KubeObject } from '../../../schemas/index.ts'

/** One kind that the cloud half reads or writes, and how to tell that an object really is one. */
export interface ResourceType<T extends KubeObject = KubeObject> {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  /** Checked once, where an object enters; inside, fields are not checked again. */
  accepts(object: KubeObject): object is T
}

export interface ObjectKey {
  readonly namespace?: string
  readonly name: string
}

export interface ListOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

export interface ObjectList<T> {
  readonly items: readonly T[]
  /** Opaque; where a watch may start. */
  readonly resourceVersion: string
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }

export interface PatchOptions {
  readonly type: 'merge' | 'json' | 'strategic'
  /** Such as `status`. */
  readonly subresource?: string
}

export interface DeleteOptions {
  /** Only the object with this uid. */
  readonly uid?: string
  readonly gracePeriodSeconds?: number
}

/**
 * Any Kubernetes API. Failures are SkerryErrors whose `fields` hold `status` and `reason` of the API: ConflictError (somebody
 * else was faster, or AlreadyExists), UnavailableError (no answer, throttled, server trouble), RefusedError (the rest). Each
 * call has a deadline of its own; `signal` ends it earlier.
 */
export interface Kubernetes {
  /** Nothing where the API says that the object does not exist; throws a RefusedError with reason `NotServed` where it has no such kind. */
  get<T extends KubeObject>(type: ResourceType<T>, at: ObjectKey, signal?: AbortSignal): Promise<T | undefined>
  list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions, signal?: AbortSignal): Promise<ObjectList<T>>
  create<T extends KubeObject>(
    type: ResourceType<T>,
    namespace: string | undefined,
    object: object,
    signal?: AbortSignal,
  ): Promise<T>
  /** Creates below an object: `token` of a ServiceAccount, `eviction` of a Pod. The answer is as it came. */
  createBelow(
    type: ResourceType,
    at: ObjectKey,
    subresource: string,
    body: object,
    signal?: AbortSignal,
  ): Promise<JsonObject>
  /** Asks by creating what is answered and never stored, such as a TokenReview. The answer is its `status`. */
  review(type: ResourceType, spec: JsonObject, signal?: AbortSignal): Promise<JsonObject>
  replace<T extends KubeObject>(
    type: ResourceType<T>,
    at: ObjectKey,
    object: object,
    options?: { readonly subresource?: string },
    signal?: AbortSignal,
  ): Promise<T>
  patch<T extends KubeObject>(
    type: ResourceType<T>,
    at: ObjectKey,
    body: object,
    options: PatchOptions,
    signal?: AbortSignal,
  ): Promise<T>
  /** An object that is already gone counts as deleted. */
  delete(type: ResourceType, at: ObjectKey, options?: DeleteOptions, signal?: AbortSignal): Promise<void>
  /**
   * Events after `resourceVersion`, until the server ends the stream or `signal` aborts. A server that takes its time until the first
   * change may be heard before, with a BOOKMARK of that version. Throws a RefusedError with reason
   * `Expired` when the version is too old, and UnavailableError after 100 s without a sign of life.
   */
  watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: ListOptions & { readonly resourceVersion: string },
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>
}

/** `namespace/name`, or the bare name of a cluster-scoped object: the key of caches and queues. */
export function keyOf(object: KubeObject): string {
  return joinKey(object.metadata)
}

export function joinKey(at: ObjectKey): string {
  return at.namespace === undefined ? at.name : `${at.namespace}/${at.name}`
}

export function apiVersionOf(type: ResourceType): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`
}
