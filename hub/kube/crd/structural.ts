import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { StructuralSchema } from '../resource.ts'
import { child, type FieldError, forbidden, index, invalid, notSupported, required } from '../schema/field-error.ts'
import { isJsonArray, isJsonObject } from '../schema/json.ts'
import { compilePattern, validateValue } from '../schema/validate.ts'

const TYPES = ['object', 'array', 'string', 'integer', 'number', 'boolean']
const NEVER = ['$ref', 'definitions', 'dependencies', 'patternProperties', 'additionalItems', 'id', '$schema']
/** Inside of allOf, anyOf, oneOf and not a schema only constrains: it declares nothing. */
const NOT_NESTED = ['type', 'default', 'description', 'title', 'nullable', 'additionalProperties', 'example']
const DEEPEST = 64

/** What keeps a schema from being structural (KEP "Structural OpenAPI schema", rules 1 to 4). `path` ends in openAPIV3Schema. */
export function structuralErrors(schema: Json | undefined, path: string): readonly FieldError[] {
  if (!isJsonObject(schema)) return [required(path, 'schemas are required')]
  const errors: FieldError[] = []
  if (schema['type'] !== 'object') {
    const type = schema['type'] ?? ''
    errors.push(type === '' ? required(child(path, 'type'), 'must not be empty at the root') : rootType(type, path))
  }
  check(schema, path, errors, 0, true)
  return errors
}

function rootType(type: Json, path: string): FieldError {
  return invalid(child(path, 'type'), type, 'must be object at the root')
}

function check(schema: JsonObject, path: string, errors: FieldError[], depth: number, isRoot: boolean): void {
  if (depth > DEEPEST) {
    errors.push(forbidden(path, `must not be nested deeper than ${DEEPEST} levels`))
    return
  }
  checkType(schema, path, errors, isRoot)
  checkForbidden(schema, path, errors)
  checkDetails(schema, path, errors)
  for (const [at, each] of declared(schema, path)) {
    if (isJsonObject(each)) check(each, at, errors, depth + 1, false)
    else errors.push(invalid(at, each, 'must be a schema'))
  }
  for (const [at, each] of nested(schema, path)) checkNested(each, at, errors)
  if (errors.length === 0) checkDefault(schema, path, errors)
}

function checkType(schema: JsonObject, path: string, errors: FieldError[], isRoot: boolean): void {
  const { type } = schema
  const isFree =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true
  if (type === undefined || type === '') {
    if (!isFree && !isRoot) errors.push(required(child(path, 'type'), 'must not be empty for specified object fields'))
    return
  }
  if (typeof type !== 'string' || !TYPES.includes(type)) errors.push(notSupported(child(path, 'type'), type, TYPES))
  else if (schema['x-kubernetes-int-or-string'] === true) {
    errors.push(forbidden(child(path, 'type'), 'must be empty if x-kubernetes-int-or-string is true'))
  }
  if (type === 'array' && !isJsonObject(schema['items']))
    errors.push(required(child(path, 'items'), 'must be specified'))
}

function checkForbidden(schema: JsonObject, path: string, errors: FieldError[]): void {
  for (const key of NEVER) {
    if (schema[key] !== undefined) errors.push(forbidden(child(path, key), `${key} is not supported`))
  }
  if (schema['uniqueItems'] === true) {
    errors.push(
      forbidden(
        child(path, 'uniqueItems'),
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    )
  }
  if (schema['additionalProperties'] === false) {
    errors.push(forbidden(child(path, 'additionalProperties'), 'additionalProperties cannot be set to false'))
  }
  if (schema['properties'] !== undefined && schema['additionalProperties'] !== undefined) {
    errors.push(
      forbidden(child(path, 'additionalProperties'), 'additionalProperties and properties are mutual exclusive'),
    )
  }
}

function checkDetails(schema: JsonObject, path: string, errors: FieldError[]): void {
  const { pattern } = schema
  if (typeof pattern === 'string' && !isPattern(pattern)) {
    errors.push(invalid(child(path, 'pattern'), pattern, 'must be a valid regular expression'))
  }
  if (schema['x-kubernetes-list-type'] === 'map') checkListMap(schema, path, errors)
  else if (schema['x-kubernetes-list-map-keys'] !== undefined) {
    errors.push(
      forbidden(child(path, 'x-kubernetes-list-map-keys'), 'must be empty if x-kubernetes-list-type is not map'),
    )
  }
}

function checkListMap(schema: JsonObject, path: string, errors: FieldError[]): void {
  const keys = schema['x-kubernetes-list-map-keys']
  if (!isJsonArray(keys) || keys.length === 0) {
    errors.push(
      required(child(path, 'x-kubernetes-list-map-keys'), 'must not be empty if x-kubernetes-list-type is map'),
    )
    return
  }
  const items = isJsonObject(schema['items']) ? schema['items'] : {}
  const properties = isJsonObject(items['properties']) ? items['properties'] : {}
  const needed = isJsonArray(items['required']) ? items['required'] : []
  for (const key of keys) {
    const property = typeof key === 'string' ? properties[key] : undefined
    if (!isJsonObject(property)) {
      errors.push(
        invalid(child(path, 'x-kubernetes-list-map-keys'), keys, `entries must all be names of item properties`),
      )
    } else if (property['default'] === undefined && !needed.includes(key)) {
      const detail =
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'
      errors.push(required(`${path}.items.properties[${String(key)}].default`, detail))
    }
  }
}

function checkNested(value: Json, path: string, errors: FieldError[]): void {
  if (!isJsonObject(value)) return
  for (const key of NOT_NESTED) {
    // The type of int-or-string fields is written as anyOf.
    if (value[key] === undefined || (key === 'type' && /anyOf\[\d+\]$/.test(path))) continue
    errors.push(forbidden(child(path, key), 'must be empty to be structural'))
  }
  if (typeof value['pattern'] === 'string' && !isPattern(value['pattern'])) {
    errors.push(invalid(child(path, 'pattern'), value['pattern'], 'must be a valid regular expression'))
  }
}

function checkDefault(schema: JsonObject, path: string, errors: FieldError[]): void {
  const value = schema['default']
  if (value === undefined || !isSchema(schema)) return
  for (const error of validateValue(schema, value, child(path, 'default'))) errors.push(error)
}

function declared(schema: JsonObject, path: string): readonly (readonly [string, Json])[] {
  const { properties, items, additionalProperties } = schema
  const members = isJsonObject(properties) ? Object.entries(properties) : []
  return [
    ...members.map(([key, value]) => [`${path}.properties[${key}]`, value] as const),
    ...(items === undefined ? [] : [[child(path, 'items'), items] as const]),
    ...(isJsonObject(additionalProperties)
      ? [[child(path, 'additionalProperties'), additionalProperties] as const]
      : []),
  ]
}

function nested(schema: JsonObject, path: string): readonly (readonly [string, Json])[] {
  const lists = ['allOf', 'anyOf', 'oneOf'].flatMap((key) => {
    const list = schema[key]
    return isJsonArray(list) ? list.map((each, position) => [index(child(path, key), position), each] as const) : []
  })
  return schema['not'] === undefined ? lists : [...lists, [child(path, 'not'), schema['not']] as const]
}

function isPattern(pattern: string): boolean {
  try {
    compilePattern(pattern)
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

/** The one place where JSON becomes a schema; structuralErrors has looked at all of it. */
export function isSchema(value: unknown): value is StructuralSchema {
  return isJsonObject(value)
}
