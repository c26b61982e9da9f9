import type { ResourceDefinition } from '../../resource.ts'
import { builtin } from './kind.ts'

const RBAC = 'rbac.authorization.k8s.io'
const AUTHORIZATION = 'authorization.k8s.io'
const AUTHENTICATION = 'authentication.k8s.io'
/** Questions: answered when they are made, and never kept. */
const ASKED: readonly string[] = ['create']

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
  builtin('SubjectAccessReview', {
    ...{ group: AUTHORIZATION, plural: 'subjectaccessreviews', verbs: ASKED, model: 'V1SubjectAccessReview' },
  }),
  builtin('LocalSubjectAccessReview', {
    ...{ group: AUTHORIZATION, plural: 'localsubjectaccessreviews', verbs: ASKED, namespaced: true },
    model: 'V1LocalSubjectAccessReview',
  }),
  builtin('SelfSubjectAccessReview', {
    ...{ group: AUTHORIZATION, plural: 'selfsubjectaccessreviews', verbs: ASKED, model: 'V1SelfSubjectAccessReview' },
  }),
  builtin('SelfSubjectRulesReview', {
    ...{ group: AUTHORIZATION, plural: 'selfsubjectrulesreviews', verbs: ASKED, model: 'V1SelfSubjectRulesReview' },
  }),
  builtin('TokenReview', { group: AUTHENTICATION, plural: 'tokenreviews', verbs: ASKED, model: 'V1TokenReview' }),
  builtin('SelfSubjectReview', {
    ...{ group: AUTHENTICATION, plural: 'selfsubjectreviews', verbs: ASKED, model: 'V1SelfSubjectReview' },
  }),
]
