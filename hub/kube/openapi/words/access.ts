import { OBJECT_METADATA, type Words } from './words.ts'

const UNKEPT = 'Of no effect: a review is answered and not kept.'
const ANSWER = 'The answer, written by the API.'
const ROLE_REF = 'The role that is given. It cannot be changed: delete the binding and make another.'
const ASKED = {
  nonResourceAttributes:
    'Asks about a path that is no resource, such as /healthz. Either this or resourceAttributes has to be set.',
  resourceAttributes:
    'Asks about a verb on a resource, in one namespace or in all. Either this or nonResourceAttributes has to be set.',
}

/** Who is who, and who may do what. */
export function accessWords(): Words {
  return {
    V1Role: { metadata: OBJECT_METADATA },
    V1ClusterRole: {
      aggregationRule:
        'Which other ClusterRoles make up this one, by their labels: its rules are theirs, kept up to date, and any written here are replaced.',
      metadata: OBJECT_METADATA,
    },
    V1RoleBinding: {
      metadata: OBJECT_METADATA,
      roleRef: `${ROLE_REF} A Role of the same namespace, or a ClusterRole, which then holds in this namespace alone.`,
    },
    V1ClusterRoleBinding: { metadata: OBJECT_METADATA, roleRef: `${ROLE_REF} A ClusterRole.` },
    V1SubjectAccessReview: { metadata: UNKEPT, spec: 'Who wants to do what.', status: ANSWER },
    V1LocalSubjectAccessReview: {
      metadata: UNKEPT,
      spec: 'Who wants to do what. The namespace asked about has to be that of the request.',
      status: ANSWER,
    },
    V1SelfSubjectAccessReview: { metadata: UNKEPT, spec: 'What whoever asks wants to do.', status: ANSWER },
    V1SelfSubjectRulesReview: {
      metadata: UNKEPT,
      spec: 'In which namespace whoever asks wants to know the own rights.',
      status: `${ANSWER} It may lack rights that are not given by roles.`,
    },
    V1SubjectAccessReviewSpec: ASKED,
    V1SelfSubjectAccessReviewSpec: ASKED,
    V1ResourceAttributes: {
      fieldSelector:
        'Asks about those objects alone that the field selector matches. It can turn a no into a yes, for less; it never asks for more.',
      labelSelector:
        'Asks about those objects alone that the label selector matches. It can turn a no into a yes, for less; it never asks for more.',
    },
    V1TokenReview: { metadata: UNKEPT, spec: 'The token that is asked about.', status: ANSWER },
    V1TokenReviewStatus: { user: 'Whose token it is. Only where authenticated is true.' },
    V1SelfSubjectReview: { metadata: UNKEPT, status: ANSWER },
    V1SelfSubjectReviewStatus: { userInfo: 'As whom the API knows whoever asks: name, uid, groups and more.' },
    AuthenticationV1TokenRequest: {
      metadata: UNKEPT,
      spec: 'For whom the token is, how long it holds, and with which object it ends.',
      status: 'The token, and when it expires.',
    },
    V1TokenRequestSpec: {
      boundObjectRef:
        'A Pod, Node or Secret: the token ends with it. Default: the token ends when it expires or with its account.',
    },
    V1CertificateSigningRequest: {
      metadata: OBJECT_METADATA,
      spec: 'What is to be signed, by which signer, and who asked. It cannot be changed later.',
      status: 'Whether it was approved or denied, and the certificate once it is signed.',
    },
  }
}
