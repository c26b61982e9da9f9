import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ApiObject, ResourceDefinition, StructuralSchema } from '../resource.ts'
import { isJsonArray, isJsonObject, setKey, withIdentity } from './json.ts'

/**
 * Fills in what the schema defaults, and drops nulls of fields that may not be null (a null there means "unset").
 * The object given stays as it is; parts that do not change are shared with it.
 */
export function applyDefaults(definition: Pick<ResourceDefinition, 'schema' | 'custom'>, object: ApiObject): ApiObject {
  if (!definition.custom || !definition.schema) return object
  // Metadata has no defaults; an open schema leaves it where it stands.
  const known = withOpenMetadata.get(definition.schema) ?? openMetadata(definition.schema)
  withOpenMetadata.set(definition.schema, known)
  const filled = defaultObject(known, object)
  return filled === object ? object : withIdentity(filled, object)
}

const withOpenMetadata = new WeakMap<StructuralSchema, StructuralSchema>()

function openMetadata(schema: StructuralSchema): StructuralSchema {
  return { ...schema, properties: { ...schema.properties, metadata: {} } }
}

/** The same for any value of any schema. */
export function defaultValue(schema: StructuralSchema, value: Json): Json {
  if (isJsonArray(value)) {
    const { items } = schema
    return items && !isSettled(schema, value) ? value.map((item) => defaultValue(items, item)) : value
  }
  return isJsonObject(value) ? defaultObject(schema, value) : value
}

/** Whether nothing is to be filled in or dropped: so it mostly is, and needs no copy. */
function isSettled(schema: StructuralSchema, value: Json): boolean {
  if (isJsonArray(value)) {
    const { items } = schema
    return !items || value.every((item) => isSettled(items, item))
  }
  if (!isJsonObject(value)) return true
  const { properties, additionalProperties } = schema
  if (!properties && typeof additionalProperties !== 'object') return true
  for (const key of Object.keys(value)) {
    const known = properties && Object.hasOwn(properties, key) ? properties[key] : undefined
    const rule = known ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
    const member = value[key]
    if (!rule || member === undefined) continue
    if (member === null ? isNeverNull(rule) : !isSettled(rule, member)) return false
  }
  return !properties || defaultedKeys(properties).every((key) => Object.hasOwn(value, key))
}

const defaulted = new WeakMap<object, readonly string[]>()

/** Keys that are filled in where they are absent. */
function defaultedKeys(properties: NonNullable<StructuralSchema['properties']>): readonly string[] {
  const known = defaulted.get(properties)
  if (known) return known
  const keys = Object.keys(properties).filter((key) => properties[key]?.default !== undefined)
  defaulted.set(properties, keys)
  return keys
}

function defaultObject(schema: StructuralSchema, value: JsonObject): JsonObject {
  if (isSettled(schema, value)) return value
  const { properties, additionalProperties } = schema
  if (!properties && typeof additionalProperties !== 'object') return value
  const result: Record<string, Json> = {}
  for (const [key, member] of Object.entries(value)) {
    const known = properties && Object.hasOwn(properties, key) ? properties[key] : undefined
    const rule = known ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
    if (member === null && rule && isNeverNull(rule)) continue
    setKey(result, key, rule ? defaultValue(rule, member) : member)
  }
  for (const key of properties ? defaultedKeys(properties) : []) {
    const rule = properties?.[key]
    if (!rule || Object.hasOwn(result, key)) continue
    if (rule.default === null && isNeverNull(rule)) continue
    setKey(result, key, defaultValue(rule, copyJson(rule.default)))
  }
  return result
}

function isNeverNull(schema: StructuralSchema): boolean {
  return schema.nullable !== true && schema.type !== undefined
}

/** A default is JSON by the rules of the schema; its copy is, too. */
function copyJson(value: unknown): Json {
  const copy: Json = JSON.parse(JSON.stringify(value))
  return copy
}
