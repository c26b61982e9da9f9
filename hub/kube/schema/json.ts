import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isApiObject, isJsonArray, isJsonObject } from '../object/access.ts'
import type { ApiObject } from '../resource.ts'

/** `value` at a path of keys; undefined where the path ends early. */
export function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let here = value
  for (const key of path) {
    if (!isJsonObject(here) || !Object.hasOwn(here, key)) return undefined
    here = here[key]
  }
  return here
}

/** Sets own keys only, also one called `__proto__`, which plain assignment would take for the prototype. */
export function setKey(target: Record<string, Json>, key: string, value: Json): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true })
  else target[key] = value
}

/** An object that was rebuilt from an ApiObject, with what made it one put back. */
export function withIdentity(body: JsonObject, like: ApiObject): ApiObject {
  const { apiVersion, kind, metadata } = body
  return {
    ...body,
    apiVersion: typeof apiVersion === 'string' ? apiVersion : like.apiVersion,
    kind: typeof kind === 'string' ? kind : like.kind,
    metadata: isJsonObject(metadata) ? metadata : like.metadata,
  }
}

/** JSON with keys in order, so that equal values have equal texts. */
export function canonicalText(value: Json): string {
  if (isJsonArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (!isJsonObject(value)) return JSON.stringify(value)
  const entries = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalText(value[key] ?? null)}`)
  return `{${entries.join(',')}}`
}

export function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return canonicalText(a) === canonicalText(b)
}

export { isApiObject, isJsonArray, isJsonObject }
