import {
  type HeldObject,
  type Json,
  type KubeObject,
  NO_NAMESPACE,
  OPERATIONS,
  parseResource,
} from '../../../schemas/index.ts'
import { parseJson } from '../kubernetes/guards.ts'
import type { Delivery, NodeSource } from './delivery.ts'
import type { Holdings } from './holdings.ts'
import type { OutboxItem } from './outbox.ts'
import type { SyncRecord } from './record-form.ts'

/** One frame that a node needs. */
export interface SyncStep {
  readonly operation: 'insert' | 'update' | 'delete'
  readonly resource: string
  readonly source: string
  readonly object: KubeObject
  readonly version: string
  /** See Delivery.isExclusive. */
  readonly isExclusive: boolean
  content(): Json
}

/** Whom it is for. */
export interface SyncTarget {
  readonly node: string
  readonly skerry: boolean
  /** What a record has to bear to count; see SyncRecord.epoch. */
  readonly epoch: string
  /** What it said that it has, as far as the records say otherwise. */
  readonly holdings: Pick<Holdings, 'isSuspect' | 'strangers'>
}

export interface SyncPlan {
  /** Go first, because a successor may bear the same name. */
  readonly deletions: readonly SyncStep[]
  /** Everything that the node has not acknowledged in its present version with its present database. */
  readonly additions: readonly SyncStep[]
}

/** What has to go down so that the node has what the source says. */
export function planSync(
  source: NodeSource,
  target: SyncTarget,
  records: ReadonlyMap<string, SyncRecord>,
  pending: (uid: string) => OutboxItem | undefined,
): SyncPlan {
  const deliveries = source.deliveriesFor(target.node)
  const wanted = new Set(deliveries.map(uidOf))
  const deletions: SyncStep[] = []
  for (const kind of source.kinds) {
    for (const record of records.values()) {
      if (record.object.kind !== kind || wanted.has(record.uid) || pending(record.uid)?.isDeletion) continue
      if (source.isUnsure?.(record.object, target.node)) continue
      deletions.push(deletion(source, source.departed?.(record.uid) ?? record.object))
    }
  }
  for (const held of target.holdings.strangers()) {
    const object = strangerOf(source, held)
    if (!object || wanted.has(held.uid) || pending(held.uid)?.isDeletion) continue
    if (source.isUnsure?.(object, target.node)) continue
    deletions.push(deletion(source, object))
  }
  const due = new Set<string>()
  const companions = new Set<string>()
  for (const delivery of deliveries) {
    if (!isDue(delivery, target, records, pending)) continue
    due.add(uidOf(delivery))
    if (!target.skerry && delivery.companion !== undefined) companions.add(delivery.companion)
  }
  const additions = deliveries
    .filter((delivery) => due.has(uidOf(delivery)) || companions.has(uidOf(delivery)))
    .map((delivery) => delivering(delivery, target, records.get(uidOf(delivery))))
  return { deletions, additions }
}

function isDue(
  delivery: Delivery,
  target: SyncTarget,
  records: ReadonlyMap<string, SyncRecord>,
  pending: (uid: string) => OutboxItem | undefined,
): boolean {
  const underWay = pending(uidOf(delivery))
  if (underWay) return underWay.isDeletion || underWay.version !== delivery.version
  const record = records.get(uidOf(delivery))
  if (record?.version !== delivery.version || record.epoch !== target.epoch) return true
  return target.holdings.isSuspect(record.uid)
}

/** An object of which only a node tells, where it is of a kind that the source answers for. */
export function strangerOf(
  { kinds }: Pick<NodeSource, 'kinds'>,
  { resource, uid }: HeldObject,
): KubeObject | undefined {
  const path = parseResource(resource)
  const kind = kinds.find((each) => each.toLowerCase() === path?.type)
  if (!path || kind === undefined || path.name === '' || uid === '') return undefined
  const { namespace, name } = path
  return { apiVersion: '', kind, metadata: { name, uid, ...(namespace === NO_NAMESPACE ? {} : { namespace }) } }
}

function deletion(source: NodeSource, object: KubeObject): SyncStep {
  const address = source.addressOf(object)
  return {
    operation: OPERATIONS.delete,
    ...address,
    object,
    content: () => asJson(object),
    version: '',
    isExclusive: false,
  }
}

function delivering(delivery: Delivery, target: SyncTarget, record: SyncRecord | undefined): SyncStep {
  const known =
    record !== undefined &&
    record.version !== '' &&
    record.epoch === target.epoch &&
    !target.holdings.isSuspect(record.uid)
  const { resource, source, object, version, extra, isAlwaysUpdate = false, isExclusive = false } = delivery
  const operation = known || isAlwaysUpdate ? OPERATIONS.update : OPERATIONS.insert
  const content = () => asJson(target.skerry && extra ? { ...object, skerry: extra } : object)
  return { operation, resource, source, object, content, version, isExclusive }
}

function uidOf(delivery: Delivery): string {
  return delivery.object.metadata.uid ?? ''
}

/** Without what only the API server needs. */
function asJson(object: object): Json {
  const text = JSON.stringify(object, (key, value: unknown) => (key === 'managedFields' ? undefined : value))
  return parseJson(text) ?? null
}
