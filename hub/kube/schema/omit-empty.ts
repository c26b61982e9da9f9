import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ApiObject, StructuralSchema } from '../resource.ts'
import { isJsonArray, isJsonObject, setKey, withIdentity } from './json.ts'
import { rootSchema } from './object-meta.ts'
import { schemaOfKey } from './prune.ts'

/**
 * Leaves out what is empty in the structures of Kubernetes itself (metadata of every kind among them), as a server does that reads an
 * object into such a structure and writes it again. What a CustomResourceDefinition declares stays as it came.
 */
export function omitEmpty(definition: { readonly schema: StructuralSchema | undefined }, object: ApiObject): ApiObject {
  const shown = shorter(rootSchema(definition.schema), object)
  return shown === object || !isJsonObject(shown) ? object : withIdentity(shown, object)
}

/** The same value where nothing in it is left out. */
function shorter(schema: StructuralSchema, value: Json): Json {
  if (isJsonArray(value)) {
    const { items } = schema
    if (!items) return value
    const shown = value.map((item) => shorter(items, item))
    return shown.some((item, position) => item !== value[position]) ? shown : value
  }
  return isJsonObject(value) ? shorterObject(schema, value) : value
}

function shorterObject(schema: StructuralSchema, value: JsonObject): JsonObject {
  const kept = schema['x-skerry-kept']
  const shown: Record<string, Json> = {}
  let isSame = true
  for (const [key, member] of Object.entries(value)) {
    const known = schemaOfKey(schema, key)
    const short = known ? shorter(known, member) : member
    if (kept && known && isZero(known, short) && !kept.includes(key)) isSame = false
    else setKey(shown, key, short)
    if (short !== member) isSame = false
  }
  return isSame ? value : shown
}

/** Empty maps and lists, and leaves that say nothing; a structure says something by being there. */
function isZero({ type, additionalProperties }: StructuralSchema, value: Json): boolean {
  if (isJsonArray(value)) return type === 'array' && value.length === 0
  if (isJsonObject(value)) return additionalProperties !== undefined && Object.keys(value).length === 0
  return type !== undefined && (value === '' || value === 0 || value === false)
}
