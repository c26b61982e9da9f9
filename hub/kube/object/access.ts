import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'

/** An owner as metadata.ownerReferences names it. */
export interface Owner {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly blockOwnerDeletion: boolean
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isJsonArray(value: unknown): value is readonly Json[] {
  return Array.isArray(value)
}

/** Has what every Kubernetes object has, whatever else it holds. */
export function isApiObject(value: unknown): value is ApiObject {
  return (
    isJsonObject(value) &&
    typeof value['apiVersion'] === 'string' &&
    typeof value['kind'] === 'string' &&
    isJsonObject(value['metadata'])
  )
}

/** What a table has under a key that somebody else chose: `constructor` is in every object. */
export function entryOf<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}

/** The text of a field, empty when it is absent or no text. */
export function textAt(object: JsonObject, field: string): string {
  const value = object[field]
  return typeof value === 'string' ? value : ''
}

export function objectAt(object: JsonObject, field: string): JsonObject {
  const value = object[field]
  return isJsonObject(value) ? value : {}
}

export function arrayAt(object: JsonObject, field: string): readonly Json[] {
  const value = object[field]
  return isJsonArray(value) ? value : []
}

export function nameOf(object: ApiObject): string {
  return textAt(object.metadata, 'name')
}

/** Empty for cluster-scoped objects. */
export function namespaceOf(object: ApiObject): string {
  return textAt(object.metadata, 'namespace')
}

export function uidOf(object: ApiObject): string {
  return textAt(object.metadata, 'uid')
}

export function resourceVersionOf(object: ApiObject): string {
  return textAt(object.metadata, 'resourceVersion')
}

export function labelsOf(object: ApiObject): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {}
  for (const [key, value] of Object.entries(objectAt(object.metadata, 'labels'))) {
    if (typeof value === 'string') labels[key] = value
  }
  return labels
}

export function finalizersOf(object: ApiObject): readonly string[] {
  return arrayAt(object.metadata, 'finalizers').filter((item) => typeof item === 'string')
}

export function isDeleting(object: ApiObject): boolean {
  return textAt(object.metadata, 'deletionTimestamp') !== ''
}

export function ownersOf(object: ApiObject): readonly Owner[] {
  return arrayAt(object.metadata, 'ownerReferences')
    .filter(isJsonObject)
    .map((owner) => ({
      apiVersion: textAt(owner, 'apiVersion'),
      kind: textAt(owner, 'kind'),
      name: textAt(owner, 'name'),
      uid: textAt(owner, 'uid'),
      blockOwnerDeletion: owner['blockOwnerDeletion'] === true,
    }))
}

/** The object with other metadata fields; undefined removes a field. */
export function withMetadata(object: ApiObject, changes: Readonly<Record<string, Json | undefined>>): ApiObject {
  return { ...object, metadata: withFields(object.metadata, changes) }
}

/** The object with other fields; undefined removes a field. */
export function withFields(object: JsonObject, changes: Readonly<Record<string, Json | undefined>>): JsonObject {
  let result: Record<string, Json> = { ...object }
  for (const field of Object.keys(changes)) {
    const value = changes[field]
    if (value !== undefined) result[field] = value
    else if (Object.hasOwn(result, field)) result = without(result, field)
  }
  return result
}

/** Made anew: V8 handles an object that a field was deleted from slowly ever after. */
function without(object: JsonObject, field: string): Record<string, Json> {
  const { [field]: _gone, ...others } = object
  return others
}

/** The object with other top-level fields besides its type and metadata; undefined removes a field. */
export function withContent(object: ApiObject, changes: Readonly<Record<string, Json | undefined>>): ApiObject {
  const { apiVersion, kind, metadata } = object
  return { ...withFields(object, changes), apiVersion, kind, metadata }
}

/** A time as Kubernetes writes it: RFC 3339, UTC, whole seconds. */
export function timestamp(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 19)}Z`
}

/** Equal as JSON: the order of an object's fields does not count. */
export function sameJson(one: Json | undefined, other: Json | undefined): boolean {
  if (one === other) return true
  if (isJsonArray(one) && isJsonArray(other)) {
    return one.length === other.length && one.every((item, index) => sameJson(item, other[index]))
  }
  if (!isJsonObject(one) || !isJsonObject(other)) return false
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && sameJson(one[key], other[key]))
  )
}
