import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isJsonArray, isJsonObject, isSame, setKey } from '../schema/json.ts'
import { PatchError } from './patch-error.ts'

/** The value by which a list knows this item. */
export function keyOf(item: JsonObject, key: string): Json {
  const value = item[key]
  if (value === undefined) {
    throw new PatchError(422, `map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`)
  }
  return value
}

export function isItem(item: Json, key: string, identity: Json): boolean {
  return isJsonObject(item) && isSame(item[key], identity)
}

/**
 * Items in the order that the author of the patch sees ($setElementOrder). Items that only the server has stay before
 * those they stood before on the server.
 */
export function inOrder(
  items: readonly Json[],
  before: readonly Json[],
  order: readonly Json[],
  key: string | undefined,
): readonly Json[] {
  const identity = (item: Json): Json | undefined => (key !== undefined && isJsonObject(item) ? item[key] : item)
  const wanted = order.map(identity)
  const rankOf = (item: Json) => wanted.findIndex((each) => isSame(each, identity(item)))
  const placeOf = (item: Json) => before.findIndex((each) => isSame(identity(each), identity(item)))
  const ordered = items.filter((item) => rankOf(item) >= 0).sort((a, b) => rankOf(a) - rankOf(b))
  const others = items.filter((item) => rankOf(item) < 0)
  const result: Json[] = []
  for (const item of ordered) {
    for (let other = others[0]; other !== undefined && standsBefore(placeOf(other), placeOf(item)); other = others[0]) {
      result.push(other)
      others.shift()
    }
    result.push(item)
  }
  return [...result, ...others]
}

function standsBefore(place: number, other: number): boolean {
  return place >= 0 && other >= 0 && place < other
}

/** A list taken over as it is, without what was only meant for merging. */
export function withoutDirectives(items: readonly Json[]): readonly Json[] {
  return items.filter((item) => !isJsonObject(item) || item['$patch'] === undefined).map(plain)
}

function plain(value: Json): Json {
  if (isJsonArray(value)) return withoutDirectives(value)
  if (!isJsonObject(value)) return value
  const result: Record<string, Json> = {}
  for (const [key, member] of Object.entries(value)) {
    if (member !== null && !isDirective(key)) setKey(result, key, plain(member))
  }
  return result
}

function isDirective(key: string): boolean {
  return key === '$retainKeys' || key.startsWith('$setElementOrder/') || key.startsWith('$deleteFromPrimitiveList/')
}
