import type { Json, JsonObject } from '../../../schemas/index.ts'
import { canonicalText, isJsonArray, isJsonObject, setKey } from '../schema/json.ts'
import { PatchError } from './patch-error.ts'

/** The value by which a list knows this item. */
export function keyOf(item: JsonObject, key: string): Json {
  const value = item[key]
  if (value === undefined) {
    throw new PatchError(422, `map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`)
  }
  return value
}

/** Values by their JSON text, so that long lists are not compared item by item. Equal values have equal texts. */
export function textOf(value: Json | undefined): string {
  return value === undefined ? '' : canonicalText(value)
}

/** Where the items of a list stand by the value of their key. */
export function placesOf(items: readonly Json[], key: string): Map<string, number[]> {
  const places = new Map<string, number[]>()
  for (const [position, item] of items.entries()) {
    if (!isJsonObject(item) || item[key] === undefined) continue
    const text = textOf(item[key])
    const known = places.get(text)
    if (known) known.push(position)
    else places.set(text, [position])
  }
  return places
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
  const identity = (item: Json) => textOf(key !== undefined && isJsonObject(item) ? item[key] : item)
  const [ranks, places] = [firstPlaces(order.map(identity)), firstPlaces(before.map(identity))]
  const ranked = items.map((item) => {
    const name = identity(item)
    return { item, rank: ranks.get(name) ?? -1, place: places.get(name) ?? -1 }
  })
  const ordered = ranked.filter(({ rank }) => rank >= 0).sort((a, b) => a.rank - b.rank)
  const others = ranked.filter(({ rank }) => rank < 0)
  const result: Json[] = []
  let next = 0
  for (const { item, place } of ordered) {
    for (let other = others[next]; other && standsBefore(other.place, place); other = others[++next]) {
      result.push(other.item)
    }
    result.push(item)
  }
  return [...result, ...others.slice(next).map(({ item }) => item)]
}

function firstPlaces(names: readonly string[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>()
  for (const [position, name] of names.entries()) if (!places.has(name)) places.set(name, position)
  return places
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
