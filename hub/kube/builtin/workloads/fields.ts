import type { Json, JsonObject } from '../../../../schemas/index.ts'
import type { ApiObject } from '../../resource.ts'
import { child, type FieldError, forbidden, index, invalid, required } from '../../schema/field-error.ts'
import { at, isJsonArray, isJsonObject, isSame } from '../../schema/json.ts'
import { labelValue, qualifiedName } from '../../schema/names.ts'

const PERCENT = /^[0-9]+%$/
const PERCENT_TEXT =
  "a valid percent string must be a numeric string followed by an ending '%' " +
  "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"

/** The spec of an object; empty where it has none. */
export function specOf(object: ApiObject): JsonObject {
  const { spec } = object
  return isJsonObject(spec) ? spec : {}
}

/** The spec with values for what its author left out. */
export function withDefaults(spec: JsonObject, defaults: JsonObject): JsonObject {
  const missing = Object.entries(defaults).filter(([field]) => (spec[field] ?? null) === null)
  return { ...spec, ...Object.fromEntries(missing) }
}

/** Counts and seconds that an object may leave out. */
export function negativeErrors(spec: JsonObject, fields: readonly string[], path = 'spec'): readonly FieldError[] {
  return fields.flatMap((field) => {
    const value = spec[field]
    return typeof value === 'number' && value < 0 ? [negative(child(path, field), value)] : []
  })
}

export function immutableErrors(spec: JsonObject, old: JsonObject, fields: readonly string[]): readonly FieldError[] {
  return fields
    .filter((field) => !isSame(spec[field], old[field]))
    .map((field) => invalid(child('spec', field), spec[field] ?? null, 'field is immutable'))
}

/** A metav1.LabelSelector. */
export function selectorErrors(selector: JsonObject, path: string): readonly FieldError[] {
  const labels = isJsonObject(selector['matchLabels']) ? selector['matchLabels'] : {}
  const expressions = isJsonArray(selector['matchExpressions']) ? selector['matchExpressions'] : []
  return [
    ...labelErrors(labels, child(path, 'matchLabels')),
    ...expressions.flatMap((each, position) =>
      requirementErrors(each, index(child(path, 'matchExpressions'), position)),
    ),
  ]
}

export function labelErrors(labels: JsonObject, path: string): readonly FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...qualifiedName(key).map((text) => invalid(path, key, text)),
    ...(typeof value === 'string' ? labelValue(value) : []).map((text) => invalid(path, value, text)),
  ])
}

/** `2` or `"25%"`. */
export function shareErrors(value: Json | undefined, path: string): readonly FieldError[] {
  if (typeof value === 'number') return value < 0 ? [negative(path, value)] : []
  return typeof value === 'string' && !PERCENT.test(value) ? [invalid(path, value, PERCENT_TEXT)] : []
}

export function overHundredErrors(value: Json | undefined, path: string): readonly FieldError[] {
  const isTooMuch = typeof value === 'string' && PERCENT.test(value) && Number.parseInt(value, 10) > 100
  return isTooMuch ? [invalid(path, value, 'must not be greater than 100%')] : []
}

/** The number of a share, whatever it counts. */
export function figureOf(value: Json | undefined): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' ? Number.parseInt(value, 10) || 0 : 0
}

function negative(path: string, value: number): FieldError {
  return invalid(path, value, 'must be greater than or equal to 0')
}

function requirementErrors(requirement: Json, path: string): readonly FieldError[] {
  const operator = at(requirement, 'operator') ?? ''
  const values = at(requirement, 'values')
  const given = isJsonArray(values) ? values : []
  const key = at(requirement, 'key')
  return [
    ...operatorErrors(operator, given, path),
    ...(typeof key === 'string' ? qualifiedName(key).map((text) => invalid(child(path, 'key'), key, text)) : []),
    ...given.flatMap((value, position) =>
      typeof value === 'string'
        ? labelValue(value).map((text) => invalid(index(child(path, 'values'), position), value, text))
        : [],
    ),
  ]
}

function operatorErrors(operator: Json, values: readonly Json[], path: string): readonly FieldError[] {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length > 0) return []
    return [required(child(path, 'values'), "must be specified when `operator` is 'In' or 'NotIn'")]
  }
  if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length === 0) return []
    return [forbidden(child(path, 'values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
  }
  return [invalid(child(path, 'operator'), operator, 'not a valid selector operator')]
}
