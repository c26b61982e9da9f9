import type { Json, JsonObject } from '../../../schemas/index.ts'
import { patternOf } from '../cel/regex.ts'
import type { ApiObject, ResourceDefinition, StructuralSchema } from '../resource.ts'
import { listItemsByKey } from './correlate.ts'
import {
  child,
  duplicate,
  type FieldError,
  index,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from './field-error.ts'
import { matchesFormat } from './formats.ts'
import { canonicalText, isJsonArray, isJsonObject, isSame } from './json.ts'

/** A hostile object must not make an answer of its own size. */
const MOST_ERRORS = 100

/**
 * What the schema of the kind forbids, without metadata (see validateMetadata). Prune and default first.
 * Texts are those of an API server, so that people and scripts know them.
 */
export function validateObject(
  definition: Pick<ResourceDefinition, 'schema'>,
  object: ApiObject,
): readonly FieldError[] {
  const schema = bodySchema(definition)
  return schema ? validateValue(schema, object, '') : []
}

/**
 * The same for an object that replaces another one: what was wrong in a part before, and stayed as it was, is let pass
 * (Kubernetes, "CRD validation ratcheting").
 */
export function validateChange(
  definition: Pick<ResourceDefinition, 'schema'>,
  object: ApiObject,
  before: ApiObject,
): readonly FieldError[] {
  const errors = validateObject(definition, object)
  const schema = bodySchema(definition)
  if (errors.length === 0 || !schema) return errors
  const left: FieldError[] = []
  checkChange(schema, object, before, '', left)
  return left.slice(0, MOST_ERRORS)
}

function bodySchema({ schema }: Pick<ResourceDefinition, 'schema'>): StructuralSchema | undefined {
  if (!schema) return undefined
  const { metadata: _, ...properties } = schema.properties ?? {}
  return { ...schema, properties }
}

/** The same for any value of any schema; `path` is where the value stands. */
export function validateValue(schema: StructuralSchema, value: Json, path: string): readonly FieldError[] {
  const errors: FieldError[] = []
  checkValue(schema, value, path, errors)
  return errors.slice(0, MOST_ERRORS)
}

/** Items and members are found again by the keys of list maps and by their names. */
function checkChange(
  schema: StructuralSchema,
  value: Json,
  old: Json | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (old !== undefined && isSame(value, old)) return
  const olds = listItemsByKey(schema, old)
  const inner = (rule: StructuralSchema, member: Json, at: string, name: string | undefined) => {
    const before =
      name === undefined ? olds(member) : isJsonObject(old) && Object.hasOwn(old, name) ? old[name] : undefined
    checkChange(rule, member, before, at, errors)
  }
  checkValue(schema, value, path, errors, inner)
  if (old !== undefined && hasTwins(schema, old)) forgive(errors, path)
}

function hasTwins(schema: StructuralSchema, old: Json): boolean {
  const found: FieldError[] = []
  if (isJsonArray(old)) checkUnique(schema, old, '', found)
  return found.length > 0
}

/** A list that had twins may keep twins. */
function forgive(errors: FieldError[], path: string): void {
  const isTwin = ({ type, field }: FieldError) =>
    type === 'FieldValueDuplicate' && field.startsWith(path) && /^\[\d+\]$/.test(field.slice(path.length))
  const kept = errors.filter((error) => !isTwin(error))
  errors.splice(0, errors.length, ...kept)
}

/** Judges an item, which has no name, or a member of an object. */
type Inner = (schema: StructuralSchema, value: Json, path: string, name: string | undefined) => void

function checkValue(
  schema: StructuralSchema,
  value: Json,
  path: string,
  errors: FieldError[],
  inner: Inner = (rule, member, at) => checkValue(rule, member, at, errors),
): void {
  if (errors.length >= MOST_ERRORS) return
  if (value === null && schema.nullable) return
  const expected = expectedType(schema, value)
  if (expected === 'integer' && schema.format !== undefined && typeof value === 'number') {
    const detail = `${path} in body must be of type ${schema.format}: "float64"`
    errors.push(typeInvalid(path, 'float64', detail), outOfFormat(schema.format, path))
    return
  }
  if (expected !== undefined) {
    errors.push(typeInvalid(path, typeName(value), `${path} in body must be of type ${expected}: "${typeName(value)}"`))
    return
  }
  const allowed = schema.enum
  if (allowed && !allowed.some((each) => isSame(toJson(each), value))) {
    errors.push(notSupported(path, value, allowed.map(toJson)))
  }
  if (typeof value === 'string') checkString(schema, value, path, errors)
  else if (typeof value === 'number') checkNumber(schema, value, path, errors)
  else if (isJsonArray(value)) checkArray(schema, value, path, errors, inner)
  else if (isJsonObject(value)) checkObject(schema, value, path, errors, inner)
  checkCombinations(schema, value, path, errors)
}

/** The type a value should have had; nothing where it fits. */
function expectedType(schema: StructuralSchema, value: Json): string | undefined {
  const type = typeName(value)
  if (schema['x-kubernetes-int-or-string']) {
    return type === 'integer' || type === 'string' ? undefined : 'integer,string'
  }
  if (schema.type === undefined || schema.type === type) return undefined
  return schema.type === 'number' && type === 'integer' ? undefined : schema.type
}

function typeName(value: Json): string {
  if (value === null) return 'null'
  if (isJsonArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function checkString(schema: StructuralSchema, value: string, path: string, errors: FieldError[]): void {
  const length = schema.maxLength === undefined && schema.minLength === undefined ? 0 : [...value].length
  if (schema.maxLength !== undefined && length > schema.maxLength) errors.push(tooLong(path, schema.maxLength))
  if (schema.minLength !== undefined && length < schema.minLength) {
    errors.push(invalid(path, value, `${path} in body should be at least ${schema.minLength} chars long`))
  }
  if (schema.pattern !== undefined && patternOf(schema.pattern)?.test(value) !== true) {
    errors.push(invalid(path, value, `${path} in body should match '${schema.pattern}'`))
  }
  if (schema.format !== undefined && !matchesFormat(schema.format, value)) {
    errors.push(invalid(path, value, `${path} in body must be of type ${schema.format}: ${JSON.stringify(value)}`))
  }
}

function checkNumber(schema: StructuralSchema, value: number, path: string, errors: FieldError[]): void {
  const { minimum, maximum, multipleOf } = schema
  if (schema.type === 'integer' && schema.format === 'int32' && value !== (value | 0)) {
    errors.push(outOfFormat(schema.format, path))
  }
  if (schema['x-skerry-range'] && minimum !== undefined && maximum !== undefined) {
    if (value >= minimum && value <= maximum) return
    errors.push(invalid(path, value, `must be between ${minimum} and ${maximum}, inclusive`))
    return
  }
  const should = (rule: string) => errors.push(invalid(path, value, `${path} in body should be ${rule}`))
  if (minimum !== undefined) {
    if (schema.exclusiveMinimum && value <= minimum) should(`greater than ${minimum}`)
    else if (value < minimum) should(`greater than or equal to ${minimum}`)
  }
  if (maximum !== undefined) {
    if (schema.exclusiveMaximum && value >= maximum) should(`less than ${maximum}`)
    else if (value > maximum) should(`less than or equal to ${maximum}`)
  }
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) should(`a multiple of ${multipleOf}`)
}

/** An API server finds it where it has no path. */
function outOfFormat(format: string, path: string): FieldError {
  return invalid('<nil>', '', `Checked value must be of type integer with format ${format} in ${path}`)
}

function checkArray(
  schema: StructuralSchema,
  value: readonly Json[],
  path: string,
  errors: FieldError[],
  inner: Inner,
): void {
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    errors.push(tooMany(path, value.length, schema.maxItems))
    return
  }
  if (schema.minItems !== undefined && value.length < schema.minItems) {
    errors.push(invalid(path, value.length, `${path} in body should have at least ${schema.minItems} items`))
  }
  const { items } = schema
  if (items) {
    for (const [position, item] of value.entries()) inner(items, item, index(path, position), undefined)
  }
  checkUnique(schema, value, path, errors)
}

/** Sets and list maps: no two equal items, no two items with the same keys. */
function checkUnique(schema: StructuralSchema, value: readonly Json[], path: string, errors: FieldError[]): void {
  const listType = schema['x-kubernetes-list-type']
  if ((listType !== 'set' && listType !== 'map') || schema['x-skerry-repeats']) return
  const seen = new Set<string>()
  for (const [position, item] of value.entries()) {
    const identity = listType === 'set' ? item : keysOf(schema, item)
    const text = canonicalText(identity)
    if (seen.has(text)) errors.push(duplicate(index(path, position), identity))
    seen.add(text)
  }
}

/** The keys of a list-map item; a key that is absent takes its default. */
function keysOf(schema: StructuralSchema, item: Json): JsonObject {
  const keys: Record<string, Json> = {}
  if (!isJsonObject(item)) return keys
  for (const key of schema['x-kubernetes-list-map-keys'] ?? []) {
    const value = Object.hasOwn(item, key) ? item[key] : toJson(schema.items?.properties?.[key]?.default)
    if (value !== undefined) keys[key] = value
  }
  return keys
}

function checkObject(
  schema: StructuralSchema,
  value: JsonObject,
  path: string,
  errors: FieldError[],
  inner: Inner,
): void {
  const names = Object.keys(value)
  if (schema.maxProperties !== undefined && names.length > schema.maxProperties) {
    errors.push(tooMany(path, names.length, schema.maxProperties))
  }
  if (schema.minProperties !== undefined && names.length < schema.minProperties) {
    errors.push(invalid(path, names.length, `${path} in body should have at least ${schema.minProperties} properties`))
  }
  const identity = schema['x-kubernetes-embedded-resource'] ? ['apiVersion', 'kind'] : []
  for (const name of new Set([...(schema.required ?? []), ...identity])) {
    if (!Object.hasOwn(value, name)) errors.push(required(child(path, name)))
  }
  const { properties, additionalProperties } = schema
  for (const name of names) {
    const known = properties && Object.hasOwn(properties, name) ? properties[name] : undefined
    const rule = known ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
    if (rule) inner(rule, value[name] ?? null, child(path, name), name)
  }
}

function checkCombinations(schema: StructuralSchema, value: Json, path: string, errors: FieldError[]): void {
  const fits = (each: StructuralSchema) => validateValue(each, value, path).length === 0
  for (const each of schema.allOf ?? []) checkValue(each, value, path, errors)
  if (schema.anyOf && !schema['x-kubernetes-int-or-string'] && !schema.anyOf.some(fits)) {
    errors.push(invalid(path, '', `"${path}" must validate at least one schema (anyOf)`))
  }
  if (schema.oneOf) {
    const count = schema.oneOf.filter(fits).length
    const found = count === 0 ? 'Found none valid' : `Found ${count} valid alternatives`
    if (count !== 1) {
      errors.push(invalid(path, '', `"${path}" must validate one and only one schema (oneOf). ${found}`))
    }
  }
  if (schema.not && fits(schema.not)) errors.push(invalid(path, '', `"${path}" must not validate the schema (not)`))
}

function toJson(value: unknown): Json {
  if (value === undefined) return null
  const copy: Json = JSON.parse(JSON.stringify(value))
  return copy
}
