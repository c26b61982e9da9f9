import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { StructuralSchema } from '../resource.ts'
import { isJsonArray, isJsonObject, setKey } from '../schema/json.ts'
import { itemElement, itemSchema, schemaBelow, shapeOf } from './shape.ts'

/**
 * The live object with a configuration laid over it: maps and keyed lists part by part, sets united, all else replaced. Items that
 * both have stand in the order of the configuration, items of the live object alone stay between their neighbours.
 */
export function mergeObjects(schema: StructuralSchema, live: JsonObject, applied: JsonObject): JsonObject {
  const result: Record<string, Json> = { ...live }
  for (const [key, value] of Object.entries(applied)) {
    const present = Object.hasOwn(live, key) ? live[key] : undefined
    setKey(result, key, present === undefined ? value : mergeValues(schemaBelow(schema, key), present, value))
  }
  return result
}

function mergeValues(schema: StructuralSchema, live: Json, applied: Json): Json {
  const shape = shapeOf(schema, applied ?? live)
  if (shape === 'map' && isJsonObject(live)) {
    return isJsonObject(applied) ? mergeObjects(schema, live, applied) : keptOr(live, applied)
  }
  if (shape === 'list' && isJsonArray(live)) {
    return isJsonArray(applied) ? mergeLists(schema, live, applied) : keptOr(live, applied)
  }
  return applied
}

/** Null says nothing about what has parts. */
function keptOr(live: Json, applied: Json): Json {
  return applied === null && Object.keys(live ?? {}).length > 0 ? live : applied
}

function mergeLists(schema: StructuralSchema, live: readonly Json[], applied: readonly Json[]): readonly Json[] {
  const left = live.map((item, index) => itemElement(schema, item) ?? `?${index}`)
  const right = applied.map((item, index) => itemElement(schema, item) ?? `!${index}`)
  const ofRight = new Map(right.map((element, index) => [element, applied[index] ?? null]))
  const ofLeft = uniqueItems(left, live)
  const both = right.filter((element) => ofLeft.has(element))
  const result: Json[] = []
  const taken = new Set<string>()
  let [l, r, next] = [0, 0, 0]
  const take = (element: string) => {
    const [old, now = null] = [ofLeft.get(element), ofRight.get(element)]
    result.push(old === undefined ? now : mergeValues(itemSchema(schema), old, now))
    taken.add(element)
    r++
    if (both[next] === element) next++
  }
  while (l < left.length || r < right.length) {
    const [mine, theirs] = [left[l], right[r]]
    if (mine === undefined) {
      if (theirs !== undefined) take(theirs)
    } else if (!ofRight.has(mine)) {
      result.push(live[l] ?? null)
      l++
    } else if (mine === theirs) {
      take(mine)
      l++
    } else if (theirs !== undefined && both[next] !== undefined && both[next] !== mine) {
      // Both have it, but it is not its turn yet.
      l++
    } else {
      if (taken.has(mine)) l++
      if (theirs !== undefined) take(theirs)
    }
  }
  return result
}

/** Items that occur twice are there, but nothing is merged into them. */
function uniqueItems(elements: readonly string[], items: readonly Json[]): ReadonlyMap<string, Json | undefined> {
  const map = new Map<string, Json | undefined>()
  for (const [index, element] of elements.entries()) map.set(element, map.has(element) ? undefined : items[index])
  return map
}
