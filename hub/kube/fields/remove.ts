import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { StructuralSchema } from '../resource.ts'
import { isJsonArray, isJsonObject, setKey } from '../schema/json.ts'
import type { FieldSet } from './field-set.ts'
import { fieldElement } from './path-element.ts'
import { itemElement, itemSchema, schemaBelow, shapeOf } from './shape.ts'

/** The object without the fields of a set. What loses all of its parts stays, empty, unless it is in the set itself. */
export function removeFields(schema: StructuralSchema, value: JsonObject, gone: FieldSet): JsonObject {
  if (gone.size === 0) return value
  const result: Record<string, Json> = {}
  for (const [key, member] of Object.entries(value)) {
    const found = gone.get(fieldElement(key))
    if (found?.isMember) continue
    setKey(result, key, found ? removeBelow(schemaBelow(schema, key), member, found.below) : member)
  }
  return result
}

function removeBelow(schema: StructuralSchema, value: Json, gone: FieldSet): Json {
  const shape = shapeOf(schema, value)
  if (shape === 'map' && isJsonObject(value)) return removeFields(schema, value, gone)
  if (shape === 'list' && isJsonArray(value)) return removeItems(schema, value, gone)
  // An atomic one is there as a whole or not at all.
  if (isJsonArray(value)) return []
  return isJsonObject(value) ? {} : value
}

function removeItems(schema: StructuralSchema, items: readonly Json[], gone: FieldSet): readonly Json[] {
  return items.flatMap((item) => {
    const element = itemElement(schema, item)
    const found = element === undefined ? undefined : gone.get(element)
    if (found?.isMember) return []
    return [found ? removeBelow(itemSchema(schema), item, found.below) : item]
  })
}
