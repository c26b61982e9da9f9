import type { Json, JsonObject } from '../../../schemas/index.ts'
import { resolveType } from '../builtin/resolve-type.ts'
import type { ResourceDefinition, StructuralSchema } from '../resource.ts'
import { OBJECT_META, rootSchema } from '../schema/object-meta.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
export const REF = '#/components/schemas/'
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
  'x-kubernetes-patch-strategy',
  'x-kubernetes-patch-merge-key',
] as const

/** What a definition is called among the components: `io.k8s.api.core.v1.Pod`, `io.kubeedge.devices.v1beta1.Device`. */
export function componentName({ group, version, kind, schema, custom }: ResourceDefinition): string {
  const builtin = schema?.['x-skerry-type']
  if (!custom && builtin) return builtin
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`
}

/** `components.schemas` of the kinds of one version, with all that they refer to. */
export function componentsOf(definitions: readonly ResourceDefinition[]): JsonObject {
  const components: Record<string, Json> = {}
  const collect = (schema: StructuralSchema): Json => convert(schema, components, collect)
  for (const definition of definitions) {
    const name = componentName(definition)
    const { 'x-skerry-type': _, ...root } = rootSchema(definition.schema)
    // Named before it is filled, as it may contain itself.
    components[name] = {}
    components[name] = { ...inline(root, collect), 'x-kubernetes-group-version-kind': [gvk(definition)] }
    components[`${name}List`] = listOf(definition, name, collect)
  }
  collect(OBJECT_META)
  components[`${META}.DeleteOptions`] = deleteOptions(definitions)
  return Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1)))
}

export function gvk({ group, version, kind }: Pick<ResourceDefinition, 'group' | 'version' | 'kind'>): JsonObject {
  return { group, version, kind }
}

export const DELETE_OPTIONS = `${META}.DeleteOptions`

/** Structures with a name become components and are referred to; everything else is written where it stands. */
function convert(
  schema: StructuralSchema,
  components: Record<string, Json>,
  collect: (schema: StructuralSchema) => Json,
): Json {
  const name = schema['x-skerry-type']
  if (name === undefined) return inline(schema, collect)
  if (components[name] === undefined) {
    components[name] = {}
    components[name] = inline(schema, collect)
  }
  return { $ref: REF + name }
}

function inline(schema: StructuralSchema, collect: (schema: StructuralSchema) => Json): JsonObject {
  const result: Record<string, Json> = {}
  for (const key of PLAIN) {
    const value = schema[key]
    if (value !== undefined) result[key] = copyJson(value)
  }
  const { properties, items, additionalProperties, not } = schema
  if (properties) {
    result['properties'] = Object.fromEntries(Object.entries(properties).map(([key, each]) => [key, collect(each)]))
  }
  if (items) result['items'] = collect(items)
  if (additionalProperties !== undefined) {
    result['additionalProperties'] =
      typeof additionalProperties === 'boolean' ? additionalProperties : collect(additionalProperties)
  }
  for (const key of ['allOf', 'anyOf', 'oneOf'] as const) {
    const list = schema[key]
    if (list) result[key] = list.map(collect)
  }
  if (schema['x-kubernetes-int-or-string'] && !schema.anyOf) result['oneOf'] = [{ type: 'integer' }, { type: 'string' }]
  if (not) result['not'] = collect(not)
  return result
}

function listOf(definition: ResourceDefinition, name: string, collect: (schema: StructuralSchema) => Json): JsonObject {
  return {
    type: 'object',
    description: `A list of ${definition.kind}.`,
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      items: { type: 'array', items: { $ref: REF + name } },
      kind: { type: 'string' },
      metadata: collect(resolveType('V1ListMeta')),
    },
    'x-kubernetes-group-version-kind': [{ ...gvk(definition), kind: definition.listKind }],
  }
}

function deleteOptions(definitions: readonly ResourceDefinition[]): JsonObject {
  const [first] = definitions
  const kinds = first ? [{ ...gvk(first), kind: 'DeleteOptions' }] : []
  return {
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      dryRun: { type: 'array', items: { type: 'string' } },
      gracePeriodSeconds: { type: 'integer', format: 'int64' },
      kind: { type: 'string' },
      orphanDependents: { type: 'boolean' },
      preconditions: {
        type: 'object',
        properties: { resourceVersion: { type: 'string' }, uid: { type: 'string' } },
      },
      propagationPolicy: { type: 'string' },
    },
    'x-kubernetes-group-version-kind': kinds,
  }
}

function copyJson(value: unknown): Json {
  const copy: Json = JSON.parse(JSON.stringify(value))
  return copy
}
