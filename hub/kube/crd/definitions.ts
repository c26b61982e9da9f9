import type { Json, JsonObject } from '../../../schemas/index.ts'
import { compareVersions } from '../discovery/versions.ts'
import type { ApiObject, PrinterColumn, ResourceDefinition, ScalePaths, StructuralSchema } from '../resource.ts'
import { at, isJsonArray, isJsonObject } from '../schema/json.ts'
import { isSchema } from './structural.ts'

/**
 * What a CustomResourceDefinition declares: one definition for each version, also for one that is stored but not served.
 * The CRD must have passed validateCrd.
 */
export function definitionsOfCrd(crd: ApiObject): readonly ResourceDefinition[] {
  const spec = at(crd, 'spec')
  const names = at(spec, 'names')
  if (!isJsonObject(spec) || !isJsonObject(names)) return []
  const kind = text(names['kind'])
  const shared = {
    group: text(spec['group']),
    kind,
    listKind: text(names['listKind']) || `${kind}List`,
    plural: text(names['plural']),
    singular: text(names['singular']) || kind.toLowerCase(),
    shortNames: texts(names['shortNames']),
    categories: texts(names['categories']),
    namespaced: spec['scope'] === 'Namespaced',
    custom: true,
  } as const
  return objects(spec['versions']).map((version) => ({
    ...shared,
    version: text(version['name']),
    storage: version['storage'] === true,
    served: version['served'] === true,
    statusSubresource: at(version, 'subresources', 'status') !== undefined,
    ...scaleIn(version),
    ...selectableIn(version),
    ...deprecationOf(version, shared, objects(spec['versions'])),
    schema: schemaOf(version),
    printerColumns: objects(version['additionalPrinterColumns']).map(columnOf),
  }))
}

/** The version in which objects of this CRD are stored. */
export function storageVersionOf(crd: ApiObject): string {
  const versions = objects(at(crd, 'spec', 'versions'))
  return text(versions.find((version) => version['storage'] === true)?.['name'])
}

function scaleIn(version: JsonObject): { readonly scale?: ScalePaths } {
  const scale = at(version, 'subresources', 'scale')
  if (!isJsonObject(scale)) return {}
  const labelSelector = segmentsOf(scale['labelSelectorPath'])
  return {
    scale: {
      specReplicas: segmentsOf(scale['specReplicasPath']),
      statusReplicas: segmentsOf(scale['statusReplicasPath']),
      ...(labelSelector.length > 0 ? { labelSelector } : {}),
    },
  }
}

function selectableIn(version: JsonObject): { readonly selectableFields?: readonly string[] } {
  const fields = objects(version['selectableFields']).map((field) => segmentsOf(field['jsonPath']).join('.'))
  return fields.length > 0 ? { selectableFields: fields } : {}
}

function deprecationOf(
  version: JsonObject,
  { group, kind }: Pick<ResourceDefinition, 'group' | 'kind'>,
  versions: readonly JsonObject[],
): { readonly deprecationWarning?: string } {
  if (version['deprecated'] !== true) return {}
  const named = (each: JsonObject) => `${group}/${text(each['name'])} ${kind}`
  const better = versions
    .filter((each) => each['deprecated'] !== true && each['served'] === true)
    .sort((one, other) => compareVersions(text(one['name']), text(other['name'])))
  const [best] = better
  const use = best && compareVersions(text(best['name']), text(version['name'])) < 0 ? `; use ${named(best)}` : ''
  return { deprecationWarning: text(version['deprecationWarning']) || `${named(version)} is deprecated${use}` }
}

/** Of a path such as `.spec.replicas`. */
function segmentsOf(path: Json | undefined): readonly string[] {
  return text(path)
    .split('.')
    .filter((segment) => segment !== '')
}

function schemaOf(version: JsonObject): StructuralSchema | undefined {
  const schema = at(version, 'schema', 'openAPIV3Schema')
  return isSchema(schema) ? schema : undefined
}

function columnOf(column: JsonObject): PrinterColumn {
  const { format, description, priority } = column
  return {
    name: text(column['name']),
    type: columnType(column['type']),
    jsonPath: text(column['jsonPath']),
    ...(typeof format === 'string' ? { format } : {}),
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof priority === 'number' ? { priority } : {}),
  }
}

function columnType(type: Json | undefined): PrinterColumn['type'] {
  return type === 'integer' || type === 'number' || type === 'boolean' || type === 'date' ? type : 'string'
}

function objects(value: Json | undefined): readonly JsonObject[] {
  return isJsonArray(value) ? value.filter(isJsonObject) : []
}

function texts(value: Json | undefined): readonly string[] {
  return isJsonArray(value) ? value.filter((each) => typeof each === 'string') : []
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
