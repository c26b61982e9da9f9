import type { Json } from '../../../schemas/index.ts'
import { type CompiledRule, compileRules, declaredType, fieldPathOf, type Rule, rulesOf } from '../cel/index.ts'
import type { StructuralSchema } from '../resource.ts'
import { child, type FieldError, forbidden, index, invalid, notSupported, required } from '../schema/field-error.ts'

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']
/** A schema whose every rule is wrong must not make an answer of its own size. */
const MOST_ERRORS = 100

/** What is wrong with the rules (x-kubernetes-validations) of a structural schema, in an API server's words. */
export function ruleErrors(schema: StructuralSchema, path: string): readonly FieldError[] {
  const errors: FieldError[] = []
  visit(schema, schema, { path, isRoot: true }, errors)
  return errors.slice(0, MOST_ERRORS)
}

interface Place {
  readonly path: string
  readonly isRoot: boolean
  /** The list around whose items have no identity over time. */
  readonly uncorrelatable?: string
}

/** `node` types the values; `rules` is the same, or what an allOf says of them. */
function visit(rules: StructuralSchema, node: StructuralSchema, place: Place, errors: FieldError[]): void {
  const { path, uncorrelatable } = place
  const below = { isRoot: false, ...(uncorrelatable !== undefined && { uncorrelatable }) }
  for (const [name, each] of Object.entries(rules.properties ?? {})) {
    const typed = node.properties?.[name]
    if (typed) visit(each, typed, { ...below, path: `${path}.properties[${name}]` }, errors)
  }
  if (rules.items && node.items) {
    const isMap = node['x-kubernetes-list-type'] === 'map'
    const inside = uncorrelatable === undefined && !isMap ? { uncorrelatable: path } : {}
    visit(rules.items, node.items, { ...below, ...inside, path: child(path, 'items') }, errors)
  }
  const [one, other] = [rules.additionalProperties, node.additionalProperties]
  if (typeof one === 'object' && typeof other === 'object') {
    visit(one, other, { ...below, path: child(path, 'additionalProperties') }, errors)
  }
  for (const [position, each] of (rules.allOf ?? []).entries()) {
    visit(each, node, { ...place, path: index(child(path, 'allOf'), position) }, errors)
  }
  if (rules['x-kubernetes-validations']) errors.push(...ownErrors(rules, node, place))
}

function ownErrors(rules: StructuralSchema, node: StructuralSchema, place: Place): readonly FieldError[] {
  const at = child(place.path, 'x-kubernetes-validations')
  const formal = rulesOf(rules).flatMap((rule, position) => formErrors(rule, index(at, position), node))
  if (formal.length > 0) return formal
  const type = declaredType(node, 'self', place.isRoot)
  if (!type) return [forbidden(at, 'the schema has no type that expressions know')]
  return compileRules(rules, type, node).flatMap((each, position) => compileErrors(each, index(at, position), place))
}

function formErrors(rule: Rule, path: string, schema: StructuralSchema): readonly FieldError[] {
  const errors: FieldError[] = []
  const { message, fieldPath, reason, messageExpression } = rule
  const [text, shown] = [rule.rule.trim(), message.trim()]
  if (text === '') errors.push(required(child(path, 'rule'), 'rule is not specified'))
  else if (message !== '' && shown === '') {
    errors.push(invalid(child(path, 'message'), message, 'must be non-empty if specified'))
  } else if (shown.includes('\n')) errors.push(invalid(child(path, 'message'), message, 'must not contain line breaks'))
  else if (text.includes('\n') && shown === '') {
    errors.push(required(child(path, 'message'), 'message must be specified if rule contains line breaks'))
  }
  if (messageExpression !== '' && messageExpression.trim() === '') {
    errors.push(required(child(path, 'messageExpression'), 'messageExpression must be non-empty if specified'))
  }
  if (reason !== undefined && !REASONS.includes(reason)) {
    errors.push(notSupported(child(path, 'reason'), reason, REASONS))
  }
  if (fieldPath === '') return errors
  const wrong = (detail: string) => errors.push(invalid(child(path, 'fieldPath'), fieldPath, detail))
  if (fieldPath.trim() === '') wrong('must be non-empty if specified')
  if (fieldPath.includes('\n')) wrong('must not contain line breaks')
  if (fieldPathOf(fieldPath, schema) === undefined) wrong('must be a valid path')
  return errors
}

function compileErrors(compiled: CompiledRule, path: string, place: Place): readonly FieldError[] {
  const { rule, error, messageError, usesOldSelf } = compiled
  const errors: FieldError[] = []
  if (error !== undefined) errors.push(ruleError(child(path, 'rule'), rule, error))
  if (messageError !== undefined) errors.push(ruleError(child(path, 'messageExpression'), rule, messageError))
  if (usesOldSelf && place.uncorrelatable !== undefined) {
    const where = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelatable}`
    errors.push(invalid(child(path, 'rule'), rule.rule, where))
  } else if (!usesOldSelf && rule.optionalOldSelf !== undefined && error === undefined) {
    const why = 'may not be set if oldSelf is not used in rule'
    errors.push(invalid(child(path, 'optionalOldSelf'), rule.optionalOldSelf, why))
  }
  return errors
}

/** The value that is wrong is the whole rule, as Go writes the structure that holds it. */
function ruleError(path: string, rule: Rule, detail: string): FieldError {
  const shown: Json = {
    Rule: rule.rule,
    Message: rule.message,
    MessageExpression: rule.messageExpression,
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath,
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  }
  const message = `Invalid value: ${goJson(shown)}: ${detail}`
  return { type: 'FieldValueInvalid', field: path, message, badValue: shown }
}

/** encoding/json writes these characters as escapes. */
function goJson(value: Json): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
