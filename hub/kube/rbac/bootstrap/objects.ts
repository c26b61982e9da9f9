import type { JsonObject } from '../../../../schemas/index.ts'
import type { ApiObject } from '../../resource.ts'
import { RBAC_GROUP } from '../policy-rule.ts'
import { AUTO_UPDATE } from '../reconcile.ts'

export const READ = ['get', 'list', 'watch'] as const
export const WRITE = ['create', 'update', 'patch', 'delete', 'deletecollection'] as const
export const READ_WRITE = [...READ, ...WRITE] as const
export const READ_UPDATE = [...READ, 'update', 'patch'] as const

/** Verbs on resources of one group. */
export function to(verbs: readonly string[], group: string, ...resources: readonly string[]): JsonObject {
  return { verbs, apiGroups: [group], resources }
}

/** The same on objects of one name alone. */
export function toNamed(verbs: readonly string[], group: string, resource: string, name: string): JsonObject {
  return { verbs, apiGroups: [group], resources: [resource], resourceNames: [name] }
}

/** Events are in two groups. */
export function toEvents(verbs: readonly string[]): JsonObject {
  return { verbs, apiGroups: ['', 'events.k8s.io'], resources: ['events'] }
}

export function toPaths(...paths: readonly string[]): JsonObject {
  return { verbs: ['get'], nonResourceURLs: paths }
}

export function clusterRole(name: string, rules: readonly JsonObject[], labels: JsonObject = {}): ApiObject {
  return { ...headOf('ClusterRole', name, labels), rules }
}

/** The role of one namespace. */
export function role(namespace: string, name: string, rules: readonly JsonObject[]): ApiObject {
  const { metadata, ...head } = headOf('Role', name, {})
  return { ...head, metadata: { ...metadata, namespace }, rules }
}

/** Its rules are those of all ClusterRoles with this label. */
export function aggregatedRole(name: string, label: string, labels: JsonObject = {}): ApiObject {
  const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { [label]: 'true' } }] }
  return { ...headOf('ClusterRole', name, labels), aggregationRule, rules: [] }
}

/** A ClusterRoleBinding of the same name as its role. */
export function bound(name: string, subjects: readonly JsonObject[]): ApiObject {
  const roleRef = { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name }
  return { ...headOf('ClusterRoleBinding', name, {}), roleRef, ...(subjects.length === 0 ? {} : { subjects }) }
}

export function group(name: string): JsonObject {
  return { apiGroup: RBAC_GROUP, kind: 'Group', name }
}

export function user(name: string): JsonObject {
  return { apiGroup: RBAC_GROUP, kind: 'User', name }
}

function headOf(kind: string, name: string, labels: JsonObject): ApiObject {
  return {
    apiVersion: `${RBAC_GROUP}/v1`,
    kind,
    metadata: {
      name,
      labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
      annotations: { [AUTO_UPDATE]: 'true' },
    },
  }
}
