import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { StructuralSchema } from '../resource.ts'
import { isJsonArray, isJsonObject } from '../schema/json.ts'
import { schemaOfKey } from '../schema/prune.ts'
import { keyElement, type PathElement, valueElement } from './path-element.ts'

/**
 * How a value is owned: `map` and `list` part by part, a `leaf` (numbers, texts, null, and all that is atomic) as a whole.
 * A list without a list type is atomic, an object is not; below what no schema describes the same holds.
 */
export type Shape = 'map' | 'list' | 'leaf'

export function shapeOf(schema: StructuralSchema, value: Json | undefined): Shape {
  if (isJsonObject(value)) return schema['x-kubernetes-map-type'] === 'atomic' ? 'leaf' : 'map'
  if (!isJsonArray(value)) return 'leaf'
  const type = schema['x-kubernetes-list-type']
  return type === 'set' || type === 'map' ? 'list' : 'leaf'
}

/** What a member of an object may be; anything where nobody says. */
export function schemaBelow(schema: StructuralSchema, key: string): StructuralSchema {
  return schemaOfKey(schema, key) ?? ANYTHING
}

/** The field is named by the schema, unlike the keys of a map. */
export function isNamed(schema: StructuralSchema, key: string): boolean {
  const { properties } = schema
  if (properties !== undefined && Object.hasOwn(properties, key)) return true
  return schema['x-kubernetes-embedded-resource'] === true && /^(?:apiVersion|kind|metadata)$/.test(key)
}

export function itemSchema(schema: StructuralSchema): StructuralSchema {
  return schema.items ?? ANYTHING
}

/** What tells an item of a list apart; undefined for items that have nothing of the sort. Absent keys take their default. */
export function itemElement(schema: StructuralSchema, item: Json): PathElement | undefined {
  if (schema['x-kubernetes-list-type'] === 'set') {
    return item === null || typeof item === 'object' ? undefined : valueElement(item)
  }
  const keys = isJsonObject(item) ? keysOf(schema, item) : {}
  return Object.keys(keys).length === 0 ? undefined : keyElement(keys)
}

function keysOf(schema: StructuralSchema, item: JsonObject): JsonObject {
  const keys: Record<string, Json> = {}
  for (const key of schema['x-kubernetes-list-map-keys'] ?? []) {
    const value = Object.hasOwn(item, key) ? item[key] : absentKey(schema.items, key)
    if (value !== undefined) keys[key] = value
  }
  return keys
}

/** Structures of Kubernetes whose keys may be absent; the keys of all others are there, if empty. */
const OPTIONAL_KEYS: ReadonlySet<string> = new Set(['io.k8s.api.core.v1.ObjectReference'])

function absentKey(items: StructuralSchema | undefined, key: string): Json | undefined {
  const property = items?.properties?.[key]
  const structure = items?.['x-skerry-type']
  const given = scalar(property?.default)
  if (given !== undefined || structure === undefined || OPTIONAL_KEYS.has(structure)) return given
  if (property?.type === 'string') return ''
  return property?.type === 'integer' ? 0 : undefined
}

function scalar(value: unknown): Json | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : undefined
}

const ANYTHING: StructuralSchema = { 'x-kubernetes-preserve-unknown-fields': true }
