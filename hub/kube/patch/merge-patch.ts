import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isJsonObject, setKey } from '../schema/json.ts'

/** JSON merge patch (RFC 7386 section 2): objects merge, null deletes, everything else replaces. */
export function applyMergePatch(value: JsonObject, patch: JsonObject): JsonObject
export function applyMergePatch(value: Json | undefined, patch: Json): Json
export function applyMergePatch(value: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return patch
  const result: Record<string, Json> = {}
  if (isJsonObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      if (!Object.hasOwn(patch, key)) setKey(result, key, member)
      else if (patch[key] !== null) setKey(result, key, applyMergePatch(member, patch[key] ?? null))
    }
  }
  for (const [key, member] of Object.entries(patch)) {
    if (member !== null && !Object.hasOwn(result, key)) setKey(result, key, applyMergePatch(undefined, member))
  }
  return result
}
