import type { Json } from '../../../schemas/index.ts'
import type { ApiObject, ResourceDefinition, StructuralSchema } from '../resource.ts'
import { isBase64, isDateTime } from './formats.ts'
import { isJsonArray, isJsonObject } from './json.ts'
import { rootSchema } from './object-meta.ts'
import { schemaOfKey } from './prune.ts'

/**
 * Why a body is no object of its kind at all: a field of a built-in kind, or of anybody's metadata, has the wrong JSON
 * type. An API server answers 400 with this text; other kinds get field errors (422) from validateObject.
 */
export function decodingError(
  definition: Pick<ResourceDefinition, 'schema' | 'custom' | 'kind' | 'version'>,
  object: ApiObject,
): string | undefined {
  const root = rootSchema(definition.schema)
  const metadata = root.properties?.['metadata']
  const problem = definition.custom
    ? metadata && mismatch(metadata, object.metadata, 'metadata', 'ObjectMeta')
    : mismatch(root, object, '', definition.kind)
  if (problem === undefined) return undefined
  const { kind, version } = definition
  return `${kind} in version "${version}" cannot be handled as a ${kind}: ${problem}`
}

/** The first mismatch. Go takes null for anything. */
function mismatch(schema: StructuralSchema, value: Json, path: string, owner: string): string | undefined {
  if (value === null) return undefined
  const wrong = wrongType(schema, value)
  if (wrong) return `json: cannot unmarshal ${wrong} into Go struct field ${owner}.${path} of type ${goType(schema)}`
  if (typeof value === 'string') return wrongText(schema, value)
  if (isJsonArray(value)) {
    const { items } = schema
    return items && firstOf(value, (item) => mismatch(items, item, path, owner))
  }
  if (!isJsonObject(value)) return undefined
  const type = schema['x-skerry-type']?.split('.').at(-1)
  return firstOf(Object.entries(value), ([key, member]) => {
    const known = schemaOfKey(schema, key)
    if (!known) return undefined
    // Keys of maps are no fields: Go names the map.
    const isField = schema.properties !== undefined
    return mismatch(known, member, isField ? (path === '' ? key : `${path}.${key}`) : path, type ?? owner)
  })
}

function wrongType(schema: StructuralSchema, value: Json): string | undefined {
  const got = isJsonArray(value) ? 'array' : value === null ? 'null' : typeof value
  if (schema['x-kubernetes-int-or-string']) return got === 'string' || got === 'number' ? undefined : goKind(got)
  if (schema.type === undefined || schema.type === got) return undefined
  if (got !== 'number') return goKind(got)
  if (schema.type === 'number') return undefined
  if (schema.type !== 'integer') return 'number'
  return Number.isInteger(value) ? undefined : `number ${JSON.stringify(value)}`
}

function wrongText(schema: StructuralSchema, value: string): string | undefined {
  if (schema.format === 'byte' && !isBase64(value)) return `illegal base64 data at input byte ${badByte(value)}`
  if (schema.format !== 'date-time' || isDateTime(value) || value === '') return undefined
  const text = JSON.stringify(value)
  return `parsing time ${text} as "2006-01-02T15:04:05Z07:00": cannot parse ${text} as "2006"`
}

/** Where a base64 text stops being one. */
function badByte(value: string): number {
  const bad = value.search(/[^A-Za-z0-9+/\r\n]/)
  return bad < 0 ? value.length - (value.length % 4) : bad
}

function goKind(type: string): string {
  return type === 'boolean' ? 'bool' : type
}

function goType(schema: StructuralSchema): string {
  const name = schema['x-skerry-type']
  if (name) return name.split('.').slice(-2).join('.')
  if (schema.type === 'array') return `[]${schema.items ? goType(schema.items) : 'interface {}'}`
  if (schema.type === 'object') {
    const { additionalProperties } = schema
    return `map[string]${typeof additionalProperties === 'object' ? goType(additionalProperties) : 'interface {}'}`
  }
  if (schema.type === 'integer') return schema.format ?? 'int64'
  if (schema.type === 'number') return 'float64'
  return schema.type === 'boolean' ? 'bool' : 'string'
}

function firstOf<T>(values: readonly T[], check: (value: T) => string | undefined): string | undefined {
  for (const value of values) {
    const found = check(value)
    if (found !== undefined) return found
  }
  return undefined
}
