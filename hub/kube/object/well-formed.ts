import type { Json } from '../../../schemas/index.ts'
import { isJsonArray, isJsonObject } from './access.ts'

/**
 * The value with U+FFFD for each half of a character, as Go's decoder has it: what a database and a URL cannot name must not become
 * the name of anything. Recursive: bounded values only.
 */
export function wellFormed(value: Json): Json {
  if (typeof value === 'string') return value.toWellFormed()
  if (isJsonArray(value)) return value.map(wellFormed)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key.toWellFormed(), wellFormed(member)]))
}
