import type { Json } from '../../../schemas/index.ts'
import { ALWAYS_THERE } from '../builtin/index.ts'

// Data: what an API server publishes of the fields of its own kinds, beside what validation and ownership ask of them.

const SIGNALS = [
  'SIGABRT SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGIO SIGIOT SIGKILL SIGPIPE SIGPOLL SIGPROF SIGPWR',
  'SIGQUIT SIGRTMAX SIGRTMIN SIGSEGV SIGSTKFLT SIGSTOP SIGSYS SIGTERM SIGTRAP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1 SIGUSR2',
  'SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ',
  ...Array.from({ length: 14 }, (_, index) => `SIGRTMAX-${index + 1}`),
  ...Array.from({ length: 15 }, (_, index) => `SIGRTMIN+${index + 1}`),
].flatMap((line) => line.split(' '))

/** Values, and the fields that have one of them. */
const CHOICES: readonly (readonly [string, string])[] = [
  [
    'SCTP|TCP|UDP',
    'CoreV1EndpointPort.protocol DiscoveryV1EndpointPort.protocol V1ContainerPort.protocol V1NetworkPolicyPort.protocol V1PortStatus.protocol V1ServicePort.protocol',
  ],
  ['Localhost|RuntimeDefault|Unconfined', 'V1AppArmorProfile.type V1SeccompProfile.type'],
  ['None|ReadOnly|ReadWrite', 'V1AzureDiskVolumeSource.cachingMode'],
  ['Dedicated|Managed|Shared', 'V1AzureDiskVolumeSource.kind'],
  [
    'any|cert sign|client auth|code signing|content commitment|crl sign|data encipherment|decipher only|digital signature|email protection|encipher only|ipsec end system|ipsec tunnel|ipsec user|key agreement|key encipherment|microsoft sgc|netscape sgc|ocsp signing|s/mime|server auth|signing|timestamping',
    'V1CertificateSigningRequestSpec.usages',
  ],
  [
    'Always|IfNotPresent|Never',
    'V1Container.imagePullPolicy V1EphemeralContainer.imagePullPolicy V1ImageVolumeSource.pullPolicy',
  ],
  ['FallbackToLogsOnError|File', 'V1Container.terminationMessagePolicy V1EphemeralContainer.terminationMessagePolicy'],
  ['OnDelete|RollingUpdate', 'V1DaemonSetUpdateStrategy.type'],
  ['Recreate|RollingUpdate', 'V1DeploymentStrategy.type'],
  ['FQDN|IPv4|IPv6', 'V1EndpointSlice.addressType'],
  ['HTTP|HTTPS', 'V1HTTPGetAction.scheme'],
  ['|BlockDevice|CharDevice|Directory|DirectoryOrCreate|File|FileOrCreate|Socket', 'V1HostPathVolumeSource.type'],
  ['Indexed|NonIndexed', 'V1JobSpec.completionMode'],
  ['Failed|TerminatingOrFailed', 'V1JobSpec.podReplacementPolicy'],
  ['Fail|Ignore', 'V1MutatingWebhook.failurePolicy V1ValidatingWebhook.failurePolicy'],
  ['Equivalent|Exact', 'V1MutatingWebhook.matchPolicy V1ValidatingWebhook.matchPolicy'],
  ['IfNeeded|Never', 'V1MutatingWebhook.reinvocationPolicy'],
  ['None|NoneOnDryRun|Some|Unknown', 'V1MutatingWebhook.sideEffects V1ValidatingWebhook.sideEffects'],
  ['Active|Terminating', 'V1NamespaceStatus.phase'],
  ['Egress|Ingress', 'V1NetworkPolicySpec.policyTypes'],
  ['DoesNotExist|Exists|Gt|In|Lt|NotIn', 'V1NodeSelectorRequirement.operator'],
  ['Pending|Running|Terminated', 'V1NodeStatus.phase'],
  ['ReadOnlyMany|ReadWriteMany|ReadWriteOnce|ReadWriteOncePod', 'V1PersistentVolumeClaimSpec.accessModes'],
  ['Block|Filesystem', 'V1PersistentVolumeClaimSpec.volumeMode'],
  ['AlwaysAllow|IfHealthyBudget', 'V1PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy'],
  ['In|NotIn', 'V1PodFailurePolicyOnExitCodesRequirement.operator'],
  ['Count|FailIndex|FailJob|Ignore', 'V1PodFailurePolicyRule.action'],
  ['Always|OnRootMismatch', 'V1PodSecurityContext.fsGroupChangePolicy'],
  ['Merge|Strict', 'V1PodSecurityContext.supplementalGroupsPolicy'],
  ['ClusterFirst|ClusterFirstWithHostNet|Default|None', 'V1PodSpec.dnsPolicy'],
  ['Never|PreemptLowerPriority', 'V1PodSpec.preemptionPolicy'],
  ['Always|Never|OnFailure', 'V1PodSpec.restartPolicy'],
  ['Failed|Pending|Running|Succeeded|Unknown', 'V1PodStatus.phase'],
  ['BestEffort|Burstable|Guaranteed', 'V1PodStatus.qosClass'],
  ['*|CONNECT|CREATE|DELETE|UPDATE', 'V1RuleWithOperations.operations'],
  ['*|Cluster|Namespaced', 'V1RuleWithOperations.scope'],
  ['Default|Unmasked', 'V1SecurityContext.procMount'],
  ['Cluster|Local', 'V1ServiceSpec.externalTrafficPolicy V1ServiceSpec.internalTrafficPolicy'],
  ['|IPv4|IPv6', 'V1ServiceSpec.ipFamilies'],
  ['PreferDualStack|RequireDualStack|SingleStack', 'V1ServiceSpec.ipFamilyPolicy'],
  ['ClientIP|None', 'V1ServiceSpec.sessionAffinity'],
  ['ClusterIP|ExternalName|LoadBalancer|NodePort', 'V1ServiceSpec.type'],
  ['NoExecute|NoSchedule|PreferNoSchedule', 'V1Taint.effect V1Toleration.effect'],
  ['Equal|Exists|Gt|Lt', 'V1Toleration.operator'],
  ['Honor|Ignore', 'V1TopologySpreadConstraint.nodeAffinityPolicy V1TopologySpreadConstraint.nodeTaintsPolicy'],
  ['DoNotSchedule|ScheduleAnyway', 'V1TopologySpreadConstraint.whenUnsatisfiable'],
  ['FieldValueDuplicate|FieldValueForbidden|FieldValueInvalid|FieldValueRequired', 'V1ValidationRule.reason'],
  ['Bidirectional|HostToContainer|None', 'V1VolumeMount.mountPropagation'],
  [SIGNALS.sort().join('|'), 'V1ContainerStatus.stopSignal V1Lifecycle.stopSignal'],
]

/** The values that a field has one of, in the order of the alphabet. */
export const ENUMS: ReadonlyMap<string, readonly string[]> = new Map(
  CHOICES.flatMap(([values, fields]) => fields.split(' ').map((field) => [field, values.split('|')] as const)),
)

/** Fields whose zero is written, though they may be absent. */
export const ZERO_THERE = fieldSet([
  'CoreV1Event.reportingComponent CoreV1Event.reportingInstance V1ConfigMapEnvSource.name V1ConfigMapKeySelector.name',
  'V1ConfigMapProjection.name V1ConfigMapVolumeSource.name V1FileKeySelector.optional V1GRPCAction.service',
  'V1LocalObjectReference.name V1NodeRuntimeHandler.name V1RoleRef.apiGroup V1ScaleSpec.replicas V1SecretEnvSource.name',
  'V1SecretKeySelector.name V1SecretProjection.name V1AzureDiskVolumeSource.readOnly V1TokenRequestStatus.token',
  'V1PodFailurePolicyOnPodConditionsPattern.status V1PodDisruptionBudgetStatus.currentHealthy',
  'V1PodDisruptionBudgetStatus.desiredHealthy V1PodDisruptionBudgetStatus.disruptionsAllowed',
  'V1PodDisruptionBudgetStatus.expectedPods',
])

/** Fields that have to be there and have no default. */
export const WITHOUT_ZERO = fieldSet([
  'V1ContainerRestartRule.action V1ContainerRestartRuleOnExitCodes.operator V1ImageVolumeStatus.imageRef',
  'V1MutatingWebhook.sideEffects V1PodCertificateProjection.keyType V1PodCertificateProjection.signerName',
  'V1TokenReviewSpec.token V1ValidatingWebhook.sideEffects',
])

/** Structures that are there, if empty; those of kinds whose fields have owners are in ownership.ts. */
export const EMPTY_THERE = fieldSet([
  ...ALWAYS_THERE,
  'AuthenticationV1TokenRequest.spec AuthenticationV1TokenRequest.status CoreV1Event.involvedObject EventsV1Event.regarding',
  'V1Binding.target V1ClusterRoleBinding.roleRef V1RoleBinding.roleRef V1NetworkPolicySpec.podSelector V1Scale.spec V1Scale.status',
  'V1LocalSubjectAccessReview.spec V1LocalSubjectAccessReview.status V1SelfSubjectAccessReview.spec V1SelfSubjectAccessReview.status',
  'V1SelfSubjectReview.status V1SelfSubjectReviewStatus.userInfo V1SelfSubjectRulesReview.spec V1SelfSubjectRulesReview.status',
  'V1SubjectAccessReview.spec V1SubjectAccessReview.status V1TokenReview.spec V1TokenReview.status V1TokenReviewStatus.user',
  'V1Status.metadata',
])

export const DEFAULTS: Readonly<Record<string, Json>> = {
  'V1AzureDiskVolumeSource.cachingMode': 'ReadWrite',
  'V1AzureDiskVolumeSource.fsType': 'ext4',
  'V1AzureDiskVolumeSource.kind': 'Shared',
  'V1ContainerPort.protocol': 'TCP',
  'V1ISCSIVolumeSource.iscsiInterface': 'default',
  'V1RBDVolumeSource.keyring': '/etc/ceph/keyring',
  'V1RBDVolumeSource.pool': 'rbd',
  'V1RBDVolumeSource.user': 'admin',
  'V1ScaleIOVolumeSource.fsType': 'xfs',
  'V1ScaleIOVolumeSource.storageMode': 'ThinProvisioned',
  'V1ServicePort.protocol': 'TCP',
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const EXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity'

/** Structures that are no objects of fields, or of none that are known. */
export const LEAF_TYPES: Readonly<Record<string, { readonly [key: string]: Json }>> = {
  [`${META}.Time`]: { type: 'string', format: 'date-time' },
  [`${META}.MicroTime`]: { type: 'string', format: 'date-time' },
  [`${META}.FieldsV1`]: { type: 'object' },
  [`${META}.Patch`]: { type: 'object' },
  [QUANTITY]: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': {
    format: 'int-or-string',
    oneOf: [{ type: 'integer' }, { type: 'string' }],
  },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': { type: 'object' },
  [`${EXTENSIONS}.CustomResourceSubresourceStatus`]: { type: 'object' },
  [`${EXTENSIONS}.JSON`]: {},
  [`${EXTENSIONS}.JSONSchemaPropsOrArray`]: {},
  [`${EXTENSIONS}.JSONSchemaPropsOrBool`]: {},
  [`${EXTENSIONS}.JSONSchemaPropsOrStringArray`]: {},
}

/** Which of them a code of type-table.ts means. */
export const LEAF_OF_CODE: Readonly<Record<string, string>> = {
  t: `${META}.Time`,
  m: `${META}.MicroTime`,
  x: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
}

/** Which of them a field holds, or a list or map holds. */
export const LEAF_OF_FIELD: Readonly<Record<string, string>> = {
  'V1ContainerStatus.allocatedResources': QUANTITY,
  'V1NodeAllocatableResourceClaimStatus.resources': QUANTITY,
  'V1NodeStatus.allocatable': QUANTITY,
  'V1NodeStatus.capacity': QUANTITY,
  'V1PodSpec.overhead': QUANTITY,
  'V1PodStatus.allocatedResources': QUANTITY,
  'V1ResourceRequirements.limits': QUANTITY,
  'V1ResourceRequirements.requests': QUANTITY,
  'V1VolumeResourceRequirements.limits': QUANTITY,
  'V1VolumeResourceRequirements.requests': QUANTITY,
  'V1EmptyDirVolumeSource.sizeLimit': QUANTITY,
  'V1ResourceFieldSelector.divisor': QUANTITY,
  'V1ControllerRevision.data': 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  'V1ManagedFieldsEntry.fieldsV1': `${META}.FieldsV1`,
  'V1CustomResourceSubresources.status': `${EXTENSIONS}.CustomResourceSubresourceStatus`,
  'V1JSONSchemaProps.additionalItems': `${EXTENSIONS}.JSONSchemaPropsOrBool`,
  'V1JSONSchemaProps.additionalProperties': `${EXTENSIONS}.JSONSchemaPropsOrBool`,
  'V1JSONSchemaProps.default': `${EXTENSIONS}.JSON`,
  'V1JSONSchemaProps.enum': `${EXTENSIONS}.JSON`,
  'V1JSONSchemaProps.example': `${EXTENSIONS}.JSON`,
  'V1JSONSchemaProps.dependencies': `${EXTENSIONS}.JSONSchemaPropsOrStringArray`,
  'V1JSONSchemaProps.items': `${EXTENSIONS}.JSONSchemaPropsOrArray`,
}

/** Leaves whose own text stands at the fields that hold one. */
export const TEXT_OF_LEAF: ReadonlySet<string> = new Set([
  `${META}.MicroTime`,
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  `${EXTENSIONS}.JSONSchemaPropsOrArray`,
  `${EXTENSIONS}.JSONSchemaPropsOrBool`,
  `${EXTENSIONS}.JSONSchemaPropsOrStringArray`,
])

/** What else a structure says. */
export const TYPE_FACTS: Readonly<Record<string, { readonly [key: string]: Json }>> = {
  V1AppArmorProfile: union({ localhostProfile: 'LocalhostProfile' }, 'type'),
  V1SeccompProfile: union({ localhostProfile: 'LocalhostProfile' }, 'type'),
  V1OwnerReference: { 'x-kubernetes-map-type': 'atomic' },
  V1PodSchedulingGroup: union({ podGroupName: 'PodGroupName' }),
}

function union(fields: { readonly [key: string]: Json }, discriminator?: string): { readonly [key: string]: Json } {
  const named = discriminator === undefined ? {} : { discriminator }
  return { 'x-kubernetes-unions': [{ ...named, 'fields-to-discriminateBy': fields }] }
}

function fieldSet(lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(' ')))
}
