import type { StructuralSchema } from '../resource.ts'

/** Lists whose items have owners one by one, by the fields that tell them apart; all other lists have one owner. */
const LIST_KEYS: Readonly<Record<string, readonly string[]>> = {
  'V1CertificateSigningRequestStatus.conditions': ['type'],
  ...container('V1Container'),
  ...container('V1EphemeralContainer'),
  'V1ContainerStatus.allocatedResourcesStatus': ['name'],
  'V1ContainerStatus.volumeMounts': ['mountPath'],
  'V1CustomResourceDefinitionStatus.conditions': ['type'],
  'V1DaemonSetStatus.conditions': ['type'],
  'V1DeploymentStatus.conditions': ['type'],
  'V1JSONSchemaProps.x-kubernetes-validations': ['rule'],
  'V1MutatingWebhook.matchConditions': ['name'],
  'V1MutatingWebhookConfiguration.webhooks': ['name'],
  'V1NamespaceStatus.conditions': ['type'],
  'V1NodeStatus.addresses': ['type'],
  'V1NodeStatus.conditions': ['type'],
  'V1PodDisruptionBudgetStatus.conditions': ['type'],
  'V1PodSpec.containers': ['name'],
  'V1PodSpec.ephemeralContainers': ['name'],
  'V1PodSpec.hostAliases': ['ip'],
  'V1PodSpec.imagePullSecrets': ['name'],
  'V1PodSpec.initContainers': ['name'],
  'V1PodSpec.resourceClaims': ['name'],
  'V1PodSpec.schedulingGates': ['name'],
  'V1PodSpec.topologySpreadConstraints': ['topologyKey', 'whenUnsatisfiable'],
  'V1PodSpec.volumes': ['name'],
  'V1PodStatus.conditions': ['type'],
  'V1PodStatus.podIPs': ['ip'],
  'V1PodStatus.resourceClaimStatuses': ['name'],
  'V1ReplicaSetStatus.conditions': ['type'],
  'V1ResourceRequirements.claims': ['name'],
  'V1ResourceStatus.resources': ['resourceID'],
  'V1ServiceAccount.secrets': ['name'],
  'V1ServiceSpec.ports': ['port', 'protocol'],
  'V1ServiceStatus.conditions': ['type'],
  'V1ValidatingWebhook.matchConditions': ['name'],
  'V1ValidatingWebhookConfiguration.webhooks': ['name'],
}

/** Lists of values that have owners one by one. */
const SETS = [
  'V1ContainerRestartRuleOnExitCodes.values',
  'V1Endpoint.addresses',
  'V1NodeAllocatableResourceClaimStatus.containers',
  'V1NodeSpec.podCIDRs',
  'V1PodFailurePolicyOnExitCodesRequirement.values',
  'V1UncountedTerminatedPods.failed',
  'V1UncountedTerminatedPods.succeeded',
]

/** Parts that an object of Kubernetes always has, if empty: so their coming is no change, unlike that of what is in them. */
export const ALWAYS_THERE: readonly string[] = [
  'V1CertificateSigningRequest.spec V1CertificateSigningRequest.status V1Container.resources V1EphemeralContainer.resources',
  'V1ContainerStatus.lastState V1ContainerStatus.state V1CustomResourceDefinition.spec V1CustomResourceDefinition.status',
  'V1CustomResourceDefinitionSpec.names V1CustomResourceDefinitionStatus.acceptedNames',
  'V1CustomResourceDefinitionStatus.conditions V1DaemonSet.spec V1DaemonSet.status V1DaemonSetSpec.template',
  'V1DaemonSetSpec.updateStrategy V1Deployment.spec V1Deployment.status V1DeploymentSpec.strategy',
  'V1DeploymentSpec.template V1Endpoint.addresses V1Endpoint.conditions V1Job.spec V1Job.status V1JobSpec.template',
  'V1Lease.spec V1MutatingWebhook.clientConfig V1Namespace.spec V1Namespace.status V1NetworkPolicy.spec V1Node.spec',
  'V1Node.status V1NodeDaemonEndpoints.kubeletEndpoint V1NodeStatus.daemonEndpoints V1NodeStatus.nodeInfo',
  'V1PersistentVolumeClaimSpec.resources V1PersistentVolumeClaimTemplate.spec V1PersistentVolumeClaimTemplate.metadata',
  'V1Pod.spec V1Pod.status V1PodDisruptionBudget.spec V1PodDisruptionBudget.status',
  'V1PodFailurePolicyOnExitCodesRequirement.values V1PodSpec.containers V1PodTemplateSpec.metadata V1PodTemplateSpec.spec',
  'V1PreferredSchedulingTerm.preference V1ReplicaSet.spec V1ReplicaSet.status V1ReplicaSetSpec.template V1Service.spec',
  'V1Service.status V1ServiceStatus.loadBalancer V1ValidatingWebhook.clientConfig V1WeightedPodAffinityTerm.podAffinityTerm',
  'CoreV1Event.source EventsV1Event.deprecatedSource',
].flatMap((line) => line.split(' '))

/** Who owns what of a field's value, as the markers of Kubernetes' own types say; by `Type.field`. */
export const OWNERSHIP_FACTS: ReadonlyMap<string, Partial<StructuralSchema>> = merged([
  ...Object.entries(LIST_KEYS).map(([field, keys]) => [field, keyed(keys)] as const),
  ...SETS.map((field) => [field, { 'x-kubernetes-list-type': 'set', 'x-skerry-repeats': true }] as const),
  ...ALWAYS_THERE.map((field) => [field, { 'x-skerry-always-there': true }] as const),
  ['V1PodSpec.nodeSelector', { 'x-kubernetes-map-type': 'atomic' }],
  ['V1ServiceSpec.selector', { 'x-kubernetes-map-type': 'atomic' }],
  ['V1ContainerPort.protocol', { default: 'TCP' }],
  ['V1ServicePort.protocol', { default: 'TCP' }],
])

/** Structures that have one owner as a whole. */
export const ATOMIC_TYPES: ReadonlySet<string> = new Set([
  'CoreV1EndpointPort',
  'DiscoveryV1EndpointPort',
  'RbacV1Subject',
  'V1ConfigMapKeySelector',
  'V1EndpointAddress',
  'V1FileKeySelector',
  'V1LabelSelector',
  'V1LocalObjectReference',
  'V1NodeSelector',
  'V1NodeSelectorTerm',
  'V1ObjectFieldSelector',
  'V1ObjectReference',
  'V1ResourceFieldSelector',
  'V1RoleRef',
  'V1SecretKeySelector',
  'V1TypedLocalObjectReference',
])

function container(type: string): Readonly<Record<string, readonly string[]>> {
  return {
    [`${type}.env`]: ['name'],
    [`${type}.ports`]: ['containerPort', 'protocol'],
    [`${type}.volumeDevices`]: ['devicePath'],
    [`${type}.volumeMounts`]: ['mountPath'],
  }
}

/** Kubernetes takes such lists with two items of the same key, unless its own rules refuse them. */
function keyed(keys: readonly string[]): Partial<StructuralSchema> {
  return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys, 'x-skerry-repeats': true }
}

/** All facts of a field, which may stand in several tables. */
function merged(
  facts: readonly (readonly [string, Partial<StructuralSchema>])[],
): ReadonlyMap<string, Partial<StructuralSchema>> {
  const map = new Map<string, Partial<StructuralSchema>>()
  for (const [field, fact] of facts) map.set(field, { ...map.get(field), ...fact })
  return map
}
