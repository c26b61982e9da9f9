import type { Json, JsonObject } from '../../../schemas/index.ts'
import { arrayAt, isJsonArray, isJsonObject, objectAt, textAt } from '../object/access.ts'
import type { ApiObject } from '../resource.ts'
import type { Attributes } from './attributes.ts'

export const RBAC_GROUP = 'rbac.authorization.k8s.io'

/** One rule of a Role or ClusterRole; lists that it leaves out are empty. */
export interface PolicyRule {
  readonly verbs: readonly string[]
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames: readonly string[]
  readonly nonResourceURLs: readonly string[]
}

export interface RoleRef {
  readonly apiGroup: string
  readonly kind: string
  readonly name: string
}

export interface Subject {
  readonly kind: string
  readonly name: string
  readonly namespace: string
}

export function rulesOf(role: ApiObject): readonly PolicyRule[] {
  return arrayAt(role, 'rules').filter(isJsonObject).map(ruleOf)
}

export function roleRefOf(binding: ApiObject): RoleRef {
  const ref = objectAt(binding, 'roleRef')
  return { apiGroup: textAt(ref, 'apiGroup'), kind: textAt(ref, 'kind'), name: textAt(ref, 'name') }
}

export function subjectsOf(binding: ApiObject): readonly Subject[] {
  return arrayAt(binding, 'subjects')
    .filter(isJsonObject)
    .map((each) => ({ kind: textAt(each, 'kind'), name: textAt(each, 'name'), namespace: textAt(each, 'namespace') }))
}

/** The rule as it stands in an object: without lists that are empty. */
export function ruleJson(rule: PolicyRule): JsonObject {
  const { nonResourceURLs, resourceNames, verbs, apiGroups, resources } = rule
  const lists = { verbs, apiGroups, resources, resourceNames, nonResourceURLs }
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0))
}

/** Whether one rule alone admits the request. */
export function ruleAllows(rule: PolicyRule, { verb, path, resource }: Attributes): boolean {
  if (!includesOr(rule.verbs, verb, '*')) return false
  if (!resource) return rule.nonResourceURLs.some((url) => urlCovers(url, path))
  const { group, plural, subresource, name } = resource
  return (
    includesOr(rule.apiGroups, group, '*') &&
    resourceAllows(rule.resources, plural, subresource) &&
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(name))
  )
}

/** A path, or the beginning of paths where it ends with `*`. */
export function urlCovers(url: string, path: string): boolean {
  return url === path || (url.endsWith('*') && path.startsWith(url.replace(/\*+$/, '')))
}

function resourceAllows(resources: readonly string[], plural: string, subresource: string): boolean {
  if (subresource === '') return includesOr(resources, plural, '*')
  return includesOr(resources, `${plural}/${subresource}`, '*') || resources.includes(`*/${subresource}`)
}

function includesOr(list: readonly string[], item: string, all: string): boolean {
  return list.includes(item) || list.includes(all)
}

function ruleOf(value: JsonObject): PolicyRule {
  return {
    verbs: textsAt(value, 'verbs'),
    apiGroups: textsAt(value, 'apiGroups'),
    resources: textsAt(value, 'resources'),
    resourceNames: textsAt(value, 'resourceNames'),
    nonResourceURLs: textsAt(value, 'nonResourceURLs'),
  }
}

function textsAt(value: JsonObject, field: string): readonly string[] {
  const list: Json | undefined = value[field]
  return isJsonArray(list) ? list.filter((each) => typeof each === 'string') : []
}
