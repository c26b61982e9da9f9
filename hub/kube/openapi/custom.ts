import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { StructuralSchema } from '../resource.ts'
import { isJsonObject } from '../schema/index.ts'
import type { Documentation } from './documentation.ts'
import { merged, type Structures } from './structures.ts'
import { OBJECT_METADATA } from './words/index.ts'

const PLAIN = [
  'description',
  'type',
  'format',
  'required',
  'enum',
  'default',
  'nullable',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-int-or-string',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
] as const
const V3_ALONE: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'default', 'nullable'])
const SHAPE: ReadonlySet<string> = new Set(['type', 'properties', 'items', 'additionalProperties'])
const COMBINATIONS = ['allOf', 'anyOf', 'oneOf'] as const
const INT_OR_STRING: Json = [{ type: 'integer' }, { type: 'string' }]
/** Any kind says of these two what all kinds say. */
const IDENTITY_MODEL = 'V1ConfigMap'

export interface Custom {
  readonly structures: Structures
  readonly documentation: Documentation
  /** OpenAPI 2.0 lacks words for much of what a schema may say. */
  readonly dialect: 'v2' | 'v3'
}

/** What a CustomResourceDefinition declares of its objects, with what all objects have. */
export function customRoot(schema: StructuralSchema | undefined, custom: Custom): JsonObject {
  const body = written(schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, custom)
  return { ...body, type: 'object', properties: { ...properties(body), ...identity(custom) } }
}

/** `apiVersion`, `kind` and `metadata` of a whole object. */
export function identity({ structures, documentation }: Custom): JsonObject {
  const texts = documentation(IDENTITY_MODEL)
  const text = (name: string): JsonObject => {
    const description = texts?.field(name)
    return { ...(description === undefined ? {} : { description }), type: 'string' }
  }
  return {
    apiVersion: text('apiVersion'),
    kind: text('kind'),
    metadata: merged({ description: OBJECT_METADATA, ...structures.refer('V1ObjectMeta') }),
  }
}

function written(schema: StructuralSchema, custom: Custom): JsonObject {
  const keeps = kept(schema, custom)
  const result: Record<string, Json> = {}
  for (const key of PLAIN) {
    const value = schema[key]
    if (value !== undefined && keeps(key)) result[key] = copyJson(value)
  }
  const { properties: fields, items, additionalProperties, not } = schema
  if (fields && keeps('properties')) {
    result['properties'] = Object.fromEntries(Object.entries(fields).map(([key, each]) => [key, written(each, custom)]))
  }
  if (items && keeps('items')) result['items'] = written(items, custom)
  if (additionalProperties !== undefined && keeps('additionalProperties')) {
    result['additionalProperties'] =
      typeof additionalProperties === 'boolean' ? additionalProperties : written(additionalProperties, custom)
  }
  for (const key of COMBINATIONS) {
    const list = schema[key]
    if (list && keeps(key)) result[key] = list.map((each) => written(each, custom))
  }
  if (not && keeps('not')) result['not'] = written(not, custom)
  if (schema['x-kubernetes-int-or-string'] && !schema.anyOf && keeps('anyOf')) result['anyOf'] = INT_OR_STRING
  const isWhole = schema['x-kubernetes-embedded-resource'] === true && result['type'] !== undefined
  return isWhole ? embedded(result, custom) : result
}

/** What stands where a whole object stands has what every object has. */
function embedded(schema: JsonObject, custom: Custom): JsonObject {
  const declared: unknown = schema['required']
  const required = new Set<string>(Array.isArray(declared) ? declared : [])
  const { metadata, ...names } = identity(custom)
  const texts = Object.fromEntries(Object.keys(names).map((key) => [key, { type: 'string' }]))
  return {
    ...schema,
    required: [...required.add('kind').add('apiVersion')],
    properties: { ...properties(schema), ...texts, ...(metadata === undefined ? {} : { metadata }) },
  }
}

/** Clients of OpenAPI 2.0 could not check what may be null, or hold anything: it is of no type there. */
function kept(schema: StructuralSchema, { dialect }: Custom): (key: keyof StructuralSchema) => boolean {
  if (dialect === 'v3') return () => true
  const isOpen = schema.nullable === true || schema['x-kubernetes-preserve-unknown-fields'] === true
  return (key) => !V3_ALONE.has(key) && !(isOpen && SHAPE.has(key))
}

function properties(schema: JsonObject): JsonObject {
  const value = schema['properties']
  return isJsonObject(value) ? value : {}
}

function copyJson(value: unknown): Json {
  const copy: Json = JSON.parse(JSON.stringify(value))
  return copy
}
