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
  const properties = { ...definition.schema.properties, metadata: {} }
  return withIdentity(defaultObject({ ...definition.schema, properties }, object), object)
}

/** The same for any value of any schema. */
export function defaultValue(schema: StructuralSchema, value: Json): Json {
  if (isJsonArray(value)) {
    const { items } = schema
    return items ? value.map((item) => defaultValue(items, item)) : value
  }
  return isJsonObject(value) ? defaultObject(schema, value) : value
}

function defaultObject(schema: StructuralSchema, value: JsonObject): JsonObject {
  const { properties, additionalProperties } = schema
  if (!properties && typeof additionalProperties !== 'object') return value
  const result: Record<string, Json> = {}
  for (const [key, member] of Object.entries(value)) {
    const known = properties && Object.hasOwn(properties, key) ? properties[key] : undefined
    const rule = known ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
    if (member === null && rule && isNeverNull(rule)) continue
    setKey(result, key, rule ? defaultValue(rule, member) : member)
  }
  for (const [key, rule] of Object.entries(properties ?? {})) {
    if (rule.default === undefined || Object.hasOwn(result, key)) continue
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
