import type { Json, JsonObject } from '../../../../schemas/index.ts'
import { child, duplicate, type FieldError, index, invalid, required, tooMany } from '../../schema/field-error.ts'
import { at, isJsonArray } from '../../schema/json.ts'

const MOST_RULES = 20
const MOST_CODES = 255
const FAILURES = 'spec.podFailurePolicy.rules'
const SUCCESSES = 'spec.successPolicy.rules'

/** What is wrong with the rules of what becomes of failed pods. */
export function failurePolicyErrors(spec: JsonObject): readonly FieldError[] {
  if (spec['podFailurePolicy'] === undefined) return []
  const rules = list(at(spec['podFailurePolicy'], 'rules'))
  const names = ['containers', 'initContainers'].flatMap((field) =>
    list(at(spec, 'template', 'spec', field)).map((each) => at(each, 'name')),
  )
  return [
    ...(rules.length > MOST_RULES ? [tooMany(FAILURES, rules.length, MOST_RULES)] : []),
    ...rules.flatMap((rule, position) => ruleErrors(spec, rule, index(FAILURES, position), names)),
  ]
}

function ruleErrors(
  spec: JsonObject,
  rule: Json,
  path: string,
  names: readonly (Json | undefined)[],
): readonly FieldError[] {
  const action = at(rule, 'action')
  const codes = at(rule, 'onExitCodes')
  const conditions = list(at(rule, 'onPodConditions'))
  const both = 'specifying both OnExitCodes and OnPodConditions is not supported'
  const none = 'specifying one of OnExitCodes and OnPodConditions is required'
  return [
    ...(action === 'FailIndex' && spec['backoffLimitPerIndex'] === undefined
      ? [invalid(child(path, 'action'), action, 'requires the backoffLimitPerIndex to be set')]
      : []),
    ...(codes === undefined ? [] : codeErrors(codes, child(path, 'onExitCodes'), names)),
    ...(codes !== undefined && conditions.length > 0 ? [withoutValue(path, both)] : []),
    ...(codes === undefined && conditions.length === 0 ? [withoutValue(path, none)] : []),
  ]
}

function codeErrors(codes: Json, path: string, names: readonly (Json | undefined)[]): readonly FieldError[] {
  const values = list(at(codes, 'values'))
  const field = child(path, 'values')
  const name = at(codes, 'containerName')
  const isOrdered = values.every((value, position) => position === 0 || Number(values[position - 1]) <= Number(value))
  const unknown = 'must be one of the container or initContainer names in the pod template'
  return [
    ...(name !== undefined && !names.includes(name) ? [invalid(child(path, 'containerName'), name, unknown)] : []),
    ...(values.length === 0 ? [invalid(field, values, 'at least one value is required')] : []),
    ...(values.length > MOST_CODES ? [tooMany(field, values.length, MOST_CODES)] : []),
    ...values.flatMap((value, position) => [
      ...(at(codes, 'operator') === 'In' && value === 0
        ? [invalid(index(field, position), value, 'must not be 0 for the In operator')]
        : []),
      ...(values.indexOf(value) < position ? [duplicate(index(field, position), value)] : []),
    ]),
    ...(isOrdered ? [] : [invalid(field, values, 'must be ordered')]),
  ]
}

/** What is wrong with the rules of when enough indexes succeeded. */
export function successPolicyErrors(spec: JsonObject): readonly FieldError[] {
  const policy = spec['successPolicy']
  if (policy === undefined) return []
  if (spec['completionMode'] !== 'Indexed') {
    return [invalid('spec.successPolicy', policy, 'requires indexed completion mode')]
  }
  const rules = list(at(policy, 'rules'))
  const none = 'at least one rules must be specified when the successPolicy is specified'
  return [
    ...(rules.length === 0 ? [required(SUCCESSES, none)] : []),
    ...(rules.length > MOST_RULES ? [tooMany(SUCCESSES, rules.length, MOST_RULES)] : []),
    ...rules.flatMap((rule, position) => successRuleErrors(spec, rule, index(SUCCESSES, position))),
  ]
}

function successRuleErrors(spec: JsonObject, rule: Json, path: string): readonly FieldError[] {
  const count = at(rule, 'succeededCount')
  const indexes = at(rule, 'succeededIndexes')
  const { completions } = spec
  if (count === undefined && indexes === undefined) {
    return [required(path, 'at least one of succeededCount or succeededIndexes must be specified')]
  }
  if (typeof count !== 'number' || typeof completions !== 'number' || count <= completions) return []
  const text = `must be less than or equal to ${completions} (the number of specified completions)`
  return [invalid(child(path, 'succeededCount'), count, text)]
}

function withoutValue(field: string, text: string): FieldError {
  return { type: 'FieldValueInvalid', field, message: `Invalid value: ${text}` }
}

function list(value: Json | undefined): readonly Json[] {
  return isJsonArray(value) ? value : []
}
