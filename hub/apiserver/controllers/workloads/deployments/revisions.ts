import type { JsonObject } from '../../../../../schemas/index.ts'
import { nameOf, objectAt, withFields } from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import { makesSamePods } from '../templates.ts'

export const HASH_LABEL = 'pod-template-hash'
export const REVISION = 'deployment.kubernetes.io/revision'
export const DESIRED = 'deployment.kubernetes.io/desired-replicas'
export const MOST = 'deployment.kubernetes.io/max-replicas'
const HISTORY = 'deployment.kubernetes.io/revision-history'
const LONGEST_HISTORY = 2000

/** Annotations of a Deployment that its ReplicaSets do not get. */
const NOT_COPIED: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  REVISION,
  HISTORY,
  DESIRED,
  MOST,
])

export function templateOf(object: ApiObject): JsonObject {
  return objectAt(objectAt(object, 'spec'), 'template')
}

/** Whether two templates make the same pods; the label with the hash does not count. */
export function isSameTemplate(one: JsonObject, other: JsonObject): boolean {
  return makesSamePods(withoutHash(one), withoutHash(other))
}

export function withLabel(template: JsonObject, hash: string): JsonObject {
  const metadata = objectAt(template, 'metadata')
  return { ...template, metadata: { ...metadata, labels: { ...objectAt(metadata, 'labels'), [HASH_LABEL]: hash } } }
}

export function revisionOf(object: ApiObject): number {
  return numberOf(object, REVISION) ?? 0
}

/** A number that an annotation tells; undefined where it tells none. */
export function numberOf(object: ApiObject, annotation: string): number | undefined {
  const value = objectAt(object.metadata, 'annotations')[annotation]
  const number = typeof value === 'string' ? Number(value) : Number.NaN
  return Number.isInteger(number) ? number : undefined
}

/** Of ReplicaSets that make the same pods, which there should not be, the oldest counts. */
export function findNew(deployment: ApiObject, sets: readonly ApiObject[]): ApiObject | undefined {
  return byAge(sets).find((set) => isSameTemplate(templateOf(set), templateOf(deployment)))
}

/** Oldest first. */
export function byAge(sets: readonly ApiObject[]): readonly ApiObject[] {
  const time = ({ metadata }: ApiObject) => Date.parse(String(metadata['creationTimestamp'] ?? '')) || 0
  return [...sets].sort((one, other) => time(one) - time(other) || (nameOf(one) < nameOf(other) ? -1 : 1))
}

/** The annotations of the newest ReplicaSet: those of the Deployment, its revision, and which revisions it was before. */
export function revisionAnnotations(deployment: ApiObject, set: ApiObject | undefined, revision: number): JsonObject {
  const own = set ? objectAt(set.metadata, 'annotations') : {}
  const copied = Object.entries(objectAt(deployment.metadata, 'annotations')).filter(([key]) => !NOT_COPIED.has(key))
  const annotations = { ...own, ...Object.fromEntries(copied) }
  const before = set ? revisionOf(set) : 0
  if (before >= revision) return annotations
  const history = typeof own[HISTORY] === 'string' && own[HISTORY] !== '' ? own[HISTORY].split(',') : []
  if (before > 0) history.push(String(before))
  while (history.join(',').length > LONGEST_HISTORY) history.shift()
  return withFields(
    { ...annotations, [REVISION]: String(revision) },
    { [HISTORY]: history.length === 0 ? undefined : history.join(',') },
  )
}

function withoutHash(template: JsonObject): JsonObject {
  const metadata = objectAt(template, 'metadata')
  const { [HASH_LABEL]: _, ...labels } = objectAt(metadata, 'labels')
  return {
    ...template,
    metadata: withFields(metadata, { labels: Object.keys(labels).length > 0 ? labels : undefined }),
  }
}
