import type { StructuralSchema } from '../resource.ts'
import { OBJECT_META } from '../schema/object-meta.ts'
import { ENFORCED, FIELD_FACTS } from './overlay.ts'
import { ATOMIC_TYPES, OWNERSHIP_FACTS } from './ownership.ts'
import { PACKAGES, TYPES } from './types.generated.ts'

/** Codes of types.generated.ts; `*` (list of), `%` (map of) and `@` (structure) come before another code. */
const LEAVES: Readonly<Record<string, StructuralSchema>> = {
  s: { type: 'string' },
  y: { type: 'string', format: 'byte' },
  t: { type: 'string', format: 'date-time', nullable: true },
  b: { type: 'boolean' },
  i: { type: 'integer', format: 'int32' },
  l: { type: 'integer', format: 'int64' },
  d: { type: 'number', format: 'double' },
  x: { 'x-kubernetes-int-or-string': true },
  a: { 'x-kubernetes-preserve-unknown-fields': true },
}

const resolved = new Map<string, StructuralSchema>([['V1ObjectMeta', OBJECT_META]])
let homes: ReadonlyMap<string, string> | undefined

/**
 * Schema of a structure by its class name. Fields are resolved when they are first looked at, once for all uses: a start
 * costs nothing, and structures may contain themselves (never walk the schema itself, walk an object along with it).
 */
export function resolveType(name: string): StructuralSchema {
  const known = resolved.get(name)
  if (known) return known
  const fields = (TYPES[name] ?? '').split(' ').filter((field) => field !== '')
  const required = fields.filter((field) => field.includes('!')).map((field) => field.slice(0, field.indexOf('!')))
  const schema: StructuralSchema = {
    type: 'object',
    'x-skerry-type': typeName(name),
    properties: lazyProperties(name, fields),
    ...(required.length > 0 && ENFORCED.has(name) ? { required } : {}),
    ...(ATOMIC_TYPES.has(name) ? { 'x-kubernetes-map-type': 'atomic' } : {}),
  }
  resolved.set(name, schema)
  return schema
}

function lazyProperties(owner: string, fields: readonly string[]): Readonly<Record<string, StructuralSchema>> {
  const properties: Record<string, StructuralSchema> = {}
  for (const field of fields) {
    const colon = field.indexOf(':')
    const name = field.slice(0, colon).replace('!', '')
    const code = field.slice(colon + 1)
    let schema: StructuralSchema | undefined
    const get = () => {
      schema ??= withFacts(schemaOfCode(code), factsOf(`${owner}.${name}`))
      return schema
    }
    Object.defineProperty(properties, name, { enumerable: true, get })
  }
  return properties
}

/** Whose list items are told apart by one key in both tables, denies two with the same. */
function factsOf(field: string): Partial<StructuralSchema> | undefined {
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

/** `io.k8s.api.core.v1.PodSpec` of `V1PodSpec`. */
function typeName(name: string): string {
  homes ??= new Map(
    Object.entries(PACKAGES).flatMap(([home, names]) => names.split(' ').map((each) => [each, home] as const)),
  )
  const short = name.replace(/^(Core|Events|Discovery|Rbac|Apiextensions|Admissionregistration)?V1/, '')
  return `${homes.get(name) ?? 'io.k8s.api.core.v1'}.${short}`
}
