import type { KubeObject } from '../../../schemas/index.ts'
import { CLUSTER_OBJECT_SYNCS, OBJECT_SYNCS, type ObjectKey, type ObjectSync } from '../kubernetes/index.ts'

/** What a node acknowledged of one object, or that something of it was sent. */
export interface SyncRecord {
  readonly uid: string
  /** Skeleton of the object, for its deletion; without a namespace where it is cluster-scoped. */
  readonly object: KubeObject
  /** See Delivery.version; empty while nothing is acknowledged. */
  readonly version: string
  /** metadata.resourceVersion of the object as it was acknowledged. */
  readonly resourceVersion: string
  /** Memory of the edge that acknowledged, see Session.epoch; empty for an original edge. */
  readonly epoch: string
}

export const VERSION_ANNOTATION = 'skerry.dev/version'
export const EPOCH_ANNOTATION = 'skerry.dev/epoch'

/** Where the record of an object is: KubeEdge's `<node>.<uid>` in the namespace of the object, or cluster-scoped like it. */
export interface RecordPlace {
  readonly node: string
  readonly uid: string
  readonly at: ObjectKey
}

export function placeOf(node: string, object: KubeObject): RecordPlace {
  const { namespace, uid = '' } = object.metadata
  const name = `${node}.${uid}`
  return { node, uid, at: namespace === undefined ? { name } : { namespace, name } }
}

export function placeOfRecord({ metadata }: ObjectSync): RecordPlace | undefined {
  const { namespace, name } = metadata
  const parts = splitRecordName(name)
  return parts && { ...parts, at: namespace === undefined ? { name } : { namespace, name } }
}

export function typeAt(at: ObjectKey) {
  return at.namespace === undefined ? CLUSTER_OBJECT_SYNCS : OBJECT_SYNCS
}

/** A record without anything acknowledged. */
export function newRecord({ at }: RecordPlace, { apiVersion, kind, metadata }: KubeObject): object {
  const spec = { objectAPIVersion: apiVersion, objectKind: kind, objectName: metadata.name }
  return { metadata: { name: at.name }, spec }
}

export function readRecord(uid: string, sync: ObjectSync): SyncRecord {
  const { annotations = {}, namespace } = sync.metadata
  return {
    uid,
    object: {
      apiVersion: sync.spec?.objectAPIVersion ?? '',
      kind: sync.spec?.objectKind ?? '',
      metadata: { name: sync.spec?.objectName ?? '', ...(namespace === undefined ? {} : { namespace }), uid },
    },
    // A record of KubeEdge's own has no annotation: its version then says nothing, and the object is sent once.
    version: annotations[VERSION_ANNOTATION] ?? '',
    resourceVersion: sync.status?.objectResourceVersion ?? '',
    epoch: annotations[EPOCH_ANNOTATION] ?? '',
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

/** Node names may hold dots, uids do not. */
function splitRecordName(name: string): { readonly node: string; readonly uid: string } | undefined {
  const dot = name.lastIndexOf('.')
  return dot <= 0 ? undefined : { node: name.slice(0, dot), uid: name.slice(dot + 1) }
}
