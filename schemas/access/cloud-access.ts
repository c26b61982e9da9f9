import type { JsonObject } from '../device/kubernetes.ts'

/** Rights as Kubernetes' RBAC writes them. */
export type AccessRule = {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
} & JsonObject

/** Who gets the rights of the cloud half: a group of certificates on the embedded API, a service account on a cluster. */
export type AccessSubject =
  | { readonly kind: 'Group' | 'User'; readonly name: string }
  | { readonly kind: 'ServiceAccount'; readonly name: string; readonly namespace: string }

/** A role or binding of rbac.authorization.k8s.io/v1. */
export type AccessObject = JsonObject & {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: JsonObject
}

const RBAC = 'rbac.authorization.k8s.io'
const READ = ['get', 'list', 'watch'] as const

/** Of the roles and bindings. */
export const CLOUD_ROLE = 'skerry:cloud'
/** Of the Secrets, Leases and ConfigMaps of the cloud half; KubeEdge's own. */
export const CLOUD_NAMESPACE = 'kubeedge'
const NODE_LEASES = 'kube-node-lease'

/**
 * Everything that the cloud half does in the whole cluster, and nothing more. It reads Secrets and ConfigMaps where pods of
 * gateways are, and those can be in every namespace.
 */
export const CLOUD_CLUSTER_RULES: readonly AccessRule[] = [
  rule(READ, 'devices.kubeedge.io', 'devices', 'devicemodels'),
  rule(['patch'], 'devices.kubeedge.io', 'devices/status'),
  rule([...READ, 'create', 'patch', 'delete'], 'devices.kubeedge.io', 'devicestatuses'),
  rule([...READ, 'create', 'patch', 'delete'], 'reliablesyncs.kubeedge.io', 'objectsyncs', 'clusterobjectsyncs'),
  rule(['patch'], 'reliablesyncs.kubeedge.io', 'objectsyncs/status', 'clusterobjectsyncs/status'),
  rule(['list', 'watch'], 'rules.kubeedge.io', 'rules', 'ruleendpoints'),
  rule([...READ, 'create', 'patch'], '', 'nodes'),
  rule(['patch'], '', 'nodes/status'),
  rule([...READ, 'create', 'delete'], '', 'pods'),
  rule(['patch'], '', 'pods/status'),
  rule(READ, '', 'configmaps', 'secrets'),
  rule(['list', 'watch'], '', 'serviceaccounts'),
  rule(['create'], '', 'serviceaccounts/token'),
  rule(['get'], '', 'persistentvolumeclaims', 'persistentvolumes'),
  rule(['get'], 'storage.k8s.io', 'volumeattachments'),
  rule(['create', 'get', 'patch'], '', 'events'),
  rule(['create', 'get'], 'certificates.k8s.io', 'certificatesigningrequests'),
  { ...rule(['get'], '', 'namespaces'), resourceNames: [CLOUD_NAMESPACE] },
  {
    ...rule(['get', 'patch'], 'apiextensions.k8s.io', 'customresourcedefinitions'),
    resourceNames: ['devices.devices.kubeedge.io', 'devicemodels.devices.kubeedge.io'],
  },
  // A new object has no name that a rule could be held to.
  rule(['create'], 'admissionregistration.k8s.io', 'validatingwebhookconfigurations'),
  {
    ...rule(['get', 'patch'], 'admissionregistration.k8s.io', 'validatingwebhookconfigurations'),
    resourceNames: ['skerry-devices'],
  },
]

/** What it does beside that in single namespaces. */
export const CLOUD_NAMESPACE_RULES: Readonly<Record<string, readonly AccessRule[]>> = {
  [CLOUD_NAMESPACE]: [
    rule(['create', 'update', 'patch'], '', 'secrets'),
    rule(['create', 'patch'], '', 'configmaps'),
    rule([...READ, 'create', 'patch'], 'coordination.k8s.io', 'leases'),
  ],
  [NODE_LEASES]: [rule([...READ, 'create', 'update'], 'coordination.k8s.io', 'leases')],
}

/** The roles of the cloud half and their bindings, for whoever it is there. The namespaces have to be there. */
export function cloudAccess(subject: AccessSubject, name: string = CLOUD_ROLE): readonly AccessObject[] {
  const subjects = [subject.kind === 'ServiceAccount' ? subject : { ...subject, apiGroup: RBAC }]
  const pair = (prefix: '' | 'Cluster', metadata: JsonObject, rules: readonly AccessRule[]) => {
    const head = { apiVersion: `${RBAC}/v1`, metadata }
    const roleRef = { apiGroup: RBAC, kind: `${prefix}Role`, name }
    return [
      { ...head, kind: `${prefix}Role`, rules },
      { ...head, kind: `${prefix}RoleBinding`, roleRef, subjects },
    ]
  }
  return [
    ...pair('Cluster', { name }, CLOUD_CLUSTER_RULES),
    ...Object.entries(CLOUD_NAMESPACE_RULES).flatMap(([namespace, rules]) => pair('', { name, namespace }, rules)),
  ]
}

function rule(verbs: readonly string[], group: string, ...resources: readonly string[]): AccessRule {
  return { apiGroups: [group], resources, verbs }
}
