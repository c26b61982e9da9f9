import type { StructuralSchema } from '../resource.ts'
import { EMPTY, type FieldNode, type FieldSet } from './field-set.ts'
import type { PathElement } from './path-element.ts'
import { isNamed, itemSchema, schemaBelow } from './shape.ts'

/**
 * The set with each field that the schema names and that has a field of the set below it. Whoever owns `spec.replicas` owns `spec`
 * as far as its removal goes, but not the key of a map for what is below the key.
 */
export function withNamed(schema: StructuralSchema, set: FieldSet): FieldSet {
  const result = new Map<PathElement, FieldNode>()
  for (const [element, { isMember, below }] of set) {
    const name = element.startsWith('f:') ? element.slice(2) : undefined
    const known = name === undefined ? itemSchema(schema) : schemaBelow(schema, name)
    const isOwned = isMember || (name !== undefined && below.size > 0 && isNamed(schema, name))
    result.set(element, { isMember: isOwned, below: below.size === 0 ? EMPTY : withNamed(known, below) })
  }
  return result
}
