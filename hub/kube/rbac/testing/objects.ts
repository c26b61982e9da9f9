import type { JsonObject } from '../../../../schemas/index.ts'
import type { ApiObject } from '../../resource.ts'
import { type AccessResource, Policy } from '../policy.ts'

const API = 'rbac.authorization.k8s.io/v1'

export function role(name: string, rules: readonly JsonObject[], namespace = 'shop'): ApiObject {
  return { apiVersion: API, kind: 'Role', metadata: { name, namespace }, rules }
}

export function clusterRole(name: string, rules: readonly JsonObject[], labels: JsonObject = {}): ApiObject {
  return { apiVersion: API, kind: 'ClusterRole', metadata: { name, labels }, rules }
}

/** `ref` is `Kind/name`. */
export function roleBinding(name: string, ref: string, subjects: readonly JsonObject[], namespace = 'shop'): ApiObject {
  return { apiVersion: API, kind: 'RoleBinding', metadata: { name, namespace }, roleRef: refOf(ref), subjects }
}

export function clusterRoleBinding(name: string, ref: string, subjects: readonly JsonObject[]): ApiObject {
  return { apiVersion: API, kind: 'ClusterRoleBinding', metadata: { name }, roleRef: refOf(ref), subjects }
}

export function user(name: string): JsonObject {
  return { kind: 'User', name }
}

export function group(name: string): JsonObject {
  return { kind: 'Group', name }
}

export function allow(verbs: string, resources: string, more: JsonObject = {}): JsonObject {
  return { apiGroups: [''], verbs: verbs.split(','), resources: resources.split(','), ...more }
}

export function policyOf(...objects: readonly ApiObject[]): Policy {
  const policy = new Policy()
  for (const object of objects) policy.put(resourceOf(object), object)
  return policy
}

function resourceOf({ kind }: ApiObject): AccessResource {
  switch (kind) {
    case 'Role':
      return 'roles'
    case 'ClusterRole':
      return 'clusterroles'
    case 'RoleBinding':
      return 'rolebindings'
    default:
      return 'clusterrolebindings'
  }
}

function refOf(ref: string): JsonObject {
  const [kind = '', name = ''] = ref.split('/')
  return { apiGroup: 'rbac.authorization.k8s.io', kind, name }
}
