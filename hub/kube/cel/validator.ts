import type { StructuralSchema } from '../resource.ts'
import { declaredType } from './declared.ts'
import { type CompiledRule, compileRules } from './rules.ts'

/** The rules of a schema and of all below it, ready to run; only parts that have some. */
export interface Validator {
  readonly schema: StructuralSchema
  readonly isRoot: boolean
  readonly rules: readonly CompiledRule[]
  readonly properties: ReadonlyMap<string, Validator>
  readonly items?: Validator
  readonly members?: Validator
  readonly allOf: readonly Validator[]
}

/** As long as the schema lives. */
const made = new WeakMap<StructuralSchema, { readonly validator: Validator | undefined }>()

/** Undefined: nothing of the schema has a rule. */
export function validatorOf(schema: StructuralSchema): Validator | undefined {
  const known = made.get(schema)
  if (known) return known.validator
  const validator = build(schema, schema, true)
  made.set(schema, { validator })
  return validator
}

/** `node` is the schema that types the value; `rules` the same, or what an allOf says of it. */
function build(rules: StructuralSchema, node: StructuralSchema, isRoot: boolean): Validator | undefined {
  const compiled = rules['x-kubernetes-validations'] ? compiledRules(rules, node, isRoot) : []
  const properties = new Map<string, Validator>()
  for (const [name, each] of Object.entries(rules.properties ?? {})) {
    const typed = node.properties?.[name]
    const validator = typed && build(each, typed, false)
    if (validator) properties.set(name, validator)
  }
  const items = rules.items && node.items && build(rules.items, node.items, false)
  const members = membersOf(rules, node)
  const allOf = (rules.allOf ?? []).flatMap((each) => build(each, node, isRoot) ?? [])
  const isEmpty = compiled.length === 0 && properties.size === 0 && !items && !members && allOf.length === 0
  if (isEmpty) return undefined
  return {
    schema: node,
    isRoot,
    rules: compiled,
    properties,
    allOf,
    ...(items && { items }),
    ...(members && { members }),
  }
}

function compiledRules(rules: StructuralSchema, node: StructuralSchema, isRoot: boolean): readonly CompiledRule[] {
  const type = declaredType(node, 'self', isRoot)
  return type ? compileRules(rules, type, node) : []
}

function membersOf(rules: StructuralSchema, node: StructuralSchema): Validator | undefined {
  const [one, other] = [rules.additionalProperties, node.additionalProperties]
  return typeof one === 'object' && typeof other === 'object' ? build(one, other, false) : undefined
}
