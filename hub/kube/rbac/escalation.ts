import { arrayAt, objectAt, sameJson, withMetadata } from '../object/access.ts'
import type { ApiObject } from '../resource.ts'
import { type Attributes, type Requester, rightTo } from './attributes.ts'
import { listText, rulesText, uncovered } from './covers.ts'
import type { AccessResource, Policy } from './policy.ts'
import { type PolicyRule, RBAC_GROUP, type RoleRef, roleRefOf, rulesOf } from './policy-rule.ts'

/** A change of an object of one of the four kinds. */
export interface AccessChange {
  readonly resource: AccessResource
  /** Empty for the cluster's. */
  readonly namespace: string
  /** Empty while it is made. */
  readonly name: string
  readonly object: ApiObject
  readonly before: ApiObject | undefined
}

export type Refused =
  | { readonly kind: 'forbidden'; readonly why: string }
  /** The binding names a role that is not there, so nobody can say what it gives. */
  | { readonly kind: 'missing'; readonly role: RoleRef }

const ALL: PolicyRule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] }
const FULL: readonly PolicyRule[] = [ALL, { ...ALL, apiGroups: [], resources: [], nonResourceURLs: ['*'] }]

/**
 * Why somebody may not make this change: a role may give only what its author holds, unless he may `escalate`, and a binding only
 * a role whose rights its author holds, unless he may `bind` it.
 */
export function refuseEscalation(
  policy: Policy,
  user: Requester,
  change: AccessChange,
  mayDo: (right: Attributes) => boolean,
): Refused | undefined {
  const { resource, object, before } = change
  if (before && onlyHousekeeping(object, before)) return undefined
  return resource === 'roles' || resource === 'clusterroles'
    ? refuseRole(policy, user, change, mayDo)
    : refuseBinding(policy, user, change, mayDo)
}

function refuseRole(
  policy: Policy,
  user: Requester,
  { resource, namespace, name, object, before }: AccessChange,
  mayDo: (right: Attributes) => boolean,
): Refused | undefined {
  if (mayDo(rightTo('escalate', { group: RBAC_GROUP, plural: resource, namespace, name }))) return undefined
  const missing = notHeld(policy, user, namespace, rulesOf(object))
  if (missing !== undefined) return { kind: 'forbidden', why: missing }
  const isAggregated = isAggregating(object) || (before !== undefined && isAggregating(before))
  if (!isAggregated || notHeld(policy, user, namespace, FULL) === undefined) return undefined
  return { kind: 'forbidden', why: 'must have cluster-admin privileges to use the aggregationRule' }
}

function refuseBinding(
  policy: Policy,
  user: Requester,
  { namespace, object }: AccessChange,
  mayDo: (right: Attributes) => boolean,
): Refused | undefined {
  const ref = roleRefOf(object)
  const plural = ref.kind === 'ClusterRole' ? 'clusterroles' : 'roles'
  if (mayDo(rightTo('bind', { group: ref.apiGroup, plural, namespace, name: ref.name }))) return undefined
  const rules = policy.rulesOfRole(ref, namespace)
  if (!rules) return { kind: 'missing', role: ref }
  const missing = notHeld(policy, user, namespace, rules)
  return missing === undefined ? undefined : { kind: 'forbidden', why: missing }
}

function notHeld(policy: Policy, user: Requester, namespace: string, given: readonly PolicyRule[]): string | undefined {
  const { rules, errors } = policy.rulesFor(user, namespace)
  const missing = uncovered(rules, given)
  if (missing.length === 0) return undefined
  const who = `user ${JSON.stringify(user.name)} (groups=${listText(user.groups)})`
  const trouble = errors.length === 0 ? '' : `; resolution errors: [${errors.join(', ')}]`
  return `${who} is attempting to grant RBAC permissions not currently held:\n${rulesText(missing)}${trouble}`
}

function isAggregating(role: ApiObject): boolean {
  return arrayAt(objectAt(role, 'aggregationRule'), 'clusterRoleSelectors').length > 0
}

/** Garbage collection has to go on also where its owner holds less than the role gives. */
function onlyHousekeeping(object: ApiObject, before: ApiObject): boolean {
  const none = { ownerReferences: undefined, finalizers: undefined, managedFields: undefined }
  return sameJson(withMetadata(object, none), withMetadata(before, none))
}
