import type { StructuralSchema } from '../resource.ts'
import { OBJECT_META } from '../schema/object-meta.ts'
import { KEPT_FIELDS } from './kept-fields.ts'
import { ENFORCED, FIELD_FACTS } from './overlay.ts'
import { ATOMIC_TYPES, OWNERSHIP_FACTS } from './ownership.ts'
import { fieldsOfType, nameOfType, type TypeField } from './type-table.ts'

/** Codes of type-table.ts. */
const LEAVES: Readonly<Record<string, StructuralSchema>> = {
  s: { type: 'string' },
  y: { type: 'string', format: 'byte' },
  t: { type: 'string', format: 'date-time', nullable: true },
  m: { type: 'string', format: 'date-time', nullable: true },
  b: { type: 'boolean' },
  i: { type: 'integer', format: 'int32' },
  l: { type: 'integer', format: 'int64' },
  d: { type: 'number', format: 'double' },
  x: { 'x-kubernetes-int-or-string': true },
  a: { 'x-kubernetes-preserve-unknown-fields': true },
}

const resolved = new Map<string, StructuralSchema>([['V1ObjectMeta', OBJECT_META]])

/**
 * Schema of a structure by its class name. Fields are resolved when they are first looked at, once for all uses: a start
 * costs nothing, and structures may contain themselves (never walk the schema itself, walk an object along with it).
 */
export function resolveType(name: string): StructuralSchema {
  const known = resolved.get(name)
  if (known) return known
  const fields = fieldsOfType(name)
  const required = fields.filter(({ isRequired }) => isRequired).map((field) => field.name)
  const schema: StructuralSchema = {
    type: 'object',
    'x-skerry-type': nameOfType(name),
    'x-skerry-kept': [...required, ...(KEPT_FIELDS[name] ?? '').split(' ')],
    properties: lazyProperties(name, fields),
    ...(required.length > 0 && ENFORCED.has(name) ? { required } : {}),
    ...(ATOMIC_TYPES.has(name) ? { 'x-kubernetes-map-type': 'atomic' } : {}),
  }
  resolved.set(name, schema)
  return schema
}

function lazyProperties(owner: string, fields: readonly TypeField[]): Readonly<Record<string, StructuralSchema>> {
  const properties: Record<string, StructuralSchema> = {}
  for (const { name, code } of fields) {
    let schema: StructuralSchema | undefined
    const get = () => {
      schema ??= withFacts(schemaOfCode(code), factsOfField(`${owner}.${name}`))
      return schema
    }
    Object.defineProperty(properties, name, { enumerable: true, get })
  }
  return properties
}

/**
 * What the tables say of a field, by `Type.field`. A list whose items are told apart by one key in both tables denies two with
 * the same.
 */
export function factsOfField(field: string): Partial<StructuralSchema> | undefined {
  const facts = FIELD_FACTS[field]
  const ownership = OWNERSHIP_FACTS.get(field)
  if (!facts || !ownership) return facts ?? ownership
  const isUnique = facts['x-kubernetes-list-type'] !== undefined
  return { ...ownership, ...facts, ...(isUnique ? { 'x-skerry-repeats': false } : {}) }
}

function withFacts(schema: StructuralSchema, facts: Partial<StructuralSchema> | undefined): StructuralSchema {
  if (!facts) return schema
  if (facts['x-kubernetes-int-or-string']) return facts
  return { ...schema, ...facts }
}

function schemaOfCode(code: string): StructuralSchema {
  const rest = code.slice(1)
  if (code.startsWith('*')) return { type: 'array', items: schemaOfCode(rest) }
  if (code.startsWith('%')) return { type: 'object', additionalProperties: schemaOfCode(rest) }
  if (code.startsWith('@')) return resolveType(rest)
  return LEAVES[code] ?? LEAVES['a'] ?? {}
}
