import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { StructuralSchema } from '../resource.ts'
import { isJsonArray, isJsonObject } from '../schema/json.ts'
import { schemaOfKey } from '../schema/prune.ts'
import { elementText, fieldElement } from './path-element.ts'
import { itemElement, itemSchema } from './shape.ts'

/** What of a configuration cannot be owned field by field, as Kubernetes words it; undefined where all can. */
export function appliedError(schema: StructuralSchema, object: JsonObject): string | undefined {
  const errors = errorsIn(schema, object, '')
  if (errors.length <= 1) return errors[0]
  return ['errors:', ...errors.map((error) => `  ${error}`)].join('\n')
}

function errorsIn(schema: StructuralSchema, value: Json, path: string): readonly string[] {
  if (value === null) return []
  if (schema['x-kubernetes-int-or-string']) return typeof value === 'object' ? [wrong(path, 'any scalar', value)] : []
  switch (schema.type) {
    case 'array':
      return isJsonArray(value) ? inList(schema, value, path) : [wrong(path, 'list', value)]
    case 'object':
      return isJsonObject(value) ? inMap(schema, value, path) : [wrong(path, 'map', value)]
    case 'integer':
    case 'number':
      return typeof value === 'number' ? [] : [`${path}: expected numeric (int or float), got ${goType(value)}`]
    case 'boolean':
      return typeof value === 'boolean' ? [] : [wrong(path, 'boolean', value)]
    case 'string':
      if (typeof value === 'string') return []
      return [`${path}: expected string, got &value.valueUnstructured{Value:${goText(value)}}`]
    default:
      return []
  }
}

function inMap(schema: StructuralSchema, value: JsonObject, path: string): readonly string[] {
  const errors: string[] = []
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true
  for (const [key, member] of Object.entries(value)) {
    const here = path + elementText(fieldElement(key))
    const known = schemaOfKey(schema, key)
    if (known) errors.push(...errorsIn(known, member, here))
    else if (!isOpen) return [...errors, `${here}: field not declared in schema`]
  }
  return errors
}

function inList(schema: StructuralSchema, items: readonly Json[], path: string): readonly string[] {
  const type = schema['x-kubernetes-list-type']
  const isKeyed = type === 'set' || type === 'map'
  const seen = new Set<string>()
  const errors: string[] = []
  for (const [index, item] of items.entries()) {
    const element = isKeyed ? itemElement(schema, item) : `i:${index}`
    if (element === undefined) return [...errors, `${path}: element ${index}: ${whyNoElement(schema, item)}`]
    if (isKeyed && seen.has(element)) errors.push(`${path}: duplicate entries for key ${elementText(element)}`)
    seen.add(element)
    errors.push(...errorsIn(itemSchema(schema), item, path + elementText(element)))
  }
  return errors
}

function whyNoElement(schema: StructuralSchema, item: Json): string {
  const isSet = schema['x-kubernetes-list-type'] === 'set'
  if (isSet && isJsonObject(item)) return "associative list without keys has an element that's a map type"
  if (isSet && isJsonArray(item)) return 'not supported: associative list with lists as elements'
  if (isSet) return "associative list without keys has an element that's an explicit null"
  if (item === null) return 'associative list with keys may not have a null element'
  if (!isJsonObject(item)) return 'associative list with keys may not have non-map elements'
  const keys = (schema['x-kubernetes-list-map-keys'] ?? []).map((key) => JSON.stringify(key)).join(' ')
  return `associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`
}

function wrong(path: string, expected: string, value: Json): string {
  return `${path}: expected ${expected}, got &{${goText(value, false)}}`
}

function goType(value: Json): string {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  return isJsonArray(value) ? '[]interface {}' : 'map[string]interface {}'
}

/** A value as Go prints it. */
export function goText(value: Json, isQuoted = true): string {
  if (typeof value === 'string') return isQuoted ? JSON.stringify(value) : value
  if (isJsonArray(value)) return `[${value.map((item) => goText(item, false)).join(' ')}]`
  if (!isJsonObject(value)) return String(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${entries.map(([key, item]) => `${key}:${goText(item, false)}`).join(' ')}]`
}
