import type { Json, JsonObject } from '../../../schemas/index.ts'
import { resolveType } from '../builtin/resolve-type.ts'
import type { ApiObject, ResourceDefinition, ScalePaths } from '../resource.ts'
import { at, isJsonObject } from '../schema/json.ts'
import { selectorText } from '../selectors/index.ts'

/** The kind Scale (autoscaling/v1), which stands for the scale of an object of another kind. It is never stored. */
export const SCALE: ResourceDefinition = {
  ...{ group: 'autoscaling', version: 'v1', kind: 'Scale', listKind: 'ScaleList', plural: 'scales', singular: 'scale' },
  ...{ shortNames: [], categories: [], namespaced: true, storage: false, custom: false, statusSubresource: false },
  schema: resolveType('V1Scale'),
  printerColumns: [],
}

/** The scale of an object; undefined where the kind has none, or the object says no number (custom kinds). */
export function scaleOf(definition: ResourceDefinition, object: ApiObject): ApiObject | undefined {
  const { scale: paths } = definition
  if (!paths) return undefined
  const wanted = at(object, ...paths.specReplicas)
  if (definition.custom && typeof wanted !== 'number') return undefined
  const selector = selectorOf(paths, object)
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: identityOf(object.metadata),
    spec: numberOr(wanted) === 0 ? {} : { replicas: numberOr(wanted) },
    status: { replicas: numberOr(at(object, ...paths.statusReplicas)), ...(selector === '' ? {} : { selector }) },
  }
}

/** The object with another number of replicas wanted. */
export function withReplicas(paths: ScalePaths, object: ApiObject, replicas: number): ApiObject {
  const { apiVersion, kind, metadata } = object
  return { ...withNumber(object, paths.specReplicas, replicas), apiVersion, kind, metadata }
}

function withNumber(object: JsonObject, [first = '', ...rest]: readonly string[], value: number): JsonObject {
  const below = object[first]
  return { ...object, [first]: rest.length === 0 ? value : withNumber(isJsonObject(below) ? below : {}, rest, value) }
}

function selectorOf(paths: ScalePaths, object: ApiObject): string {
  if (!paths.labelSelector) return selectorText(at(object, 'spec', 'selector'))
  const text = at(object, ...paths.labelSelector)
  return typeof text === 'string' ? text : ''
}

function identityOf({ name, namespace, uid, resourceVersion, creationTimestamp }: JsonObject): JsonObject {
  const all = { name, namespace, uid, resourceVersion, creationTimestamp }
  return Object.fromEntries(Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))
}

function numberOr(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0
}
