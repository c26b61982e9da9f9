import type { JsonObject } from '../../../../schemas/index.ts'
import type { ApiObject } from '../../resource.ts'
import { clusterRole, READ, READ_UPDATE, to, toEvents, toNamed, toPaths } from './objects.ts'

const CERTIFICATES = 'certificates.k8s.io'
const COORDINATION = 'coordination.k8s.io'
const HEALTH = ['/healthz', '/livez', '/readyz']

/** Rights of everybody, and of the components that people run against this API. */
export const SYSTEM_ROLES: readonly ApiObject[] = [
  clusterRole('cluster-admin', [to(['*'], '*', '*'), { verbs: ['*'], nonResourceURLs: ['*'] }]),
  clusterRole('system:discovery', [
    toPaths(...HEALTH, '/version', '/version/', '/openapi', '/openapi/*', '/api', '/api/*', '/apis', '/apis/*'),
  ]),
  clusterRole('system:monitoring', [
    toPaths('/metrics', '/metrics/slis', ...HEALTH, ...HEALTH.map((path) => `${path}/*`)),
    to(['get'], '', 'nodes/metrics'),
  ]),
  clusterRole('system:basic-user', [
    to(['create'], 'authorization.k8s.io', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews'),
    to(['create'], 'authentication.k8s.io', 'selfsubjectreviews'),
  ]),
  // Kubernetes shows its version to everybody, too.
  clusterRole('system:public-info-viewer', [toPaths(...HEALTH)]),
  clusterRole('system:auth-delegator', reviewRules()),
  clusterRole('system:node', nodeRules()),
  clusterRole('system:node-bootstrapper', [to(['create', ...READ], CERTIFICATES, 'certificatesigningrequests')]),
  clusterRole('system:node-problem-detector', [
    to(['get'], '', 'nodes'),
    to(['patch'], '', 'nodes/status'),
    toEvents(['create', 'patch', 'update']),
  ]),
  clusterRole('system:kube-controller-manager', controllerRules()),
  clusterRole('system:kube-scheduler', schedulerRules()),
  ...['nodeclient', 'selfnodeclient'].map((name) =>
    clusterRole(`system:${CERTIFICATES}:certificatesigningrequests:${name}`, [
      to(['create'], CERTIFICATES, `certificatesigningrequests/${name}`),
    ]),
  ),
  ...['kube-apiserver-client', 'kube-apiserver-client-kubelet', 'kubelet-serving', 'legacy-unknown'].map((signer) =>
    clusterRole(`system:${CERTIFICATES}:${signer}-approver`, [
      toNamed(['approve'], CERTIFICATES, 'signers', `kubernetes.io/${signer}`),
    ]),
  ),
]

function reviewRules(): readonly JsonObject[] {
  return [
    to(['create'], 'authentication.k8s.io', 'tokenreviews'),
    to(['create'], 'authorization.k8s.io', 'subjectaccessreviews'),
  ]
}

function nodeRules(): readonly JsonObject[] {
  return [
    to(['create'], 'authentication.k8s.io', 'tokenreviews'),
    to(['create'], 'authorization.k8s.io', 'subjectaccessreviews', 'localsubjectaccessreviews'),
    to(READ, '', 'services'),
    to(['create', ...READ, 'update', 'patch'], '', 'nodes'),
    to(['update', 'patch'], '', 'nodes/status'),
    toEvents(['create', 'update', 'patch']),
    to([...READ, 'create', 'delete'], '', 'pods'),
    to(['update', 'patch'], '', 'pods/status'),
    to(['create'], '', 'pods/eviction'),
    to(READ, '', 'secrets', 'configmaps'),
    to(['get'], '', 'persistentvolumeclaims', 'persistentvolumes', 'endpoints', 'serviceaccounts'),
    to(['get', 'update', 'patch'], '', 'persistentvolumeclaims/status'),
    to(['create'], '', 'serviceaccounts/token'),
    to(['create', ...READ], CERTIFICATES, 'certificatesigningrequests'),
    to(['get', 'create', 'update', 'patch', 'delete'], COORDINATION, 'leases'),
    to(['get'], 'storage.k8s.io', 'volumeattachments'),
    to(READ, 'storage.k8s.io', 'csidrivers'),
    to(['get', 'create', 'update', 'patch', 'delete'], 'storage.k8s.io', 'csinodes'),
    to(READ, 'node.k8s.io', 'runtimeclasses'),
    to(['get'], 'resource.k8s.io', 'resourceclaims'),
    to(['deletecollection'], 'resource.k8s.io', 'resourceslices'),
  ]
}

function controllerRules(): readonly JsonObject[] {
  return [
    toEvents(['create', 'patch', 'update']),
    to(['create'], COORDINATION, 'leases'),
    toNamed(['get', 'update'], COORDINATION, 'leases', 'kube-controller-manager'),
    to(['create', 'get', 'update'], '', 'secrets', 'serviceaccounts'),
    to(['delete'], '', 'secrets'),
    to(['get'], '', 'namespaces', 'configmaps'),
    ...reviewRules(),
    to(['list', 'watch'], '*', '*'),
    to(['create'], '', 'serviceaccounts/token'),
  ]
}

function schedulerRules(): readonly JsonObject[] {
  return [
    toEvents(['create', 'patch', 'update']),
    to(['create'], COORDINATION, 'leases'),
    toNamed(['get', 'update', 'list', 'watch'], COORDINATION, 'leases', 'kube-scheduler'),
    to(READ, '', 'nodes', 'services', 'replicationcontrollers', 'namespaces'),
    to([...READ, 'delete'], '', 'pods'),
    to(['create'], '', 'pods/binding', 'bindings'),
    to(['patch', 'update'], '', 'pods/status'),
    to(READ, 'apps', 'replicasets', 'statefulsets'),
    to(READ, 'policy', 'poddisruptionbudgets'),
    to(READ_UPDATE, '', 'persistentvolumeclaims', 'persistentvolumes'),
    ...reviewRules(),
    to(READ, 'storage.k8s.io', 'csinodes', 'csidrivers', 'csistoragecapacities', 'storageclasses', 'volumeattachments'),
    to(READ, 'resource.k8s.io', 'deviceclasses', 'resourceslices'),
    to(READ_UPDATE, 'resource.k8s.io', 'resourceclaims', 'resourceclaims/status'),
    to(['update'], '', 'pods/finalizers'),
  ]
}
