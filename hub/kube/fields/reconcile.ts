import type { StructuralSchema } from '../resource.ts'
import { EMPTY, type FieldNode, type FieldSet } from './field-set.ts'
import type { PathElement } from './path-element.ts'
import { itemSchema, schemaBelow } from './shape.ts'

/** The set as the present schema means it: who owned parts of what is atomic by now owns the whole. */
export function reconciled(schema: StructuralSchema, set: FieldSet): FieldSet {
  let isSame = true
  const result = new Map<PathElement, FieldNode>()
  for (const [element, node] of set) {
    const known = element.startsWith('f:') ? schemaBelow(schema, element.slice(2)) : itemSchema(schema)
    const next = node.below.size === 0 ? node : reconciledNode(known, node)
    if (next !== node) isSame = false
    result.set(element, next)
  }
  return isSame ? set : result
}

function reconciledNode(schema: StructuralSchema, node: FieldNode): FieldNode {
  if (isAtomic(schema)) return { isMember: true, below: EMPTY }
  const below = reconciled(schema, node.below)
  return below === node.below ? node : { isMember: node.isMember, below }
}

function isAtomic(schema: StructuralSchema): boolean {
  if (schema.type === 'object') return schema['x-kubernetes-map-type'] === 'atomic'
  if (schema.type !== 'array') return false
  const type = schema['x-kubernetes-list-type']
  return type !== 'set' && type !== 'map'
}
