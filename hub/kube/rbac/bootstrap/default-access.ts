import type { ApiObject } from '../../resource.ts'
import { bound, group, READ, role, toNamed, user } from './objects.ts'
import { SYSTEM_ROLES } from './system-roles.ts'
import { WORKLOAD_ROLES } from './workload-roles.ts'

export const EVERYBODY = 'system:authenticated'
export const ANONYMOUS = 'system:unauthenticated'

/** The roles and bindings that every cluster has, as far as there is something here that they speak of. */
export const DEFAULT_ACCESS: readonly ApiObject[] = [
  ...SYSTEM_ROLES,
  ...WORKLOAD_ROLES,
  // For those who look at client certificates as API servers do.
  role('kube-system', 'extension-apiserver-authentication-reader', [
    toNamed(READ, '', 'configmaps', 'extension-apiserver-authentication'),
  ]),
  bound('cluster-admin', [group('system:masters')]),
  bound('system:monitoring', [group('system:monitoring')]),
  bound('system:discovery', [group(EVERYBODY)]),
  bound('system:basic-user', [group(EVERYBODY)]),
  bound('system:public-info-viewer', [group(EVERYBODY), group(ANONYMOUS)]),
  bound('system:kube-controller-manager', [user('system:kube-controller-manager')]),
  bound('system:kube-scheduler', [user('system:kube-scheduler')]),
  // Kubelets are admitted by a ClusterRoleBinding of the administrator: gateways speak through CloudHub instead.
  bound('system:node', []),
]
