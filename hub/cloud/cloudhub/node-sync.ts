import { type Counter, type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { createReconciler, type Reconciler } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, minutes, ms, type Random } from '../../../platform/time/index.ts'
import { type Frame, GROUPS, type HeldObject, type KubeObject, OPERATIONS } from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import type { NodeSource } from './delivery.ts'
import { ObjectDigests } from './object-digests.ts'
import { planSync, type SyncPlan, type SyncStep, strangerOf } from './plan.ts'
import type { Session } from './session.ts'
import type { SyncRecords } from './sync-records.ts'

export interface NodeSyncPorts {
  readonly records: SyncRecords
  readonly frames: FrameFactory
  /** Whether all is known that a plan for the session needs. */
  readonly isReady: (session: Session) => boolean
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** Records that are still listed are looked at again after this. */
const NOT_READY_WAIT = ms(100)
/** A source that is still listing is asked again after this, unless it calls before. */
const SOURCE_WAIT = ms(500)
/** A node whose object another one still has looks again after this. */
const HANDOVER_WAIT = ms(20)
/** Should ever a source forget to say that something changed. */
const ANYWAY = minutes(5)
/** Objects that one node may hold against the will of the API, and be told so; what it makes up must not fill the API. */
const MOST_EVICTED = 1000
/** Records opened side by side for one node, of what it needs and of what it should not have. */
const OPEN_AT_ONCE = 32
/**
 * Objects of one node in its outbox. What is beyond stays a plan, which is made again when there is room: so a node with very many
 * objects takes turns with the others, and costs little memory while it does not read.
 */
export const MOST_ACTIVE = 512

/** Where the node itself is the record, there is nothing to suspect. */
const SAID_BY_NODE = { epoch: '', holdings: { isSuspect: () => false, strangers: () => [] } }

/** Brings each connected node what the sources say that it should have. Nodes take turns. */
export class NodeSync {
  readonly #ports: NodeSyncPorts
  readonly #sessionOf: (node: string) => Session | undefined
  readonly #sources = new Set<NodeSource>()
  readonly #queue: Reconciler
  readonly #refused: Counter
  readonly #digests: ObjectDigests
  /** Objects planned beyond the outbox, by node. */
  readonly #beyond = new Map<string, number>()
  /** uids by node, while their records are being made. */
  readonly #evicting = new Map<string, Set<string>>()

  constructor(ports: NodeSyncPorts, sessionOf: (node: string) => Session | undefined) {
    this.#ports = ports
    this.#sessionOf = sessionOf
    const { clock, random, log, metrics = silentMetrics } = ports
    this.#refused = metrics.counter({
      name: 'skerry_cloudhub_refused_objects_total',
      help: 'Objects that a node said it could not take; they are sent again after a wait.',
    })
    const skeleton = (held: HeldObject, isUnrecorded: boolean) =>
      [...this.#sources]
        .filter((source) => (source.isUnrecorded ?? false) === isUnrecorded)
        .map((source) => strangerOf(source, held))
        .find((object) => object !== undefined)
    const isGiven = (held: HeldObject) => skeleton(held, false) !== undefined
    this.#digests = new ObjectDigests({ ...ports, isGiven, unrecorded: (held) => skeleton(held, true) })
    this.#queue = createReconciler({
      name: 'node-sync',
      reconcile: (node, signal) => this.#sync(node, signal),
      workers: 16,
      ...{ clock, random, log, metrics },
    })
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal)
  }

  addSource(source: NodeSource): Disposable {
    this.#sources.add(source)
    return { [Symbol.dispose]: () => void this.#sources.delete(source) }
  }

  sync(node: string): void {
    if (this.#sessionOf(node)) this.#queue.enqueue(node)
  }

  /** The node says what it holds. False for a frame that is something else. */
  told(session: Session, frame: Frame): boolean {
    if (!this.#digests.take(session, frame)) return false
    if (this.#isKnown(session) && this.#digests.compare(session)) this.sync(session.peer.node)
    return true
  }

  /** Objects that the node needs and that are not in its outbox yet. */
  beyond(node: string): number {
    return this.#beyond.get(node) ?? 0
  }

  /** The outbox of the session has fewer active items than before. */
  room({ peer, outbox }: Session): void {
    if (this.#beyond.has(peer.node) && outbox.active <= MOST_ACTIVE / 2) this.sync(peer.node)
  }

  forget(node: string): void {
    this.#beyond.delete(node)
  }

  /** Whether some source has, or may have, something for the node. */
  isWanted(node: string): boolean {
    const recorded = [...this.#sources].filter(({ isUnrecorded = false }) => !isUnrecorded)
    return recorded.some((source) => !source.isReady(node) || source.deliveriesFor(node).length > 0)
  }

  refused(node: string, object: KubeObject, reason: string): void {
    this.#refused.add()
    for (const source of this.#sources) if (source.kinds.includes(object.kind)) source.refused?.(node, object, reason)
  }

  evict(node: string, object: KubeObject): void {
    const { uid = '' } = object.metadata
    const evicting = this.#evicting.get(node) ?? new Set()
    if (!this.#sessionOf(node) || evicting.has(uid) || evicting.size >= OPEN_AT_ONCE) return
    this.#evicting.set(node, evicting.add(uid))
    void this.#evict(node, object).finally(() => {
      evicting.delete(uid)
      if (evicting.size === 0) this.#evicting.delete(node)
    })
  }

  /** A record of what the node has is all that a sync needs to take it away. */
  async #evict(node: string, object: KubeObject): Promise<void> {
    const { records, log } = this.#ports
    const unacknowledged = [...records.of(node).values()].filter(({ version }) => version === '')
    if (unacknowledged.length >= MOST_EVICTED) return
    try {
      await records.open(node, object)
      this.sync(node)
    } catch (error) {
      log.warn('A node keeps an object that it should not have; it is tried again', { node, error })
    }
  }

  async #sync(node: string, signal: AbortSignal): Promise<void> {
    const session = this.#sessionOf(node)
    if (!session) return
    if (!this.#isKnown(session)) return this.#queue.enqueueAfter(node, NOT_READY_WAIT)
    this.#digests.compare(session)
    let beyond = 0
    let sourcesLeft = this.#sources.size
    for (const source of this.#sources) {
      // What the node has of these is known with its last word, and then it is looked at again.
      if (source.isUnrecorded && !session.holdings.isComplete) {
        sourcesLeft--
        continue
      }
      if (!source.isReady(node)) {
        this.#queue.enqueueAfter(node, SOURCE_WAIT)
        sourcesLeft--
        continue
      }
      const planned = await this.#planned(source, session, signal)
      if (!planned) return
      for (const step of planned.deletions) this.#put(session, source, step)
      const additions = planned.additions.filter((step) => !this.#isElsewhere(node, step))
      // No source keeps the others waiting until it is through.
      const share = Math.ceil(Math.max(0, MOST_ACTIVE - session.outbox.active) / sourcesLeft--)
      beyond += Math.max(0, additions.length - share)
      if (!(await this.#add(session, source, additions.slice(0, share), signal))) return
    }
    if (beyond > 0) this.#beyond.set(node, beyond)
    else this.#beyond.delete(node)
    // The outbox may have been emptied meanwhile, when nobody knew of more.
    this.room(session)
    this.#queue.enqueueAfter(node, ANYWAY)
  }

  #isKnown(session: Session): boolean {
    return this.#ports.records.isSynced && this.#ports.isReady(session)
  }

  /**
   * What is deleted is on record as such before: the next process, too, must not rely on what the node may have let go of.
   * Nothing when the session is over.
   */
  async #planned(source: NodeSource, session: Session, signal: AbortSignal): Promise<SyncPlan | undefined> {
    const { records } = this.#ports
    const { node, skerry, session: id } = session.peer
    for (const notice of source.noticesFor?.(node, id) ?? []) session.notify(notice)
    const target = { node, skerry, epoch: session.epoch, holdings: session.holdings }
    if (source.isUnrecorded) {
      const known = session.holdings.unrecordedWith(session.outbox.unrecorded())
      return planSync(source, { ...target, ...SAID_BY_NODE }, known, (uid) => session.outbox.pending(uid))
    }
    while (this.#sessionOf(node) === session) {
      const known = records.of(node)
      const plan = planSync(source, target, known, (uid) => session.outbox.pending(uid))
      const relied = plan.deletions.filter(({ object }) => known.get(object.metadata.uid ?? '')?.version)
      if (relied.length === 0) return plan
      await Promise.all(relied.slice(0, OPEN_AT_ONCE).map(({ object }) => records.empty(node, object, signal)))
    }
    return undefined
  }

  /** An object that moves leaves its old node before the new one gets it. */
  #isElsewhere(node: string, { object, isExclusive }: SyncStep): boolean {
    const { uid = '' } = object.metadata
    if (!isExclusive) return false
    const others = [...this.#ports.records.holders(uid)].filter((other) => {
      const session = other === node ? undefined : this.#sessionOf(other)
      return session !== undefined && !session.outbox.pending(uid)?.isDeletion
    })
    for (const other of others) this.sync(other)
    if (others.length > 0) this.#queue.enqueueAfter(node, HANDOVER_WAIT)
    return others.length > 0
  }

  /** Each with its record first. False when the session is over. */
  async #add(
    session: Session,
    source: NodeSource,
    additions: readonly SyncStep[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { node } = session.peer
    if (source.isUnrecorded) {
      for (const step of additions) this.#put(session, source, step)
      return true
    }
    for (let at = 0; at < additions.length; at += OPEN_AT_ONCE) {
      const batch = additions.slice(at, at + OPEN_AT_ONCE)
      await Promise.all(batch.map((step) => this.#ports.records.open(node, step.object, signal)))
      if (this.#sessionOf(node) !== session) return false
      const isWanted = wantedOf(source, node)
      for (const step of batch) if (isWanted(step)) this.#put(session, source, step)
    }
    return true
  }

  #put(session: Session, { isUnrecorded = false }: NodeSource, step: SyncStep): void {
    const { operation, resource, source, object, version } = step
    const isDeletion = operation === OPERATIONS.delete
    const route = { source, group: GROUPS.resource, operation, resource }
    const key = object.metadata.uid ?? ''
    const make = () =>
      this.#ports.frames.make(route, step.content(), isDeletion ? undefined : object.metadata.resourceVersion)
    session.outbox.put({ key, object, resource, version, isDeletion, isUnrecorded, make })
  }
}

/** What was deleted while its record was being written is not sent any more: the node would act on it. */
function wantedOf(source: NodeSource, node: string): (step: SyncStep) => boolean {
  if (!source.isReady(node)) return () => true
  const uids = new Set(source.deliveriesFor(node).map(({ object }) => object.metadata.uid))
  return ({ object }) => uids.has(object.metadata.uid)
}
