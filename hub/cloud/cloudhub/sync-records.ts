import type { Metrics } from '../../../platform/health/index.ts'
import { createReconciler } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock, Random } from '../../../platform/time/index.ts'
import type { KubeObject } from '../../../schemas/index.ts'
import { type Informer, type Kubernetes, OBJECT_SYNCS, type ObjectSync, reasonOfError } from '../kubernetes/index.ts'

/** What a node acknowledged of one object, or that something of it was sent. */
export interface SyncRecord {
  readonly uid: string
  /** Skeleton of the object, for its deletion. */
  readonly object: KubeObject
  /** See Delivery.version; empty while nothing is acknowledged. */
  readonly version: string
  /** Database of the edge that acknowledged; empty for an original edge. */
  readonly epoch: string
}

export const VERSION_ANNOTATION = 'skerry.dev/version'
export const EPOCH_ANNOTATION = 'skerry.dev/epoch'

export interface SyncRecordPorts {
  readonly kubernetes: Kubernetes
  readonly records: Informer<ObjectSync>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

type Wish =
  | { readonly kind: 'acknowledged'; readonly record: SyncRecord; readonly resourceVersion: string }
  | { readonly kind: 'gone' }

/**
 * KubeEdge's ObjectSync objects, `<node>.<uid>` in the namespace of the object. A record is made before the first send, so
 * that a deletion is never forgotten; it is raised after the acknowledgement and removed after that of the deletion.
 */
export class SyncRecords {
  readonly #ports: SyncRecordPorts
  readonly #byNode = new Map<string, Map<string, ObjectSync>>()
  /** What was learned and is not written yet, by record key. */
  readonly #wishes = new Map<string, Wish>()
  readonly #writer

  constructor(ports: SyncRecordPorts) {
    this.#ports = ports
    this.#writer = createReconciler({
      name: 'objectsyncs',
      reconcile: (key, signal) => this.#write(key, signal),
      workers: 8,
      clock: ports.clock,
      random: ports.random,
      log: ports.log,
      ...(ports.metrics ? { metrics: ports.metrics } : {}),
    })
    ports.records.onChange((now, before) => this.#index(now, before))
  }

  /** Writes what is learned until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#writer.run(signal)
  }

  /** Records of a node by uid of the object, with what is learned but not written yet. */
  of(node: string): ReadonlyMap<string, SyncRecord> {
    const records = new Map<string, SyncRecord>()
    for (const [uid, sync] of this.#byNode.get(node) ?? []) {
      const wish = this.#wishes.get(keyOfRecord(namespaceOf(sync), node, uid))
      if (wish?.kind === 'gone') continue
      records.set(uid, wish ? wish.record : readRecord(uid, sync))
    }
    return records
  }

  /** Whether the node has a record that is not about to go. */
  has(node: string): boolean {
    for (const [uid, sync] of this.#byNode.get(node) ?? []) {
      if (this.#wishes.get(keyOfRecord(namespaceOf(sync), node, uid))?.kind !== 'gone') return true
    }
    return false
  }

  /** Settles when the record exists. */
  async open(node: string, object: KubeObject, signal?: AbortSignal): Promise<void> {
    const namespace = object.metadata.namespace ?? 'default'
    const uid = object.metadata.uid ?? ''
    this.#wishes.delete(keyOfRecord(namespace, node, uid))
    const name = `${node}.${uid}`
    if (this.#byNode.get(node)?.has(uid)) return
    const { apiVersion: objectAPIVersion, kind: objectKind, metadata } = object
    const spec = { objectAPIVersion, objectKind, objectName: metadata.name }
    try {
      const made = await this.#ports.kubernetes.create(OBJECT_SYNCS, namespace, { metadata: { name }, spec }, signal)
      this.#ports.records.absorb(made)
    } catch (error) {
      if (reasonOfError(error) !== 'AlreadyExists') throw error
      const present = await this.#ports.kubernetes.get(OBJECT_SYNCS, { namespace, name }, signal)
      if (!present) throw error
      this.#ports.records.absorb(present)
    }
  }

  acknowledged(node: string, object: KubeObject, version: string, epoch: string): void {
    const uid = object.metadata.uid ?? ''
    const record = { uid, object: skeletonOf(object), version, epoch }
    this.#wish(node, object, {
      kind: 'acknowledged',
      record,
      resourceVersion: object.metadata.resourceVersion ?? '',
    })
  }

  /** The node let go of the object. */
  gone(node: string, object: KubeObject): void {
    this.#wish(node, object, { kind: 'gone' })
  }

  /** The node itself is gone. */
  forget(node: string): void {
    for (const record of this.of(node).values()) this.gone(node, record.object)
  }

  #wish(node: string, object: KubeObject, wish: Wish): void {
    const key = keyOfRecord(object.metadata.namespace ?? 'default', node, object.metadata.uid ?? '')
    this.#wishes.set(key, wish)
    this.#writer.enqueue(key)
  }

  async #write(key: string, signal: AbortSignal): Promise<void> {
    const wish = this.#wishes.get(key)
    if (!wish) return
    const at = atOf(key)
    if (wish.kind === 'gone') {
      await this.#ports.kubernetes.delete(OBJECT_SYNCS, at, {}, signal)
      this.#unindex(at.name)
    } else {
      await this.#raise(at, wish, signal)
    }
    if (this.#wishes.get(key) === wish) this.#wishes.delete(key)
  }

  async #raise(at: { namespace: string; name: string }, wish: Wish & { kind: 'acknowledged' }, signal: AbortSignal) {
    const { kubernetes, records } = this.#ports
    const { version, epoch } = wish.record
    const annotations = { [VERSION_ANNOTATION]: version, [EPOCH_ANNOTATION]: epoch }
    const type = 'merge'
    const status = { objectResourceVersion: wish.resourceVersion }
    try {
      await kubernetes.patch(OBJECT_SYNCS, at, { metadata: { annotations } }, { type }, signal)
      records.absorb(await kubernetes.patch(OBJECT_SYNCS, at, { status }, { type, subresource: 'status' }, signal))
    } catch (error) {
      // Somebody deleted the record: the next sync makes it anew and sends again.
      if (reasonOfError(error) !== 'NotFound') throw error
    }
  }

  #index(now: ObjectSync | undefined, before: ObjectSync | undefined): void {
    if (!now && before) this.#unindex(before.metadata.name)
    const parts = now && splitRecordName(now.metadata.name)
    if (!now || !parts) return
    const ofNode = this.#byNode.get(parts.node) ?? new Map<string, ObjectSync>()
    ofNode.set(parts.uid, now)
    this.#byNode.set(parts.node, ofNode)
  }

  #unindex(name: string): void {
    const parts = splitRecordName(name)
    const ofNode = parts && this.#byNode.get(parts.node)
    if (!parts || !ofNode) return
    ofNode.delete(parts.uid)
    if (ofNode.size === 0) this.#byNode.delete(parts.node)
  }
}

/** apiVersion, kind, name, namespace and uid. */
export function skeletonOf(object: KubeObject): KubeObject {
  const { name, namespace, uid } = object.metadata
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { name, ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}) },
  }
}

function readRecord(uid: string, sync: ObjectSync): SyncRecord {
  const annotations = sync.metadata.annotations ?? {}
  return {
    uid,
    object: {
      apiVersion: sync.spec?.objectAPIVersion ?? '',
      kind: sync.spec?.objectKind ?? '',
      metadata: { name: sync.spec?.objectName ?? '', namespace: namespaceOf(sync), uid },
    },
    // A record of KubeEdge's own has no annotation: its version then says nothing, and the object is sent once.
    version: annotations[VERSION_ANNOTATION] ?? '',
    epoch: annotations[EPOCH_ANNOTATION] ?? '',
  }
}

/** Node names may hold dots, uids do not. */
function splitRecordName(name: string): { readonly node: string; readonly uid: string } | undefined {
  const dot = name.lastIndexOf('.')
  return dot <= 0 ? undefined : { node: name.slice(0, dot), uid: name.slice(dot + 1) }
}

function namespaceOf(sync: ObjectSync): string {
  return sync.metadata.namespace ?? 'default'
}

function keyOfRecord(namespace: string, node: string, uid: string): string {
  return `${namespace}/${node}.${uid}`
}

function atOf(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
