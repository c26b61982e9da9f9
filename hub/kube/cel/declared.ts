import type { StructuralSchema } from '../resource.ts'
import { type CelType, DYN, type Field, STRING } from './types.ts'

const KEYWORDS = new Set([
  ...['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import'],
  ...['let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while'],
])

/** Other names are no words of an expression in any spelling. */
const PLAIN = /^[a-zA-Z_.\-/][a-zA-Z0-9_.\-/]*$/

/**
 * How expressions spell the name of a property: `a-b` is `a__dash__b`, `if` is `__if__` (Kubernetes documentation, "Validation
 * rules"). Undefined where they cannot name it at all.
 */
export function fieldName(property: string): string | undefined {
  if (!PLAIN.test(property)) return undefined
  if (KEYWORDS.has(property)) return `__${property}__`
  return property
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__')
}

/** The type of what a schema describes; undefined where expressions cannot reach it. `isRoot`: kind and name of an object come with it. */
export function declaredType(schema: StructuralSchema, name: string, isRoot: boolean): CelType | undefined {
  if (schema['x-kubernetes-int-or-string']) return DYN
  const isResource = isRoot || schema['x-kubernetes-embedded-resource'] === true
  switch (schema.type) {
    case 'array':
      return listType(schema, name)
    case 'object':
      return objectType(schema, name, isResource)
    case 'boolean':
      return { kind: 'bool' }
    case 'integer':
      return { kind: 'int' }
    case 'number':
      return { kind: 'double' }
    case 'string':
      return textType(schema.format)
    default:
      return isResource ? objectType(schema, name, true) : undefined
  }
}

function textType(format: string | undefined): CelType {
  if (format === 'byte') return { kind: 'bytes' }
  if (format === 'duration') return { kind: 'duration' }
  return format === 'date' || format === 'date-time' ? { kind: 'timestamp' } : STRING
}

function listType(schema: StructuralSchema, name: string): CelType | undefined {
  const item = schema.items && declaredType(schema.items, `${name}.@idx`, false)
  if (!item) return undefined
  const { maxItems: most } = schema
  const listKind = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const identity = listKind === 'set' ? 'item' : listKind === 'map' ? keys : undefined
  return { kind: 'list', item, ...(identity && { identity }), ...(most !== undefined && { most }) }
}

function objectType(schema: StructuralSchema, name: string, isResource: boolean): CelType | undefined {
  if (typeof schema.additionalProperties === 'object') {
    const value = declaredType(schema.additionalProperties, `${name}.@elem`, false)
    return value && { kind: 'map', key: STRING, value }
  }
  const fields = new Map<string, Field>()
  for (const [json, each] of Object.entries(schema.properties ?? {})) {
    const type = declaredType(each, `${name}.${json}`, false)
    const escaped = fieldName(json)
    if (!type || escaped === undefined) continue
    fields.set(escaped, { json, type })
    // A word of the language may be a field after a dot all the same.
    if (KEYWORDS.has(json)) fields.set(json, { json, type })
  }
  if (isResource) addIdentity(fields, name)
  return { kind: 'object', name, fields }
}

function addIdentity(fields: Map<string, Field>, name: string): void {
  const text = (json: string) => [json, { json, type: STRING }] as const
  const metadata = new Map([text('name'), text('generateName')])
  for (const [json, field] of [text('kind'), text('apiVersion')]) fields.set(json, field)
  fields.set('metadata', { json: 'metadata', type: { kind: 'object', name: `${name}.metadata`, fields: metadata } })
}
