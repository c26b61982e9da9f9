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

/** Of the roles and bindings in the embedded API, which makes them anew at each start. */
export const CLOUD_ROLE = 'skerry:cloud'
/** Of the Secrets, Leases and ConfigMaps of the cloud half; KubeEdge's own. */
export const CLOUD_NAMESPACE = 'kubeedge'
const NODE_LEASES = 'kube-node-lease'

/** What it does in the whole cluster, and nothing more. */
export const CLOUD_CLUSTER_RULES: readonly AccessRule[] = [
  rule(READ, 'devices.kubeedge.io', 'devices', 'devicemodels'),
  rule(['patch'], 'devices.kubeedge.io', 'devices/status'),
  rule([...READ, 'create', 'patch', 'delete'], 'devices.kubeedge.io', 'devicestatuses'),
  rule([...READ, 'create', 'patch', 'delete'], 'reliablesyncs.kubeedge.io', 'objectsyncs', 'clusterobjectsyncs'),
  rule(['patch'], 'reliablesyncs.kubeedge.io', 'objectsyncs/status', 'clusterobjectsyncs/status'),
  rule([...READ, 'patch'], 'rules.kubeedge.io', 'rules'),
  rule(['list', 'watch'], 'rules.kubeedge.io', 'ruleendpoints'),
  rule([...READ, 'create', 'patch'], '', 'nodes'),
  rule(['patch'], '', 'nodes/status'),
  rule([...READ, 'create', 'delete'], '', 'pods'),
  rule(['patch'], '', 'pods/status'),
  rule(['get'], '', 'persistentvolumes'),
  rule(['get'], 'storage.k8s.io', 'volumeattachments'),
  rule(['create', 'get', 'patch'], '', 'events'),
  rule(['create', 'get'], 'certificates.k8s.io', 'certificatesigningrequests'),
  // Serving certificates of nodes.
  rule(['update'], 'certificates.k8s.io', 'certificatesigningrequests/approval'),
  { ...rule(['approve'], 'certificates.k8s.io', 'signers'), resourceNames: ['kubernetes.io/kubelet-serving'] },
  // What service accounts of pods on nodes may do, and what nodes may read in their own name.
  rule(['list', 'watch'], 'rbac.authorization.k8s.io', 'roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'),
  // For the time without the cloud, too: services of the namespaces of pods on nodes.
  rule(READ, '', 'services', 'endpoints'),
  rule(READ, 'discovery.k8s.io', 'endpointslices'),
  // By which keys tokens are known.
  {
    ...{ apiGroups: [], resources: [], verbs: ['get'] },
    nonResourceURLs: ['/.well-known/openid-configuration', '/openid/v1/jwks'],
  },
  // Who calls the stream endpoint or the Router, and whether he may.
  rule(['create'], 'authentication.k8s.io', 'tokenreviews'),
  rule(['create'], 'authorization.k8s.io', 'subjectaccessreviews'),
  { ...rule(['get'], '', 'namespaces'), resourceNames: [CLOUD_NAMESPACE] },
  {
    ...rule(['get', 'patch'], 'apiextensions.k8s.io', 'customresourcedefinitions'),
    resourceNames: ['devices.devices.kubeedge.io', 'devicemodels.devices.kubeedge.io'],
  },
  // A new object has no name that a rule could be held to.
  rule(['create'], 'admissionregistration.k8s.io', 'validatingwebhookconfigurations', 'mutatingwebhookconfigurations'),
  {
    ...rule(['get', 'patch'], 'admissionregistration.k8s.io', 'validatingwebhookconfigurations'),
    resourceNames: ['skerry-devices'],
  },
  {
    ...rule(['get', 'patch'], 'admissionregistration.k8s.io', 'mutatingwebhookconfigurations'),
    resourceNames: ['skerry-pods'],
  },
]

/** What it does where pods of gateways are: in the whole cluster, unless an operator names the namespaces. */
export const CLOUD_WORKLOAD_RULES: readonly AccessRule[] = [
  rule(READ, '', 'configmaps', 'secrets'),
  rule(['list', 'watch'], '', 'serviceaccounts'),
  rule(['create'], '', 'serviceaccounts/token'),
  rule(['get'], '', 'persistentvolumeclaims'),
]

/** What it does beside that in single namespaces. */
export const CLOUD_NAMESPACE_RULES: Readonly<Record<string, readonly AccessRule[]>> = {
  [CLOUD_NAMESPACE]: [
    rule([...READ, 'create', 'update', 'patch'], '', 'secrets'),
    rule(['get', 'create', 'patch'], '', 'configmaps'),
    rule([...READ, 'create', 'patch'], 'coordination.k8s.io', 'leases'),
  ],
  [NODE_LEASES]: [rule([...READ, 'create', 'update'], 'coordination.k8s.io', 'leases')],
}

/** A role that each cluster has: with it, the client authority of its API servers is read. The embedded API hands over its own. */
export const CLIENT_AUTHORITY_ROLE = {
  namespace: 'kube-system',
  name: 'extension-apiserver-authentication-reader',
} as const

/** The roles of the cloud half and their bindings, for whoever it is there. The namespaces have to be there. */
export function cloudAccess(subject: AccessSubject): readonly AccessObject[] {
  return [
    ...rolePair(subject, { name: CLOUD_ROLE }, [...CLOUD_CLUSTER_RULES, ...CLOUD_WORKLOAD_RULES]),
    ...cloudNamespaceAccess(subject),
  ]
}

/** The part of it that is of single namespaces. */
export function cloudNamespaceAccess(subject: AccessSubject, name: string = CLOUD_ROLE): readonly AccessObject[] {
  return Object.entries(CLOUD_NAMESPACE_RULES).flatMap(([namespace, rules]) =>
    rolePair(subject, { name, namespace }, rules),
  )
}

/** A role and its binding, both under this name; of the cluster where no namespace is named. */
export function rolePair(
  subject: AccessSubject,
  metadata: { readonly name: string; readonly namespace?: string },
  rules: readonly AccessRule[],
): readonly [AccessObject, AccessObject] {
  const kind = metadata.namespace === undefined ? 'ClusterRole' : 'Role'
  return [
    { apiVersion: `${RBAC}/v1`, kind, metadata, rules },
    roleBinding(subject, metadata, { kind, name: metadata.name }),
  ]
}

/** A role given to the subject: in one namespace, or in the whole cluster where none is named. */
export function roleBinding(
  subject: AccessSubject,
  metadata: { readonly name: string; readonly namespace?: string },
  role: { readonly kind: 'ClusterRole' | 'Role'; readonly name: string },
): AccessObject {
  const kind = metadata.namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding'
  const subjects = [subject.kind === 'ServiceAccount' ? subject : { ...subject, apiGroup: RBAC }]
  return { apiVersion: `${RBAC}/v1`, kind, metadata, roleRef: { apiGroup: RBAC, ...role }, subjects }
}

function rule(verbs: readonly string[], group: string, ...resources: readonly string[]): AccessRule {
  return { apiGroups: [group], resources, verbs }
}
