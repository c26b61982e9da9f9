import { createHash } from 'node:crypto'
import type { Json, JsonObject, KubeObject } from '../../../schemas/index.ts'
import { isJsonObject, isRecord } from '../kubernetes/guards.ts'
import type { AnyObject } from '../kubernetes/index.ts'

/** Roles and bindings of the API, as far as they are known. */
export interface Policy {
  role(namespace: string, name: string): KubeObject | undefined
  clusterRole(name: string): KubeObject | undefined
  readonly roleBindings: readonly KubeObject[]
  readonly clusterRoleBindings: readonly KubeObject[]
}

export interface AccountAccess {
  /** KubeEdge's ServiceAccountAccess. */
  readonly object: KubeObject & { readonly spec: JsonObject }
  /** Differs where the rights differ. */
  readonly version: string
}

export const POLICY_API_VERSION = 'policy.kubeedge.io/v1alpha1'
export const ACCOUNT_ACCESS = 'ServiceAccountAccess'

/** What a service account may do: each binding that names it or a group of it, with the rules of its role. Pure. */
export function accountAccess(account: AnyObject, policy: Policy): AccountAccess {
  const { name, namespace = 'default', uid = '' } = account.metadata
  const isMeant = subjectOf(namespace, name)
  const used: KubeObject[] = [account]
  const withRules = (bindings: readonly KubeObject[], field: 'roleBinding' | 'clusterRoleBinding') =>
    bindings
      .filter((binding) => isMeant(binding))
      .toSorted((a, b) => order(a, b))
      .map((binding) => {
        const role = roleOf(binding, policy)
        used.push(binding, ...(role ? [role] : []))
        const rules = role && jsonIn(role, 'rules')
        return { [field]: trimmed(binding), ...(Array.isArray(rules) ? { rules } : {}) }
      })
  const spec: JsonObject = {
    serviceAccount: trimmed({ ...account, apiVersion: 'v1', kind: 'ServiceAccount' }),
    serviceAccountUid: uid,
    accessRoleBinding: withRules(policy.roleBindings, 'roleBinding'),
    accessClusterRoleBinding: withRules(policy.clusterRoleBindings, 'clusterRoleBinding'),
  }
  const metadata = { name, namespace, uid: derivedUid(uid), resourceVersion: latest(used) }
  const version = createHash('sha256')
    .update(JSON.stringify([uid, spec]))
    .digest('hex')
    .slice(0, 16)
  return { object: { apiVersion: POLICY_API_VERSION, kind: ACCOUNT_ACCESS, metadata, spec }, version }
}

function subjectOf(namespace: string, name: string): (binding: KubeObject) => boolean {
  const user = `system:serviceaccount:${namespace}:${name}`
  const groups = new Set(['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'])
  return (binding) => {
    const subjects = jsonIn(binding, 'subjects')
    if (!Array.isArray(subjects)) return false
    return subjects.filter(isRecord).some((subject) => {
      if (subject['kind'] === 'User') return subject['name'] === user
      if (subject['kind'] === 'Group') return groups.has(String(subject['name']))
      const place = subject['namespace'] || binding.metadata.namespace
      return subject['kind'] === 'ServiceAccount' && subject['name'] === name && place === namespace
    })
  }
}

function roleOf(binding: KubeObject, policy: Policy): KubeObject | undefined {
  const reference = jsonIn(binding, 'roleRef')
  const { kind, name } = isJsonObject(reference) ? reference : {}
  if (typeof name !== 'string') return undefined
  if (kind === 'ClusterRole') return policy.clusterRole(name)
  return kind === 'Role' ? policy.role(binding.metadata.namespace ?? '', name) : undefined
}

function order(a: KubeObject, b: KubeObject): number {
  const [left, right] = [a, b].map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`)
  return (left ?? '') < (right ?? '') ? -1 : 1
}

/** Without what says nothing of rights, and changes by itself. */
function trimmed(object: KubeObject): JsonObject {
  const { metadata, ...rest } = object
  const { name, namespace, uid } = metadata
  const kept = { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }) }
  const value: unknown = JSON.parse(JSON.stringify({ ...rest, metadata: kept }))
  return isJsonObject(value) ? value : {}
}

/** Of its own: no two objects of a node have one uid. Made of the account's, so that each cloud half makes the same. */
function derivedUid(uid: string): string {
  const hex = createHash('sha256').update(`${ACCOUNT_ACCESS} ${uid}`).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}

/** The greatest resourceVersion of all that went into it, where they are numbers. */
function latest(objects: readonly KubeObject[]): string {
  const versions = objects
    .map(({ metadata }) => metadata.resourceVersion ?? '')
    .filter((each) => /^\d{1,39}$/.test(each))
  return versions.reduce((most, each) => (BigInt(each) > BigInt(most) ? each : most), '1')
}

function jsonIn(object: KubeObject, name: string): Json | undefined {
  return Reflect.get(object, name)
}
