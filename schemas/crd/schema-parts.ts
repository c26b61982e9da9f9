import type { JsonObject } from '../device/index.ts'

/** OpenAPI v3 schema in the structural form that apiextensions.k8s.io/v1 asks for. */
export type CrdSchema = JsonObject

export const text: CrdSchema = { type: 'string' }
export const flag: CrdSchema = { type: 'boolean' }
export const int: CrdSchema = { type: 'integer' }
export const int32: CrdSchema = { type: 'integer', format: 'int32' }
export const int64: CrdSchema = { type: 'integer', format: 'int64' }
export const float: CrdSchema = { type: 'number' }
export const texts: CrdSchema = { type: 'object', additionalProperties: text }
/** Any JSON object, kept to the last byte. */
export const anything: CrdSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

export function object(properties: JsonObject, required: readonly string[] = []): CrdSchema {
  return required.length === 0 ? { type: 'object', properties } : { type: 'object', required, properties }
}

export function list(items: CrdSchema): CrdSchema {
  return { type: 'array', items }
}

/** A list of which each item is known by one key; the server denies two items with the same. */
export function listMap(items: CrdSchema, key: string): CrdSchema {
  return { type: 'array', items, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] }
}

export function oneOf(...values: readonly (string | number)[]): CrdSchema {
  const type = typeof values[0] === 'number' ? 'integer' : 'string'
  return { type, enum: values }
}

export function described(description: string, schema: CrdSchema): CrdSchema {
  return { description, ...schema }
}

/** The schema of a whole object. */
export function root(description: string, properties: JsonObject): CrdSchema {
  return {
    description,
    type: 'object',
    properties: { apiVersion: text, kind: text, metadata: { type: 'object' }, ...properties },
  }
}
