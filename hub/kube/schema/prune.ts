import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ApiObject, ResourceDefinition, StructuralSchema } from '../resource.ts'
import { child, index } from './field-error.ts'
import { isJsonArray, isJsonObject, setKey, withIdentity } from './json.ts'
import { OBJECT_META, rootSchema } from './object-meta.ts'

/** Strict decoding names at most this many fields, as Kubernetes does not burden its answers with more. */
const MOST_NAMED = 100

export interface Pruned {
  readonly object: ApiObject
  /** Fields that were dropped, as strict field validation names them: `spec.foo`, `spec.items[0].bar`. */
  readonly unknown: readonly string[]
}

/** Drops what the schema of the kind does not know. The object given stays as it is. */
export function prune(definition: Pick<ResourceDefinition, 'schema'>, object: ApiObject): Pruned {
  const schema = rootSchema(definition.schema)
  if (isKnown(schema, object)) return { object, unknown: [] }
  const unknown: string[] = []
  const body = pruneObject(schema, object, '', unknown)
  return { object: withIdentity(body, object), unknown }
}

function pruneValue(schema: StructuralSchema, value: Json, path: string, unknown: string[]): Json {
  if (isJsonArray(value)) {
    const { items } = schema
    if (!items) return value
    return value.map((item, position) => pruneValue(items, item, index(path, position), unknown))
  }
  return isJsonObject(value) ? pruneObject(schema, value, path, unknown) : value
}

/** Whether the schema knows all of it: so it mostly does, and nothing needs a copy. */
function isKnown(schema: StructuralSchema, value: Json): boolean {
  if (isJsonArray(value)) {
    const { items } = schema
    return !items || value.every((item) => isKnown(items, item))
  }
  if (!isJsonObject(value) || isOpen(schema)) return true
  for (const key of Object.keys(value)) {
    const known = schemaOfKey(schema, key)
    if (!known && schema['x-kubernetes-preserve-unknown-fields']) continue
    if (!known || !isKnown(known, value[key] ?? null)) return false
  }
  return true
}

function pruneObject(schema: StructuralSchema, value: JsonObject, path: string, unknown: string[]): JsonObject {
  if (isOpen(schema)) return value
  const kept: Record<string, Json> = {}
  for (const [key, member] of Object.entries(value)) {
    const known = schemaOfKey(schema, key)
    if (known) setKey(kept, key, pruneValue(known, member, child(path, key), unknown))
    else if (schema['x-kubernetes-preserve-unknown-fields']) setKey(kept, key, member)
    else if (unknown.length < MOST_NAMED) unknown.push(child(path, key))
  }
  return kept
}

/** Nothing below it is declared, so nothing below it can be unknown. */
function isOpen(schema: StructuralSchema): boolean {
  return (
    schema['x-kubernetes-preserve-unknown-fields'] === true &&
    schema.properties === undefined &&
    schema['x-kubernetes-embedded-resource'] !== true
  )
}

/** Schema of one member of an object; an open one where anything is allowed; nothing where it is unknown. */
export function schemaOfKey(schema: StructuralSchema, key: string): StructuralSchema | undefined {
  const { properties, additionalProperties } = schema
  if (properties && Object.hasOwn(properties, key)) return properties[key]
  if (schema['x-kubernetes-embedded-resource'] && Object.hasOwn(EMBEDDED, key)) return EMBEDDED[key]
  if (additionalProperties === true) return ANYTHING
  return typeof additionalProperties === 'object' ? additionalProperties : undefined
}

const ANYTHING: StructuralSchema = { 'x-kubernetes-preserve-unknown-fields': true }
const EMBEDDED: Readonly<Record<string, StructuralSchema>> = {
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: OBJECT_META,
}
