import type { HeldObject, KubeObject, ObjectDigest } from '../../../schemas/index.ts'
import type { OutboxItem } from './outbox.ts'
import type { SyncRecord } from './record-form.ts'

/** Objects without a record that are remembered of one node; more of them are looked at when it connects again. */
const MOST_STRANGERS = 10_000
/** Objects of kinds without records that a node may tell of; what it tells beyond counts as not there. */
const MOST_UNRECORDED = 20_000

/** What of the objects on a node is known to CloudHub when a part of the digest arrives. */
export interface KnownObjects {
  readonly records: ReadonlyMap<string, SyncRecord>
  /** Of the outbox: what is under way is sent anyway. */
  readonly pending: (uid: string) => OutboxItem | undefined
  /** Whether it is of a kind that the cloud gives to nodes; others are what the node has asked for. */
  readonly isGiven: (held: HeldObject) => boolean
  /** Its skeleton, where it is of a kind without records; see NodeSource.isUnrecorded. */
  readonly unrecorded: (held: HeldObject) => KubeObject | undefined
}

/**
 * What a node said in this session that it holds, against what the records say: they lag behind it where the API went back to a
 * backup. Only where they differ is kept.
 */
export class Holdings {
  readonly #suspects = new Set<string>()
  readonly #strangers = new Map<string, HeldObject>()
  /** Acknowledged in this session: the records are right about it, and the digest may have been made before. */
  readonly #settled = new Set<string>()
  /** Records of objects that the node has not told of yet; from its first word to its last. */
  #untold: Set<string> | undefined
  readonly #unrecorded = new Map<string, SyncRecord>()
  #isComplete = false

  /** The node has said everything. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /**
   * What the node has of kinds without records, by uid, once everything is said; of what is under way, that it may have it. What is being
   * taken from it counts as gone: it would be given anew.
   */
  unrecordedWith(underWay: readonly OutboxItem[]): ReadonlyMap<string, SyncRecord> {
    if (underWay.length === 0) return this.#unrecorded
    const all = new Map(this.#unrecorded)
    for (const { key, object, isDeletion } of underWay) {
      if (isDeletion) all.delete(key)
      else if (!all.has(key)) all.set(key, recordOf(key, object, ''))
    }
    return all
  }

  /** The node acknowledged an object of a kind without records. */
  acknowledged({ key, object, version, isDeletion }: OutboxItem): void {
    if (isDeletion) this.#unrecorded.delete(key)
    else this.#unrecorded.set(key, recordOf(key, object, version))
  }

  /** The node has another version than its record says, or nothing. */
  isSuspect(uid: string): boolean {
    return this.#suspects.has(uid)
  }

  /** What the node has and no record tells of. */
  strangers(): Iterable<HeldObject> {
    return this.#strangers.values()
  }

  /** The node has acknowledged the object, or that it let go of it. */
  settled(uid: string): void {
    if (!this.#isComplete) this.#settled.add(uid)
    this.#suspects.delete(uid)
    this.#strangers.delete(uid)
  }

  /** Takes a part of the digest; the number of differences in it. */
  compare({ objects, isLast }: ObjectDigest, known: KnownObjects): number {
    if (this.#isComplete) return 0
    const before = this.#suspects.size + this.#strangers.size
    this.#untold ??= new Set(known.records.keys())
    for (const held of objects) {
      this.#untold.delete(held.uid)
      if (this.#isOpen(held.uid, known)) this.#take(held, known)
    }
    if (isLast) this.#end(this.#untold, known)
    return this.#suspects.size + this.#strangers.size - before
  }

  #take(held: HeldObject, { records, isGiven, unrecorded }: KnownObjects): void {
    const object = unrecorded(held)
    if (object) {
      const isRoom = this.#unrecorded.size < MOST_UNRECORDED
      if (isRoom) this.#unrecorded.set(held.uid, recordOf(held.uid, object, `r${held.version}`))
      return
    }
    const record = records.get(held.uid)
    if (record && record.resourceVersion !== held.version) this.#suspects.add(held.uid)
    else if (!record && isGiven(held) && this.#strangers.size < MOST_STRANGERS) this.#strangers.set(held.uid, held)
  }

  #end(untold: ReadonlySet<string>, known: KnownObjects): void {
    for (const uid of untold) {
      if (this.#isOpen(uid, known) && known.records.has(uid)) this.#suspects.add(uid)
    }
    this.#isComplete = true
    this.#untold = undefined
    this.#settled.clear()
  }

  #isOpen(uid: string, { pending }: KnownObjects): boolean {
    return !this.#settled.has(uid) && !pending(uid)
  }
}

function recordOf(uid: string, object: KubeObject, version: string): SyncRecord {
  return { uid, object, version, resourceVersion: '', epoch: '' }
}
