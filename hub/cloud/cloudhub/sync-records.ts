import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { BugError, createReconciler, type Reconciler } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, ms, type Random } from '../../../platform/time/index.ts'
import type { KubeObject } from '../../../schemas/index.ts'
import {
  type Informer,
  joinKey,
  type Kubernetes,
  type ObjectSync,
  outdatedDefinition,
  type ResourceType,
  reasonOfError,
} from '../kubernetes/index.ts'
import {
  EPOCH_ANNOTATION,
  newRecord,
  placeOf,
  placeOfRecord,
  type RecordPlace,
  readRecord,
  type SyncRecord,
  skeletonOf,
  typeAt,
  VERSION_ANNOTATION,
} from './record-form.ts'
import { WriteGate } from './write-gate.ts'

export interface SyncRecordPorts {
  readonly kubernetes: Kubernetes
  readonly records: Informer<ObjectSync>
  /** Of cluster-scoped objects; where it is absent, such objects cannot be delivered. */
  readonly clusterRecords?: Informer<ObjectSync>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** What CloudHub is asked, and told, by its records. */
export interface RecordOwner {
  /** Whether the node has its session here. */
  holds(node: string): boolean
  /** Somebody else made, changed or deleted a record of the node. */
  onForeignChange(node: string): void
}

type Wish = { readonly kind: 'acknowledged'; readonly record: SyncRecord } | { readonly kind: 'gone' }

interface Entry {
  readonly place: RecordPlace
  sync: ObjectSync | undefined
  /** What was learned and is not written yet. */
  wish: Wish | undefined
  /** Monotonic ms. */
  writtenAt: number
  /** Told when the wish is another one, or written. */
  readonly waiting: Set<() => void>
  writing: Writing | undefined
}

/** Own writes of one record that are under way. The news of one may come before its answer. */
interface Writing {
  count: number
  /** resourceVersions that the answers bore. */
  readonly made: Set<string>
  /** And those that the watch brought meanwhile. */
  readonly told: Set<string>
}

/** For all writes of records: a quarter of what KubeEdge's cloudcore allows itself with 500 nodes. */
const WRITES_PER_SECOND = 600
const WRITE_BURST = 1200
const WRITES_ABREAST = 16
/** Between two writes of one record, so that an object that changes all the time does not cost a write each time. */
const REST = ms(1000)

/**
 * KubeEdge's ObjectSync objects, `<node>.<uid>` in the namespace of the object, and ClusterObjectSyncs. A record is made before
 * the first send, so that a deletion is never forgotten; it is raised after the acknowledgement, emptied before a deletion is
 * sent, so that nobody relies on what the node may have let go of, and removed after the acknowledgement of that. Replicas share them: a write of another is never overwritten by one that no longer has the node.
 */
export class SyncRecords {
  readonly #ports: SyncRecordPorts
  /** By the key of the record. */
  readonly #entries = new Map<string, Entry>()
  /** By node and uid, as they will be when everything learned is written. */
  readonly #byNode = new Map<string, Map<string, SyncRecord>>()
  /** Nodes with a record of an object, by its uid. */
  readonly #holders = new Map<string, Set<string>>()
  readonly #gate: WriteGate
  readonly #writer: Reconciler
  #owner: RecordOwner | undefined
  /** An own write is being absorbed. */
  #isOwn = false
  #wishes = 0

  constructor(ports: SyncRecordPorts) {
    this.#ports = ports
    const { clock, random, log, metrics = silentMetrics } = ports
    const rates = { abreast: WRITES_ABREAST, perSecond: WRITES_PER_SECOND, burst: WRITE_BURST }
    this.#gate = new WriteGate({ clock, ...rates })
    const reconcile = (key: string, signal: AbortSignal) => this.#write(key, signal)
    const workers = WRITES_ABREAST
    this.#writer = createReconciler({ name: 'objectsyncs', reconcile, workers, clock, random, log, metrics })
    metrics
      .gauge({
        name: 'skerry_cloudhub_records_unwritten',
        help: 'Acknowledgements that are not written to the API yet.',
      })
      .follow(() => this.#wishes)
    for (const informer of [ports.records, ports.clusterRecords]) {
      informer?.onChange((now, before) => this.#index(now, before))
    }
  }

  /** Records that are known, or being made. */
  get size(): number {
    return this.#entries.size
  }

  get isSynced(): boolean {
    const { records, clusterRecords } = this.#ports
    return records.isSynced && (clusterRecords?.isSynced ?? true)
  }

  ownedBy(owner: RecordOwner): void {
    this.#owner = owner
  }

  /** Writes what is learned until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#writer.run(signal)
  }

  /** Records of a node by uid of the object, with what is learned but not written yet. A live view. */
  of(node: string): ReadonlyMap<string, SyncRecord> {
    return this.#byNode.get(node) ?? NONE
  }

  /** Whether the node has a record that is not about to go. */
  has(node: string): boolean {
    return this.of(node).size > 0
  }

  /** Nodes that may have the object. */
  holders(uid: string): Iterable<string> {
    return this.#holders.get(uid) ?? []
  }

  nodes(): Iterable<string> {
    return this.#byNode.keys()
  }

  /** Settles when the record exists. */
  async open(node: string, object: KubeObject, signal?: AbortSignal): Promise<void> {
    const place = placeOf(node, object)
    const entry = this.#entryAt(place)
    // Its removal may be under way already: then it is made anew.
    if (entry.wish?.kind === 'gone') {
      const nothing = { version: '', resourceVersion: '', epoch: '' }
      const record = { uid: place.uid, object: skeletonOf(object), ...nothing }
      this.#learn(entry, { kind: 'acknowledged', record })
      while (entry.wish && entry.wish.kind !== 'gone') await changed(entry, signal)
    }
    if (entry.sync) return
    if (place.at.namespace === undefined && !this.#ports.clusterRecords) {
      throw new BugError('nobody follows the records of cluster-scoped objects', { code: 'HUB_CLUSTER_RECORDS' })
    }
    try {
      await this.#gate.pass(true, signal, () => this.#own(entry, () => this.#create(place, object, signal)))
    } finally {
      // Who makes objects up must not fill the memory with records that cannot be made.
      this.#drop(entry)
    }
  }

  acknowledged(node: string, object: KubeObject, version: string, epoch: string): void {
    const entry = this.#entryAt(placeOf(node, object))
    const { resourceVersion = '' } = object.metadata
    const record = { uid: entry.place.uid, object: skeletonOf(object), version, resourceVersion, epoch }
    this.#learn(entry, { kind: 'acknowledged', record })
  }

  /** Settles when the API says no more that the node has the object. */
  async empty(node: string, object: KubeObject, signal?: AbortSignal): Promise<void> {
    const { uid = '' } = object.metadata
    const entry = this.#entryAt(placeOf(node, object))
    for (let record = this.of(node).get(uid); record; record = this.of(node).get(uid)) {
      if (record.version !== '') this.doubt(node, object)
      if (!entry.wish) return
      await changed(entry, signal)
    }
  }

  /** The session ended while something else than what the node acknowledged may have reached it. */
  doubt(node: string, object: KubeObject): void {
    const known = this.of(node).get(object.metadata.uid ?? '')
    if (known && known.version !== '') this.acknowledged(node, object, '', known.epoch)
  }

  /** The node let go of the object, whether there is a record of it or not. */
  gone(node: string, object: KubeObject): void {
    const entry = this.#entries.get(joinKey(placeOf(node, object).at))
    if (entry) this.#learn(entry, { kind: 'gone' })
  }

  /** The node itself is gone. */
  forget(node: string): void {
    for (const record of [...this.of(node).values()]) this.gone(node, record.object)
  }

  #learn(entry: Entry, wish: Wish): void {
    this.#wish(entry, wish)
    this.#writer.enqueue(joinKey(entry.place.at))
  }

  async #create({ at, ...place }: RecordPlace, object: KubeObject, signal: AbortSignal | undefined): Promise<void> {
    const { kubernetes } = this.#ports
    const type = typeAt(at)
    try {
      this.#absorb(await kubernetes.create(type, at.namespace, newRecord({ at, ...place }, object), signal))
    } catch (error) {
      if (reasonOfError(error) !== 'AlreadyExists') throw error
      const present = await kubernetes.get(type, at, signal)
      if (!present) throw error
      this.#absorb(present)
    }
  }

  async #write(key: string, signal: AbortSignal): Promise<void> {
    const entry = this.#entries.get(key)
    const wish = entry?.wish
    if (!entry || !wish) return
    const rest = entry.writtenAt + REST.milliseconds - this.#ports.clock.monotonic()
    if (wish.kind === 'acknowledged' && wish.record.version !== '' && rest > 0)
      return this.#writer.enqueueAfter(key, ms(rest))
    await this.#gate.pass(false, signal, async () => {
      // Something newer may have been learned while this one waited for its turn.
      if (entry.wish === wish) await this.#own(entry, () => this.#carryOut(entry, wish, signal))
    })
    entry.writtenAt = this.#ports.clock.monotonic()
    if (entry.wish === wish) this.#wish(entry, undefined)
    else if (entry.wish) this.#writer.enqueue(key)
    this.#drop(entry)
  }

  /** Afterwards it is known whether what the watch told meanwhile was our own doing. */
  async #own(entry: Entry, write: () => Promise<void>): Promise<void> {
    const writing = entry.writing ?? { count: 0, made: new Set(), told: new Set() }
    entry.writing = writing
    writing.count++
    try {
      await write()
    } finally {
      if (--writing.count === 0) {
        entry.writing = undefined
        const isForeign = [...writing.told].some((version) => !writing.made.has(version))
        if (isForeign) this.#owner?.onForeignChange(entry.place.node)
      }
    }
  }

  async #carryOut(entry: Entry, wish: Wish, signal: AbortSignal): Promise<void> {
    const { at } = entry.place
    if (wish.kind === 'acknowledged') return this.#raise(entry, wish, signal)
    await this.#ports.kubernetes.delete(typeAt(at), at, {}, signal)
    entry.sync = undefined
    this.#show(entry)
  }

  async #raise(entry: Entry, wish: Wish & { kind: 'acknowledged' }, signal: AbortSignal): Promise<void> {
    const { kubernetes } = this.#ports
    const { at, node } = entry.place
    const type = typeAt(at)
    const { version, epoch, resourceVersion: objectResourceVersion } = wish.record
    const annotations = { [VERSION_ANNOTATION]: version, [EPOCH_ANNOTATION]: epoch }
    const read = () => {
      const resourceVersion = entry.sync?.metadata.resourceVersion
      return resourceVersion === undefined ? {} : { resourceVersion }
    }
    const status = { metadata: read(), status: { objectResourceVersion } }
    try {
      // The version last: a record that bears it is whole, also where this process dies between the two.
      this.#absorb(await kubernetes.patch(type, at, status, { type: 'merge', subresource: 'status' }, signal))
      const metadata = { annotations, ...read() }
      this.#absorb(await kubernetes.patch(type, at, { metadata }, { type: 'merge' }, signal))
    } catch (error) {
      const reason = reasonOfError(error)
      // Without a record nobody would ever take away what the node has. It is sent again where it is still wanted.
      if (reason === 'NotFound') {
        const there = await kubernetes.get(type, at, signal)
        if (there && there.metadata.uid === entry.sync?.metadata.uid) throw outdatedDefinition(noStatus(type), error)
        await this.#create(entry.place, wish.record.object, signal)
        return this.#owner?.onForeignChange(node)
      }
      if (reason !== 'Conflict') throw error
      const present = await kubernetes.get(type, at, signal)
      if (present) this.#absorb(present)
      // Who has the node knows best. Otherwise the record is another replica's now.
      if (present && this.#owner?.holds(node) !== false) throw error
    }
  }

  #absorb(sync: ObjectSync): void {
    const { records, clusterRecords } = this.#ports
    const place = placeOfRecord(sync)
    if (place) this.#entries.get(joinKey(place.at))?.writing?.made.add(sync.metadata.resourceVersion ?? '')
    this.#isOwn = true
    try {
      const informer = sync.metadata.namespace === undefined ? clusterRecords : records
      informer?.absorb(sync)
    } finally {
      this.#isOwn = false
    }
  }

  #index(now: ObjectSync | undefined, before: ObjectSync | undefined): void {
    const sync = now ?? before
    const place = sync && placeOfRecord(sync)
    if (!place) return
    const entry = this.#entryAt(place)
    // An own deletion has been carried out before the news of it arrives.
    const isAwaited = this.#isOwn || entry.wish?.kind === 'gone' || (!now && !entry.sync)
    entry.sync = now
    this.#show(entry)
    this.#drop(entry)
    if (isAwaited) return
    if (entry.writing && now) entry.writing.told.add(now.metadata.resourceVersion ?? '')
    else this.#owner?.onForeignChange(place.node)
  }

  #entryAt(place: RecordPlace): Entry {
    const key = joinKey(place.at)
    const known = this.#entries.get(key)
    if (known) return known
    const entry: Entry = {
      ...{ place, sync: undefined, wish: undefined },
      ...{ writtenAt: Number.NEGATIVE_INFINITY, waiting: new Set<() => void>(), writing: undefined },
    }
    this.#entries.set(key, entry)
    return entry
  }

  #wish(entry: Entry, wish: Wish | undefined): void {
    this.#wishes += (wish ? 1 : 0) - (entry.wish ? 1 : 0)
    entry.wish = wish
    this.#show(entry)
    for (const go of [...entry.waiting]) go()
  }

  #drop(entry: Entry): void {
    const key = joinKey(entry.place.at)
    if (!entry.sync && !entry.wish && this.#entries.get(key) === entry) this.#entries.delete(key)
  }

  /** Keeps the view by node true. */
  #show({ place, sync, wish }: Entry): void {
    const { node, uid } = place
    // What is acknowledged of a record that is gone counts for nothing: it is made anew, and the object sent again.
    const record = !sync || wish?.kind === 'gone' ? undefined : (wish?.record ?? readRecord(uid, sync))
    const ofNode = this.#byNode.get(node) ?? new Map<string, SyncRecord>()
    if (record) ofNode.set(uid, record)
    else ofNode.delete(uid)
    if (ofNode.size > 0) this.#byNode.set(node, ofNode)
    else this.#byNode.delete(node)
    const holders = this.#holders.get(uid) ?? new Set<string>()
    if (record) holders.add(node)
    else holders.delete(node)
    if (holders.size > 0) this.#holders.set(uid, holders)
    else this.#holders.delete(uid)
  }
}

function noStatus({ plural, group }: ResourceType) {
  return { definition: `${plural}.${group}`, detail: 'it has no subresource status' }
}

/** Until the wish is another one, or written. */
async function changed({ waiting }: Entry, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onAbort = () => reject(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  waiting.add(resolve)
  try {
    await promise
  } finally {
    waiting.delete(resolve)
    signal?.removeEventListener('abort', onAbort)
  }
}

const NONE: ReadonlyMap<string, SyncRecord> = new Map()
