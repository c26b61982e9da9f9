import type { Json } from '../../../schemas/index.ts'
import type { StructuralSchema } from '../resource.ts'
import { canonicalText, isJsonArray, isJsonObject } from './json.ts'

/**
 * Which item of a list was the former self of an item: found by the keys of a list map. Items of other lists have no identity,
 * so nothing is found for them.
 */
export function listItemsByKey(schema: StructuralSchema, old: Json | undefined): (item: Json) => Json | undefined {
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (schema['x-kubernetes-list-type'] !== 'map' || !isJsonArray(old)) return () => undefined
  const identity = (item: Json) => {
    if (!isJsonObject(item)) return canonicalText(item)
    return canonicalText(keys.map((key) => (Object.hasOwn(item, key) ? (item[key] ?? null) : null)))
  }
  const olds = new Map(old.map((item) => [identity(item), item] as const))
  return (item) => olds.get(identity(item))
}
