import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { StructuralSchema } from '../resource.ts'
import { isJsonArray, isJsonObject } from '../schema/json.ts'
import { EMPTY, type FieldNode, type FieldSet, node } from './field-set.ts'
import { fieldElement, type PathElement } from './path-element.ts'
import { isNamed, itemElement, itemSchema, schemaBelow, shapeOf } from './shape.ts'

/** Which fields a configuration says something about: its leaves, the items of its lists, the keys of its maps. */
export function fieldSetOf(schema: StructuralSchema, value: JsonObject): FieldSet {
  return below(schema, value)
}

function below(schema: StructuralSchema, value: Json): FieldSet {
  const shape = shapeOf(schema, value)
  if (shape === 'map' && isJsonObject(value)) return ofMap(schema, value)
  if (shape === 'list' && isJsonArray(value)) return ofList(schema, value)
  return EMPTY
}

function ofMap(schema: StructuralSchema, value: JsonObject): FieldSet {
  const set = new Map<PathElement, FieldNode>()
  for (const [key, member] of Object.entries(value)) {
    const known = schemaBelow(schema, key)
    const isPart = shapeOf(known, member) !== 'leaf'
    // A named field that has parts is owned by its parts alone; a key of a map is owned itself, too.
    const isMember = !isPart || !isNamed(schema, key) || (isJsonObject(member) && Object.keys(member).length === 0)
    const made = node(isMember, below(known, member))
    if (made) set.set(fieldElement(key), made)
  }
  return set
}

/** Items that occur twice are owned as a whole. */
function ofList(schema: StructuralSchema, items: readonly Json[]): FieldSet {
  const set = new Map<PathElement, FieldNode>()
  for (const item of items) {
    const element = itemElement(schema, item)
    if (element === undefined) continue
    const made = node(true, set.has(element) ? EMPTY : below(itemSchema(schema), item))
    if (made) set.set(element, made)
  }
  return set
}
