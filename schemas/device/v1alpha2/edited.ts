import type { Json, JsonObject } from '../kubernetes.ts'
import { isSame, listIn, objectIn } from './json.ts'

/**
 * Carries an edit that was made in another form over to the original: `before` is the original as the other form tells it, `after`
 * the same once edited. What the edit did not touch stays as the original has it, also where the other form has no place for it.
 * Properties are matched by their name.
 */
export function edited(original: JsonObject, before: JsonObject, after: JsonObject): JsonObject {
  const result: Record<string, Json> = {}
  for (const [key, value] of Object.entries(original)) {
    // Only one side of the other form can have said something of it.
    if (isSame(before[key], after[key])) result[key] = value
  }
  for (const [key, value] of Object.entries(after)) {
    if (Object.hasOwn(result, key) || isSame(before[key], value)) continue
    result[key] = key === 'properties' ? propertiesOf(original[key], before[key], value) : value
  }
  return result
}

function propertiesOf(original: Json | undefined, before: Json | undefined, after: Json): Json {
  const named = (list: Json | undefined, name: Json | undefined) => listIn(list).find((each) => each['name'] === name)
  return listIn(after).map((property) => {
    const own = named(original, property['name'])
    const told = named(before, property['name'])
    return own && told ? edited(own, told, objectIn(property) ?? {}) : property
  })
}
