import { type Json, type KubeObject, OPERATIONS } from '../../../schemas/index.ts'
import { parseJson } from '../kubernetes/guards.ts'
import type { Delivery, NodePeer, NodeSource } from './delivery.ts'
import type { OutboxItem } from './outbox.ts'
import type { SyncRecord } from './sync-records.ts'

/** One frame that a node needs. */
export interface SyncStep {
  readonly operation: 'insert' | 'update' | 'delete'
  readonly resource: string
  readonly source: string
  readonly object: KubeObject
  readonly content: Json
  readonly version: string
}

/**
 * What has to go down so that the node has what the source says: deletions first, because a successor may bear the same
 * name, then everything that the node has not acknowledged in its present version with its present database.
 */
export function planSync(
  source: NodeSource,
  peer: NodePeer,
  records: ReadonlyMap<string, SyncRecord>,
  pending: (uid: string) => OutboxItem | undefined,
): readonly SyncStep[] {
  const deliveries = source.deliveriesFor(peer.node)
  const wanted = new Set(deliveries.map(uidOf))
  const steps: SyncStep[] = []
  for (const kind of source.kinds) {
    for (const record of records.values()) {
      if (record.object.kind !== kind || wanted.has(record.uid) || pending(record.uid)?.isDeletion) continue
      if (source.isUnsure?.(record.object)) continue
      steps.push(deletion(source, record))
    }
  }
  const due = new Set(deliveries.filter((delivery) => isDue(delivery, peer, records, pending)).map(uidOf))
  for (const delivery of deliveries) {
    if (due.has(uidOf(delivery)) || isCompanion(delivery, deliveries, due, peer)) {
      steps.push(delivering(delivery, peer, records.get(uidOf(delivery))))
    }
  }
  return steps
}

function isDue(
  delivery: Delivery,
  peer: NodePeer,
  records: ReadonlyMap<string, SyncRecord>,
  pending: (uid: string) => OutboxItem | undefined,
): boolean {
  const underWay = pending(uidOf(delivery))
  if (underWay) return underWay.isDeletion || underWay.version !== delivery.version
  const record = records.get(uidOf(delivery))
  return record?.version !== delivery.version || record.epoch !== peer.epoch
}

function isCompanion(
  delivery: Delivery,
  deliveries: readonly Delivery[],
  due: ReadonlySet<string>,
  peer: NodePeer,
): boolean {
  if (peer.skerry) return false
  return deliveries.some((other) => other.companion === uidOf(delivery) && due.has(uidOf(other)))
}

function deletion(source: NodeSource, record: SyncRecord): SyncStep {
  const object = source.departed?.(record.uid) ?? record.object
  const address = source.addressOf(object)
  return { operation: OPERATIONS.delete, ...address, object, content: asJson(object), version: '' }
}

function delivering(delivery: Delivery, peer: NodePeer, record: SyncRecord | undefined): SyncStep {
  const known = record !== undefined && record.version !== '' && record.epoch === peer.epoch
  const { resource, source, object, version, extra, isAlwaysUpdate = false } = delivery
  const operation = known || isAlwaysUpdate ? OPERATIONS.update : OPERATIONS.insert
  const content = asJson(peer.skerry && extra ? { ...object, skerry: extra } : object)
  return { operation, resource, source, object, content, version }
}

function uidOf(delivery: Delivery): string {
  return delivery.object.metadata.uid ?? ''
}

/** Without what only the API server needs. */
function asJson(object: object): Json {
  const text = JSON.stringify(object, (key, value: unknown) => (key === 'managedFields' ? undefined : value))
  return parseJson(text) ?? null
}
