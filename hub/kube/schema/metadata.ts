import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ResourceDefinition } from '../resource.ts'
import { child, type FieldError, forbidden, index, invalid, required, tooLong } from './field-error.ts'
import { at, isJsonArray, isJsonObject, isSame } from './json.ts'
import { dnsLabel, dnsSubdomain, labelValue, type NameRule, qualifiedName } from './names.ts'

/** All annotations of one object together, in bytes of keys and values. */
const MOST_ANNOTATION_BYTES = 256 * 1024
const IMMUTABLE = ['name', 'namespace', 'uid', 'creationTimestamp'] as const

/**
 * What is wrong with metadata. `old` is the stored metadata of an update: its identity must not change.
 * Names are checked on create only, so that what was once accepted can still be edited.
 */
export function validateMetadata(
  definition: Pick<ResourceDefinition, 'kind' | 'group' | 'namespaced'>,
  metadata: JsonObject,
  old?: JsonObject,
): readonly FieldError[] {
  return [
    ...(old ? identityErrors(metadata, old) : nameErrors(definition, metadata)),
    ...scopeErrors(definition, metadata),
    ...labelErrors(metadata['labels']),
    ...annotationErrors(metadata['annotations']),
    ...finalizerErrors(metadata['finalizers']),
    ...ownerErrors(metadata['ownerReferences']),
  ]
}

function nameErrors(
  definition: Pick<ResourceDefinition, 'kind' | 'group'>,
  metadata: JsonObject,
): readonly FieldError[] {
  const rule = nameRule(definition)
  const stem = textOf(metadata['generateName'])
  const name = textOf(metadata['name'])
  // What is generated is appended, so a trailing dash is fine there.
  const stemErrors = stem === '' ? [] : rule(stem.replace(/-$/, 'a'))
  return [
    ...stemErrors.map((text) => invalid('metadata.generateName', stem, text)),
    ...(name === ''
      ? [required('metadata.name', 'name or generateName is required')]
      : rule(name).map((text) => invalid('metadata.name', name, text))),
  ]
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

function nameRule({ kind, group }: Pick<ResourceDefinition, 'kind' | 'group'>): NameRule {
  if (kind === 'Namespace' && group === '') return dnsLabel
  if (group === 'rbac.authorization.k8s.io') return pathSegment
  return dnsSubdomain
}

const pathSegment: NameRule = (name) => {
  if (name === '.' || name === '..') return [`may not be '${name}'`]
  return ['/', '%'].filter((each) => name.includes(each)).map((each) => `may not contain '${each}'`)
}

function scopeErrors({ namespaced }: Pick<ResourceDefinition, 'namespaced'>, metadata: JsonObject): FieldError[] {
  const { namespace } = metadata
  const isGiven = typeof namespace === 'string' && namespace !== ''
  if (namespaced) {
    if (!isGiven) return [required('metadata.namespace')]
    return dnsLabel(namespace).map((text) => invalid('metadata.namespace', namespace, text))
  }
  return isGiven ? [forbidden('metadata.namespace', 'not allowed on this type')] : []
}

function identityErrors(metadata: JsonObject, old: JsonObject): readonly FieldError[] {
  return IMMUTABLE.filter((key) => metadata[key] !== undefined && !isSame(metadata[key], old[key])).map((key) =>
    invalid(`metadata.${key}`, metadata[key] ?? null, 'field is immutable'),
  )
}

function labelErrors(labels: Json | undefined): readonly FieldError[] {
  if (!isJsonObject(labels)) return []
  return Object.entries(labels).flatMap(([key, value]) => [
    ...qualifiedName(key).map((text) => invalid('metadata.labels', key, text)),
    ...(typeof value === 'string' ? labelValue(value) : []).map((text) => invalid('metadata.labels', value, text)),
  ])
}

function annotationErrors(annotations: Json | undefined): readonly FieldError[] {
  if (!isJsonObject(annotations)) return []
  const entries = Object.entries(annotations)
  const size = entries.reduce(
    (sum, [key, value]) => sum + bytes(key) + (typeof value === 'string' ? bytes(value) : 0),
    0,
  )
  return [
    ...entries.flatMap(([key]) =>
      qualifiedName(key.toLowerCase()).map((text) => invalid('metadata.annotations', key, text)),
    ),
    ...(size > MOST_ANNOTATION_BYTES ? [tooLong('metadata.annotations', MOST_ANNOTATION_BYTES)] : []),
  ]
}

function finalizerErrors(finalizers: Json | undefined): readonly FieldError[] {
  if (!isJsonArray(finalizers)) return []
  return finalizers.flatMap((each) =>
    typeof each === 'string' ? qualifiedName(each).map((text) => invalid('metadata.finalizers', each, text)) : [],
  )
}

function ownerErrors(owners: Json | undefined): readonly FieldError[] {
  if (!isJsonArray(owners)) return []
  const field = 'metadata.ownerReferences'
  const errors = owners.flatMap((owner, position) => {
    const path = index(field, position)
    return (['apiVersion', 'kind', 'name', 'uid'] as const)
      .filter((key) => !at(owner, key))
      .map((key) => invalid(child(path, key), '', 'must not be empty'))
  })
  const controllers = owners.filter((owner) => at(owner, 'controller') === true)
  const [first, second] = controllers
  if (first === undefined || second === undefined) return errors
  const detail = `Only one reference can have Controller set to true. Found "true" in references for ${at(first, 'name')} and ${at(second, 'name')}`
  return [...errors, invalid(field, owners, detail)]
}

function bytes(text: string): number {
  return Buffer.byteLength(text)
}
