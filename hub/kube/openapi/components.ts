import type { Json, JsonObject } from '../../../schemas/index.ts'
import { BUILTIN_DEFINITIONS, modelOfType, nameOfType } from '../builtin/index.ts'
import type { ResourceDefinition } from '../resource.ts'
import { isJsonObject } from '../schema/index.ts'
import { type Custom, customRoot, identity } from './custom.ts'
import type { Documentation } from './documentation.ts'
import { createStructures, merged, REF } from './structures.ts'
import { LIST_ITEMS, LIST_METADATA } from './words/index.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
export const PATCH = `${META}.Patch`
export const DELETE_OPTIONS = `${META}.DeleteOptions`
export const STATUS = `${META}.Status`

type Gvk = Pick<ResourceDefinition, 'group' | 'version' | 'kind'>

/** Kinds that are no resources, but come and go below one. */
const ACTION_MODELS: Readonly<Record<string, string>> = {
  Binding: 'V1Binding',
  Eviction: 'V1Eviction',
  Scale: 'V1Scale',
  TokenRequest: 'AuthenticationV1TokenRequest',
}

/** What a definition is called among the components: `io.k8s.api.core.v1.Pod`, `io.kubeedge.devices.v1beta1.Device`. */
export function componentName({ group, version, kind, schema, custom }: ResourceDefinition): string {
  const builtin = schema?.['x-skerry-type']
  if (!custom && builtin) return builtin
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`
}

export function actionComponent(kind: string): string {
  return nameOfType(ACTION_MODELS[kind] ?? kind)
}

export interface ComponentsOptions {
  readonly documentation: Documentation
  readonly dialect: 'v2' | 'v3'
}

/** The schemas of some kinds, with all that they refer to, by name. */
export function componentsOf(definitions: readonly ResourceDefinition[], options: ComponentsOptions): JsonObject {
  const structures = createStructures(options.documentation)
  const custom: Custom = { structures, ...options }
  const { schemas } = structures
  const isOf = (model: string, kinds: readonly Gvk[]) => {
    const { $ref } = structures.refer(model)
    const name = $ref.slice(REF.length)
    schemas[name] = named(schemas[name], kinds)
  }
  for (const definition of definitions) {
    const name = componentName(definition)
    const model = modelOf(definition)
    if (model === undefined) schemas[name] = named(customRoot(definition.schema, custom), [definition])
    else isOf(model, [definition])
    if (model === undefined || !isAsked(definition)) schemas[`${name}List`] = listOf(definition, name, model, custom)
    for (const action of definition.actions ?? []) isOf(ACTION_MODELS[action.kind] ?? action.kind, [action])
    if (definition.scale) isOf('V1Scale', [{ group: 'autoscaling', version: 'v1', kind: 'Scale' }])
  }
  if (!definitions.every(isAsked)) {
    isOf('V1DeleteOptions', deleteKinds(definitions))
    isOf('V1Status', [{ group: '', version: 'v1', kind: 'Status' }])
    structures.referLeaf(PATCH)
  }
  return Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)))
}

export function gvk({ group, version, kind }: Gvk): JsonObject {
  return { group, version, kind }
}

/** Class of the models that a kind is made from; undefined for a custom kind. */
function modelOf(definition: ResourceDefinition): string | undefined {
  return definition.custom ? undefined : modelOfType(componentName(definition))
}

/** Reviews are made and never listed. */
function isAsked({ verbs }: ResourceDefinition): boolean {
  return verbs !== undefined && !verbs.includes('list')
}

function named(schema: Json | undefined, kinds: readonly Gvk[]): JsonObject {
  return { ...(isJsonObject(schema) ? schema : {}), 'x-kubernetes-group-version-kind': kinds.map(gvk) }
}

function listOf(definition: ResourceDefinition, name: string, model: string | undefined, custom: Custom): JsonObject {
  const { structures, documentation } = custom
  const texts = model === undefined ? undefined : documentation(`${model}List`)
  const text = model === undefined ? `${definition.listKind} is a list of ${definition.kind}` : texts?.text
  const whole = model === undefined ? {} : { default: {} }
  return named(
    {
      ...(text === undefined ? {} : { description: text }),
      type: 'object',
      required: ['items'],
      properties: {
        ...identity(custom),
        items: {
          description: texts?.field('items') ?? LIST_ITEMS,
          type: 'array',
          items: model === undefined ? { $ref: REF + name } : merged({ ...whole, $ref: REF + name }),
        },
        metadata: merged({ description: LIST_METADATA, ...whole, ...structures.refer('V1ListMeta') }),
      },
    },
    [{ ...definition, kind: definition.listKind }],
  )
}

/** Options of a deletion are of every group; custom kinds take those of all of Kubernetes' own. */
function deleteKinds(definitions: readonly ResourceDefinition[]): readonly Gvk[] {
  const all = definitions.some(({ custom }) => custom) ? [...BUILTIN_DEFINITIONS, ...definitions] : definitions
  const groups = new Map(
    all
      .filter(({ custom }) => !custom)
      .map(({ group, version }): readonly [string, Gvk] => [
        `${group}/${version}`,
        { group, version, kind: 'DeleteOptions' },
      ]),
  )
  const core: Gvk = { group: '', version: 'v1', kind: 'DeleteOptions' }
  return [...new Map([['/v1', core] as const, ...groups]).values()]
}
