import type { StructuralSchema } from '../resource.ts'

/** What the model classes do not say about a field of a structure: `Type.field`. */
export const FIELD_FACTS: Readonly<Record<string, Partial<StructuralSchema>>> = {
  'V1PodSpec.containers': mergedBy('name'),
  'V1PodSpec.initContainers': mergedBy('name'),
  'V1PodSpec.ephemeralContainers': mergedBy('name'),
  'V1PodSpec.volumes': mergedBy('name', 'merge,retainKeys'),
  'V1PodSpec.resourceClaims': mergedBy('name', 'merge,retainKeys'),
  'V1PodSpec.imagePullSecrets': mergedBy('name'),
  'V1PodSpec.hostAliases': mergedBy('ip'),
  'V1PodSpec.schedulingGates': mergedBy('name'),
  'V1PodSpec.topologySpreadConstraints': mergedBy('topologyKey', 'merge', false),
  'V1PodSpec.restartPolicy': { enum: ['Always', 'OnFailure', 'Never'] },
  'V1PodSpec.dnsPolicy': { enum: ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'] },
  'V1PodSpec.preemptionPolicy': { enum: ['PreemptLowerPriority', 'Never'] },
  'V1PodSpec.overhead': { additionalProperties: { 'x-kubernetes-int-or-string': true } },
  ...container('V1Container'),
  ...container('V1EphemeralContainer'),
  'V1ContainerPort.protocol': { enum: ['TCP', 'UDP', 'SCTP'] },
  'V1ContainerPort.containerPort': range(1, 65535),
  'V1ContainerPort.hostPort': range(0, 65535),
  'V1ResourceRequirements.limits': quantities(),
  'V1ResourceRequirements.requests': quantities(),
  'V1ResourceRequirements.claims': { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
  'V1VolumeResourceRequirements.limits': quantities(),
  'V1VolumeResourceRequirements.requests': quantities(),
  'V1EmptyDirVolumeSource.sizeLimit': quantity(),
  'V1ResourceFieldSelector.divisor': quantity(),
  'V1ContainerStatus.allocatedResources': quantities(),
  'V1ContainerStatus.allocatedResourcesStatus': mergedBy('name', 'merge', false),
  'V1ContainerStatus.volumeMounts': mergedBy('mountPath', 'merge', false),
  'V1PodStatus.allocatedResources': quantities(),
  'V1NodeAllocatableResourceClaimStatus.resources': quantities(),
  'V1PodStatus.conditions': mergedBy('type'),
  'V1PodStatus.podIPs': mergedBy('ip'),
  'V1PodStatus.hostIPs': { 'x-kubernetes-patch-strategy': 'merge', 'x-kubernetes-patch-merge-key': 'ip' },
  'V1PodStatus.resourceClaimStatuses': mergedBy('name', 'merge,retainKeys'),
  'V1NodeSpec.podCIDRs': { 'x-kubernetes-patch-strategy': 'merge', 'x-kubernetes-list-type': 'set' },
  'V1NodeStatus.conditions': mergedBy('type'),
  'V1NodeStatus.addresses': { 'x-kubernetes-patch-strategy': 'merge', 'x-kubernetes-patch-merge-key': 'type' },
  'V1NodeStatus.capacity': quantities(),
  'V1NodeStatus.allocatable': quantities(),
  'V1Taint.effect': { enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] },
  'V1Toleration.effect': { enum: ['', 'NoSchedule', 'PreferNoSchedule', 'NoExecute'] },
  'V1Toleration.operator': { enum: ['', 'Equal', 'Exists', 'Lt', 'Gt'] },
  'V1NamespaceStatus.conditions': mergedBy('type'),
  'V1DeploymentStrategy.type': { enum: ['Recreate', 'RollingUpdate'] },
  'V1DeploymentStrategy.rollingUpdate': { nullable: true },
  'V1DeploymentSpec.strategy': { 'x-kubernetes-patch-strategy': 'retainKeys' },
  'V1DeploymentStatus.conditions': mergedBy('type'),
  'V1ReplicaSetStatus.conditions': mergedBy('type'),
  'V1DaemonSetUpdateStrategy.type': { enum: ['RollingUpdate', 'OnDelete'] },
  'V1DaemonSetStatus.conditions': mergedBy('type'),
  'V1JobSpec.completionMode': { enum: ['NonIndexed', 'Indexed'] },
  'V1JobSpec.podReplacementPolicy': { enum: ['Failed', 'TerminatingOrFailed'] },
  'V1JobStatus.conditions': {
    'x-kubernetes-patch-strategy': 'merge',
    'x-kubernetes-patch-merge-key': 'type',
    'x-kubernetes-list-type': 'atomic',
  },
  'V1PodFailurePolicyRule.action': { enum: ['Count', 'FailIndex', 'FailJob', 'Ignore'] },
  'V1PodFailurePolicyOnExitCodesRequirement.operator': { enum: ['In', 'NotIn'] },
  'V1PodFailurePolicyOnPodConditionsPattern.status': { enum: ['False', 'True', 'Unknown'] },
  'V1PodDisruptionBudgetSpec.selector': { 'x-kubernetes-patch-strategy': 'replace' },
  'V1PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy': { enum: ['AlwaysAllow', 'IfHealthyBudget'] },
  'V1PodDisruptionBudgetStatus.conditions': mergedBy('type'),
  'V1ServiceSpec.ports': {
    'x-kubernetes-patch-strategy': 'merge',
    'x-kubernetes-patch-merge-key': 'port',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['port', 'protocol'],
  },
  'V1ServiceStatus.conditions': mergedBy('type'),
  'V1ServiceAccount.secrets': mergedBy('name'),
  'V1ServiceAccount.imagePullSecrets': { 'x-kubernetes-list-type': 'atomic' },
  // The rules of webhooks say what is wrong with them.
  'V1ValidatingWebhookConfiguration.webhooks': mergedBy('name', 'merge', false),
  'V1MutatingWebhookConfiguration.webhooks': mergedBy('name', 'merge', false),
  'V1ValidatingWebhook.matchConditions': mergedBy('name', 'merge', false),
  'V1MutatingWebhook.matchConditions': mergedBy('name', 'merge', false),
  'V1JSONSchemaProps.x-kubernetes-validations': mergedBy('rule', 'merge', false),
}

/**
 * Structures whose required fields are asked for. Of others (mostly those inside of a status) an API server takes what
 * it gets, although their documentation calls fields required.
 */
export const ENFORCED: ReadonlySet<string> = new Set([
  'V1PodSpec',
  'V1Container',
  'V1EphemeralContainer',
  'V1ContainerPort',
  'V1EnvVar',
  'V1KeyToPath',
  'V1Volume',
  'V1VolumeDevice',
  'V1VolumeMount',
  'V1Taint',
  'V1HTTPGetAction',
  'V1TCPSocketAction',
  'V1HostPathVolumeSource',
  'V1PersistentVolumeClaimVolumeSource',
  'V1LabelSelectorRequirement',
  'V1NodeSelectorRequirement',
  'V1ValidatingWebhook',
  'V1MutatingWebhook',
  'V1MatchCondition',
  'V1PodFailurePolicyRule',
  'V1PodFailurePolicyOnExitCodesRequirement',
  'V1PodFailurePolicyOnPodConditionsPattern',
])

function container(type: string): Readonly<Record<string, Partial<StructuralSchema>>> {
  return {
    [`${type}.env`]: mergedBy('name', 'merge', false),
    [`${type}.ports`]: mergedBy('containerPort', 'merge', false),
    [`${type}.volumeMounts`]: mergedBy('mountPath'),
    [`${type}.volumeDevices`]: mergedBy('devicePath'),
    [`${type}.imagePullPolicy`]: { enum: ['Always', 'IfNotPresent', 'Never'] },
    [`${type}.terminationMessagePolicy`]: { enum: ['File', 'FallbackToLogsOnError'] },
  }
}

/** A list that strategic merge patches merge by a key; two items with one key are denied where `isUnique`. */
function mergedBy(key: string, strategy = 'merge', isUnique = true): Partial<StructuralSchema> {
  return {
    'x-kubernetes-patch-strategy': strategy,
    'x-kubernetes-patch-merge-key': key,
    ...(isUnique ? { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] } : {}),
  }
}

/** A number between two others, both included. */
function range(minimum: number, maximum: number): Partial<StructuralSchema> {
  return { minimum, maximum, 'x-skerry-range': true }
}

function quantities(): Partial<StructuralSchema> {
  return { additionalProperties: quantity() }
}

/** `1`, `"500m"`, `"2Gi"`. */
function quantity(): StructuralSchema {
  return { 'x-kubernetes-int-or-string': true }
}
