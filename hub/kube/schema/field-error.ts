import type { Json } from '../../../schemas/index.ts'

/** Reasons of the causes in a Status (metav1.CauseType). */
export type FieldErrorType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueTypeInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueNotFound'

/** One thing wrong with one field; becomes a cause of a 422 Status: `reason` type, `message` message, `field` field. */
export interface FieldError {
  readonly type: FieldErrorType
  /** As kubectl prints it: `spec.properties[0].desired.value`. */
  readonly field: string
  /** Without the field: `Required value`, `Invalid value: "x": must be ...`. */
  readonly message: string
  readonly badValue?: Json
}

/** The line that the message of a Status joins with `, `. */
export function fieldErrorText(error: FieldError): string {
  return `${error.field}: ${error.message}`
}

export function required(field: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field, message: withDetail('Required value', detail) }
}

export function invalid(field: string, badValue: Json, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, message: withDetail(`Invalid value: ${text(badValue)}`, detail), badValue }
}

export function typeInvalid(field: string, got: string, detail: string): FieldError {
  return {
    type: 'FieldValueTypeInvalid',
    field,
    message: withDetail(`Invalid value: ${text(got)}`, detail),
    badValue: got,
  }
}

export function notSupported(field: string, badValue: Json, supported: readonly Json[]): FieldError {
  const values = supported.map(text).join(', ')
  return {
    type: 'FieldValueNotSupported',
    field,
    message: `Unsupported value: ${text(badValue)}: supported values: ${values}`,
    badValue,
  }
}

export function duplicate(field: string, badValue: Json): FieldError {
  return { type: 'FieldValueDuplicate', field, message: `Duplicate value: ${text(badValue)}`, badValue }
}

export function forbidden(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, message: `Forbidden: ${detail}` }
}

export function tooLong(field: string, maximum: number): FieldError {
  return { type: 'FieldValueTooLong', field, message: `Too long: may not be more than ${maximum} bytes` }
}

export function tooMany(field: string, got: number, maximum: number): FieldError {
  const items = maximum === 1 ? 'item' : 'items'
  return {
    type: 'FieldValueTooMany',
    field,
    message: `Too many: ${got}: must have at most ${maximum} ${items}`,
    badValue: got,
  }
}

/** Paths as the field package of Kubernetes writes them. */
export function child(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

export function index(path: string, position: number): string {
  return `${path}[${position}]`
}

function withDetail(head: string, detail: string): string {
  return detail === '' ? head : `${head}: ${detail}`
}

function text(value: Json): string {
  return JSON.stringify(value)
}
