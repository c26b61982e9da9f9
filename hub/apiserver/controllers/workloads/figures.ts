import type { Json, JsonObject } from '../../../../schemas/index.ts'

/** A number of an object; what is absent counts as `other`. */
export function numberAt(object: JsonObject, field: string, other = 0): number {
  const value = object[field]
  return typeof value === 'number' ? value : other
}

/** `3`, or a share such as `"25%"` of a total, rounded up or down. */
export function shareOf(value: Json | undefined, total: number, rounding: 'up' | 'down'): number {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return 0
  const exact = (Number.parseInt(value, 10) * total) / 100
  return rounding === 'up' ? Math.ceil(exact) : Math.floor(exact)
}

/** Fields of a status as Kubernetes writes them: what is zero is left out. */
export function withoutZeros(fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  const kept: Record<string, Json> = {}
  for (const [field, value] of Object.entries(fields)) {
    if (value !== undefined && value !== 0 && !(Array.isArray(value) && value.length === 0)) kept[field] = value
  }
  return kept
}
