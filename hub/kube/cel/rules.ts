import type { Json } from '../../../schemas/index.ts'
import type { StructuralSchema } from '../resource.ts'
import { isJsonArray, isJsonObject } from '../schema/json.ts'
import { compile, type Program } from './compile.ts'
import { fieldPathOf } from './field-path.ts'
import type { CelType } from './types.ts'

/** One entry of x-kubernetes-validations. */
export interface Rule {
  readonly rule: string
  readonly message: string
  readonly messageExpression: string
  readonly reason?: string
  readonly fieldPath: string
  readonly optionalOldSelf?: boolean
}

export interface CompiledRule {
  readonly rule: Rule
  /** Absent where the rule has an error. */
  readonly program?: Program
  readonly error?: string
  readonly messageProgram?: Program
  readonly messageError?: string
  readonly usesOldSelf: boolean
  /** Where the errors of this rule belong, below the place of the rule. */
  readonly path?: string
}

export function rulesOf(schema: StructuralSchema): readonly Rule[] {
  const list: unknown = schema['x-kubernetes-validations'] ?? []
  return Array.isArray(list) ? list.map(toRule) : []
}

/** The rules of one schema for values of one type. */
export function compileRules(schema: StructuralSchema, type: CelType, at: StructuralSchema): readonly CompiledRule[] {
  return rulesOf(schema).map((rule) => compileRule(rule, type, at))
}

function compileRule(rule: Rule, type: CelType, schema: StructuralSchema): CompiledRule {
  if (rule.rule.trim() === '') return { rule, usesOldSelf: false }
  const oldSelf: CelType = rule.optionalOldSelf === true ? { kind: 'optional', of: type } : type
  const variables = new Map([
    ['self', type],
    ['oldSelf', oldSelf],
  ])
  const program = compile(rule.rule, variables)
  if ('errors' in program) return { rule, usesOldSelf: false, error: `compilation failed: ${program.errors}` }
  if (program.type.kind !== 'bool') {
    return { rule, usesOldSelf: false, error: 'cel expression must evaluate to a bool' }
  }
  const path = rule.fieldPath === '' ? undefined : fieldPathOf(rule.fieldPath, schema)
  return {
    rule,
    program,
    usesOldSelf: program.uses.has('oldSelf'),
    ...compileMessage(rule, variables),
    ...(path !== undefined && { path }),
  }
}

function compileMessage(
  rule: Rule,
  variables: ReadonlyMap<string, CelType>,
): Pick<CompiledRule, 'messageProgram' | 'messageError'> {
  if (rule.messageExpression === '') return {}
  const program = compile(rule.messageExpression, variables)
  if ('errors' in program) return { messageError: `messageExpression compilation failed: ${program.errors}` }
  if (program.type.kind !== 'string') return { messageError: 'messageExpression must evaluate to a string' }
  return { messageProgram: program }
}

function toRule(value: unknown): Rule {
  const given: Record<string, Json> = isJson(value) && isJsonObject(value) ? { ...value } : {}
  const text = (key: string) => (typeof given[key] === 'string' ? given[key] : '')
  const { reason, optionalOldSelf } = given
  return {
    rule: text('rule'),
    message: text('message'),
    messageExpression: text('messageExpression'),
    fieldPath: text('fieldPath'),
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof optionalOldSelf === 'boolean' ? { optionalOldSelf } : {}),
  }
}

/** Schemas are JSON: they came in a body or from a file. */
function isJson(value: unknown): value is Json {
  return isJsonObject(value) || isJsonArray(value)
}
