import type { ResourceDefinition } from '../../resource.ts'
import { builtin } from './kind.ts'

const RBAC = 'rbac.authorization.k8s.io'

/** Kinds that say who may do what. */
export const ACCESS_KINDS: readonly ResourceDefinition[] = [
  builtin('Role', { group: RBAC, plural: 'roles', namespaced: true, model: 'V1Role' }),
  builtin('RoleBinding', { group: RBAC, plural: 'rolebindings', namespaced: true, model: 'V1RoleBinding' }),
  builtin('ClusterRole', { group: RBAC, plural: 'clusterroles', model: 'V1ClusterRole' }),
  builtin('ClusterRoleBinding', { group: RBAC, plural: 'clusterrolebindings', model: 'V1ClusterRoleBinding' }),
  builtin('CertificateSigningRequest', {
    group: 'certificates.k8s.io',
    plural: 'certificatesigningrequests',
    shortNames: ['csr'],
    status: true,
    parts: ['approval'],
    model: 'V1CertificateSigningRequest',
  }),
]
