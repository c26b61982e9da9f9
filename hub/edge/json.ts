import type { Json, JsonObject } from '../../schemas/index.ts'

/** An empty object where there is none. */
export function objectIn(object: JsonObject | undefined, key: string): JsonObject {
  const value = object?.[key]
  return isObject(value) ? value : {}
}

/** Undefined where it is absent, empty, or no text. */
export function textIn(object: JsonObject | undefined, key: string): string | undefined {
  const value = object?.[key]
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
