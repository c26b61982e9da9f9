import type { Json, JsonObject } from '../../../schemas/index.ts'
import { patternError } from '../cel/index.ts'
import type { StructuralSchema } from '../resource.ts'
import { child, type FieldError, forbidden, index, invalid, notSupported, required } from '../schema/field-error.ts'
import { isJsonArray, isJsonObject } from '../schema/json.ts'
import { prune } from '../schema/prune.ts'
import { validateValue } from '../schema/validate.ts'

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const NEVER = ['$ref', 'definitions', 'dependencies', 'patternProperties', 'additionalItems', 'id', '$schema']
/** Inside of allOf, anyOf, oneOf and not a schema only constrains: it declares nothing. */
const NOT_NESTED = [
  ...['type', 'default', 'description', 'title', 'nullable', 'additionalProperties', 'example'],
  ...['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource', 'x-kubernetes-int-or-string'],
  ...['x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-map-type', 'x-kubernetes-validations'],
]
const DEEPEST = 64

/** What keeps a schema from being structural (KEP "Structural OpenAPI schema", rules 1 to 4). `path` ends in openAPIV3Schema. */
export function structuralErrors(schema: Json | undefined, path: string): readonly FieldError[] {
  if (!isJsonObject(schema)) return [required(path, 'schemas are required')]
  const errors: FieldError[] = []
  checkForbidden(schema, path, errors, 0)
  if (errors.length > 0) return errors
  check(schema, path, errors, 0, true)
  if (schema['type'] !== 'object') {
    const type = schema['type'] ?? ''
    errors.push(type === '' ? required(child(path, 'type'), 'must not be empty at the root') : rootType(type, path))
  }
  errors.push(...metadataErrors(schema, `${path}.properties[metadata]`))
  return errors
}

/** What an API server knows of metadata itself, a schema cannot say. */
function metadataErrors(schema: JsonObject, path: string): readonly FieldError[] {
  const metadata = isJsonObject(schema['properties']) ? schema['properties']['metadata'] : undefined
  if (!isJsonObject(metadata)) return []
  const properties = isJsonObject(metadata['properties']) ? metadata['properties'] : {}
  const names = Object.keys(properties)
  const others = Object.keys(metadata).filter((key) => !['type', 'properties', 'description', 'title'].includes(key))
  if (others.length > 0 || names.some((name) => name !== 'name' && name !== 'generateName')) {
    const why = 'must not specify anything other than name and generateName, but metadata is implicitly specified'
    return [forbidden(path, why)]
  }
  return names.flatMap((name) => {
    const each = properties[name]
    const isDefault = isJsonObject(each) && each['default'] !== undefined
    return isDefault ? [forbidden(`${path}.properties[${name}].default`, 'must not be set in top-level metadata')] : []
  })
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
  checkDetails(schema, path, errors)
  for (const [at, each] of declared(schema, path)) {
    if (isJsonObject(each)) check(each, at, errors, depth + 1, false)
    else errors.push(invalid(at, each, 'must be a schema'))
  }
  for (const [at, each] of nested(schema, path)) checkNested(schema, each, at, errors, isIntOrString(schema, at, path))
  if (errors.length === 0) checkDefault(schema, path, errors)
}

function checkType(schema: JsonObject, path: string, errors: FieldError[], isRoot: boolean): void {
  const { type } = schema
  const isFree =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true
  if (type === undefined || type === '') {
    if (schema['x-kubernetes-embedded-resource'] === true) errors.push(...embeddedErrors(schema, path))
    else if (!isFree && !isRoot)
      errors.push(required(child(path, 'type'), 'must not be empty for specified object fields'))
    return
  }
  if (typeof type !== 'string' || !TYPES.includes(type)) errors.push(notSupported(child(path, 'type'), type, TYPES))
  if (type === 'array' && !isJsonObject(schema['items']))
    errors.push(required(child(path, 'items'), 'must be specified'))
}

/** In the whole schema, before anything else is asked. */
function checkForbidden(schema: JsonObject, path: string, errors: FieldError[], depth: number): void {
  if (depth > DEEPEST) return
  for (const key of NEVER) {
    if (schema[key] !== undefined) errors.push(forbidden(child(path, key), `${key} is not supported`))
  }
  if (isJsonArray(schema['items'])) {
    errors.push(forbidden(child(path, 'items'), 'items must be a schema object and not an array'))
  }
  if (schema['uniqueItems'] === true) {
    errors.push(
      forbidden(
        child(path, 'uniqueItems'),
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    )
  }
  if (schema['properties'] !== undefined && isJsonObject(schema['additionalProperties'])) {
    errors.push(
      forbidden(child(path, 'additionalProperties'), 'additionalProperties and properties are mutual exclusive'),
    )
  }
  for (const [at, each] of declared(schema, path)) if (isJsonObject(each)) checkForbidden(each, at, errors, depth + 1)
}

function embeddedErrors(schema: JsonObject, path: string): readonly FieldError[] {
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true
  const properties = isJsonObject(schema['properties']) ? Object.keys(schema['properties']) : []
  const why = 'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
  const type = schema['type'] ?? ''
  return [
    ...(isOpen || properties.length > 0 ? [] : [required(child(path, 'properties'), why)]),
    ...(type === 'object'
      ? []
      : [
          type === ''
            ? required(child(path, 'type'), 'must be object if x-kubernetes-embedded-resource is true')
            : invalid(child(path, 'type'), type, 'must be object if x-kubernetes-embedded-resource is true'),
        ]),
  ]
}

function checkDetails(schema: JsonObject, path: string, errors: FieldError[]): void {
  const { pattern } = schema
  if (typeof pattern === 'string') errors.push(...patternErrors(pattern, path))
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    errors.push(invalid(child(path, 'x-kubernetes-preserve-unknown-fields'), false, 'must be true or undefined'))
  }
  if (schema['x-kubernetes-embedded-resource'] === true && schema['type']) errors.push(...embeddedErrors(schema, path))
  checkKind(schema, path, errors, 'x-kubernetes-list-type', ['atomic', 'set', 'map'], 'array')
  checkKind(schema, path, errors, 'x-kubernetes-map-type', ['atomic', 'granular'], 'object')
  if (schema['x-kubernetes-list-type'] === 'set') checkSetItems(schema, path, errors)
  if (schema['x-kubernetes-list-type'] === 'map') checkListMap(schema, path, errors)
  else if (schema['x-kubernetes-list-map-keys'] !== undefined) {
    errors.push(
      required(child(path, 'x-kubernetes-list-type'), 'must be map if x-kubernetes-list-map-keys is non-empty'),
    )
  }
}

function patternErrors(pattern: string, path: string): readonly FieldError[] {
  const why = patternError(pattern)
  if (why === undefined) return []
  return [invalid(child(path, 'pattern'), pattern, `must be a valid regular expression, but isn't: ${why}`)]
}

function checkKind(
  schema: JsonObject,
  path: string,
  errors: FieldError[],
  key: string,
  kinds: readonly string[],
  type: string,
): void {
  const kind = schema[key]
  if (kind === undefined) return
  const given = schema['type'] ?? ''
  if (typeof kind !== 'string' || !kinds.includes(kind)) errors.push(notSupported(child(path, key), kind, kinds))
  else if (given !== type) errors.push(invalid(child(path, 'type'), given, `must be ${type} if ${key} is specified`))
}

/** Members of a set are compared whole, so that nothing may own a part of one. */
function checkSetItems(schema: JsonObject, path: string, errors: FieldError[]): void {
  const items = isJsonObject(schema['items']) ? schema['items'] : {}
  const key =
    items['type'] === 'object'
      ? 'x-kubernetes-map-type'
      : items['type'] === 'array'
        ? 'x-kubernetes-list-type'
        : undefined
  if (key === undefined || items[key] === 'atomic') return
  const why = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  errors.push(invalid(child(child(path, 'items'), key), items[key] ?? null, why))
}

function checkListMap(schema: JsonObject, path: string, errors: FieldError[]): void {
  const keys = schema['x-kubernetes-list-map-keys']
  if (!isJsonArray(keys) || keys.length === 0) {
    errors.push(
      required(child(path, 'x-kubernetes-list-map-keys'), 'must not be empty if x-kubernetes-list-type is map'),
    )
    return
  }
  if (new Set(keys).size < keys.length) {
    errors.push(invalid(child(path, 'x-kubernetes-list-map-keys'), keys, 'must not contain duplicate entries'))
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

/** The only place where a nested schema may say a type: the two types of int-or-string. */
function isIntOrString(schema: JsonObject, at: string, path: string): boolean {
  if (schema['x-kubernetes-int-or-string'] !== true || !isPair(schema['anyOf'])) return false
  return at.startsWith(`${path}.anyOf[`)
}

function isPair(anyOf: Json | undefined): boolean {
  const types = isJsonArray(anyOf) ? anyOf.map((each) => (isJsonObject(each) ? each['type'] : undefined)) : []
  return types.length === 2 && types[0] === 'integer' && types[1] === 'string'
}

/** `around` is what declares: a nested schema may constrain no field that it does not have. */
function checkNested(around: JsonObject, value: Json, path: string, errors: FieldError[], isTyped: boolean): void {
  if (!isJsonObject(value)) return
  for (const key of NOT_NESTED) {
    if (value[key] === undefined || (key === 'type' && isTyped)) continue
    errors.push(forbidden(child(path, key), 'must be empty to be structural'))
  }
  if (typeof value['pattern'] === 'string') errors.push(...patternErrors(value['pattern'], path))
  for (const [at, each] of nested(value, path)) {
    const isPairIn = around['x-kubernetes-int-or-string'] === true && isPair(value['anyOf'])
    checkNested(around, each, at, errors, isPairIn)
  }
  const properties = isJsonObject(value['properties']) ? value['properties'] : {}
  for (const [name, each] of Object.entries(properties)) {
    const known = isJsonObject(around['properties']) ? around['properties'][name] : undefined
    checkNested(isJsonObject(known) ? known : {}, each, `${path}.properties[${name}]`, errors, false)
  }
  const items = isJsonObject(around['items']) ? around['items'] : {}
  if (isJsonObject(value['items'])) checkNested(items, value['items'], child(path, 'items'), errors, false)
}

/** What an API server would do with a default first: fields that the schema does not know are dropped, and it is judged. */
function checkDefault(schema: JsonObject, path: string, errors: FieldError[]): void {
  const value = schema['default']
  // A null where none may stand is no default at all.
  if (value === undefined || value === null || !isSchema(schema)) return
  const at = child(path, 'default')
  if (isJsonObject(value) && pruneAny(schema, value).length > 0) {
    errors.push(invalid(at, value, 'must not have unknown fields'))
  }
  for (const error of validateValue(schema, value, '')) {
    errors.push({ ...error, field: error.field === '' ? at : `${at}.${error.field}` })
  }
}

function pruneAny(schema: StructuralSchema, value: JsonObject): readonly string[] {
  const like = { apiVersion: '', kind: '', metadata: {} }
  const { unknown } = prune({ schema: { type: 'object', properties: { value: schema } } }, { ...like, value })
  return unknown
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

/** The one place where JSON becomes a schema; structuralErrors has looked at all of it. */
export function isSchema(value: unknown): value is StructuralSchema {
  return isJsonObject(value)
}
