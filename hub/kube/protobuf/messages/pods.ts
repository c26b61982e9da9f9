/** Pods, and what makes them. Facts: generated.proto of the API packages of Kubernetes. */
export const PODS_MESSAGES: Readonly<Record<string, string>> = {
  Affinity: 'nodeAffinity:1:NodeAffinity podAffinity:2:PodAffinity podAntiAffinity:3:PodAntiAffinity',
  ContainerExtendedResourceRequest: 'containerName:1:string resourceName:2:string requestName:3:string',
  ControllerRevision: 'metadata:1:ObjectMeta data:2:RawExtension revision:3:int64',
  DaemonSet: 'metadata:1:ObjectMeta spec:2:DaemonSetSpec status:3:DaemonSetStatus',
  DaemonSetCondition: 'type:1:string status:2:string lastTransitionTime:3:Time reason:4:string message:5:string',
  DaemonSetSpec:
    'selector:1:LabelSelector template:2:PodTemplateSpec updateStrategy:3:DaemonSetUpdateStrategy minReadySeconds:4:int32 revisionHistoryLimit:6:int32?',
  DaemonSetStatus:
    'currentNumberScheduled:1:int32 numberMisscheduled:2:int32 desiredNumberScheduled:3:int32 numberReady:4:int32 observedGeneration:5:int64 updatedNumberScheduled:6:int32 numberAvailable:7:int32 numberUnavailable:8:int32 collisionCount:9:int32? conditions:10:*DaemonSetCondition',
  DaemonSetUpdateStrategy: 'type:1:string rollingUpdate:2:RollingUpdateDaemonSet',
  Deployment: 'metadata:1:ObjectMeta spec:2:DeploymentSpec status:3:DeploymentStatus',
  DeploymentCondition:
    'type:1:string status:2:string lastUpdateTime:6:Time lastTransitionTime:7:Time reason:4:string message:5:string',
  DeploymentSpec:
    'replicas:1:int32? selector:2:LabelSelector template:3:PodTemplateSpec strategy:4:DeploymentStrategy minReadySeconds:5:int32 revisionHistoryLimit:6:int32? paused:7:bool progressDeadlineSeconds:9:int32?',
  DeploymentStatus:
    'observedGeneration:1:int64 replicas:2:int32 updatedReplicas:3:int32 readyReplicas:7:int32 availableReplicas:4:int32 unavailableReplicas:5:int32 terminatingReplicas:9:int32? conditions:6:*DeploymentCondition collisionCount:8:int32?',
  DeploymentStrategy: 'type:1:string rollingUpdate:2:RollingUpdateDeployment',
  Eviction: 'metadata:1:ObjectMeta deleteOptions:2:DeleteOptions',
  EvictionResponder: 'name:1:string priority:2:int32?',
  HostAlias: 'ip:1:string hostnames:2:*string',
  HostIP: 'ip:1:string',
  Job: 'metadata:1:ObjectMeta spec:2:JobSpec status:3:JobStatus',
  JobCondition:
    'type:1:string status:2:string lastProbeTime:3:Time lastTransitionTime:4:Time reason:5:string message:6:string',
  JobSchedulingConfiguration: '',
  JobSpec:
    'parallelism:1:int32? completions:2:int32? activeDeadlineSeconds:3:int64? podFailurePolicy:11:PodFailurePolicy successPolicy:16:SuccessPolicy backoffLimit:7:int32? backoffLimitPerIndex:12:int32? maxFailedIndexes:13:int32? selector:4:LabelSelector manualSelector:5:bool? template:6:PodTemplateSpec ttlSecondsAfterFinished:8:int32? completionMode:9:string? suspend:10:bool? podReplacementPolicy:14:string? managedBy:15:string? scheduling:17:JobSchedulingConfiguration',
  JobStatus:
    'conditions:1:*JobCondition startTime:2:Time completionTime:3:Time active:4:int32 succeeded:5:int32 failed:6:int32 terminating:11:int32? completedIndexes:7:string failedIndexes:10:string? uncountedTerminatedPods:8:UncountedTerminatedPods ready:9:int32?',
  NodeAffinity:
    'requiredDuringSchedulingIgnoredDuringExecution:1:NodeSelector preferredDuringSchedulingIgnoredDuringExecution:2:*PreferredSchedulingTerm',
  NodeAllocatableMappedResources: 'name:1:string quantity:2:Quantity',
  NodeAllocatableOverheadResources: 'name:1:string perPod:2:Quantity perContainer:3:Quantity',
  NodeAllocatableResourceClaimStatus:
    'resourceClaimName:1:string containers:2:*string mapping:4:*NodeAllocatableMappedResources overhead:5:*NodeAllocatableOverheadResources',
  NodeSelector: 'nodeSelectorTerms:1:*NodeSelectorTerm',
  NodeSelectorRequirement: 'key:1:string operator:2:string values:3:*string',
  NodeSelectorTerm: 'matchExpressions:1:*NodeSelectorRequirement matchFields:2:*NodeSelectorRequirement',
  Pod: 'metadata:1:ObjectMeta spec:2:PodSpec status:3:PodStatus',
  PodAffinity:
    'requiredDuringSchedulingIgnoredDuringExecution:1:*PodAffinityTerm preferredDuringSchedulingIgnoredDuringExecution:2:*WeightedPodAffinityTerm',
  PodAffinityTerm:
    'labelSelector:1:LabelSelector namespaces:2:*string topologyKey:3:string namespaceSelector:4:LabelSelector matchLabelKeys:5:*string mismatchLabelKeys:6:*string',
  PodAntiAffinity:
    'requiredDuringSchedulingIgnoredDuringExecution:1:*PodAffinityTerm preferredDuringSchedulingIgnoredDuringExecution:2:*WeightedPodAffinityTerm',
  PodCondition:
    'type:1:string observedGeneration:7:int64 status:2:string lastProbeTime:3:Time lastTransitionTime:4:Time reason:5:string message:6:string',
  PodDNSConfig: 'nameservers:1:*string searches:2:*string options:3:*PodDNSConfigOption',
  PodDNSConfigOption: 'name:1:string value:2:string?',
  PodDisruptionBudget: 'metadata:1:ObjectMeta spec:2:PodDisruptionBudgetSpec status:3:PodDisruptionBudgetStatus',
  PodDisruptionBudgetSpec:
    'minAvailable:1:IntOrString? selector:2:LabelSelector maxUnavailable:3:IntOrString? unhealthyPodEvictionPolicy:4:string?',
  PodDisruptionBudgetStatus:
    'observedGeneration:1:int64 disruptedPods:2:%Time disruptionsAllowed:3:int32 currentHealthy:4:int32 desiredHealthy:5:int32 expectedPods:6:int32 conditions:7:*Condition',
  PodExtendedResourceClaimStatus: 'requestMappings:1:*ContainerExtendedResourceRequest resourceClaimName:2:string',
  PodFailurePolicy: 'rules:1:*PodFailurePolicyRule',
  PodFailurePolicyOnExitCodesRequirement: 'containerName:1:string? operator:2:string values:3:*int32',
  PodFailurePolicyOnPodConditionsPattern: 'type:1:string status:2:string',
  PodFailurePolicyRule:
    'action:1:string onExitCodes:2:PodFailurePolicyOnExitCodesRequirement onPodConditions:3:*PodFailurePolicyOnPodConditionsPattern',
  PodIP: 'ip:1:string',
  PodOS: 'name:1:string',
  PodReadinessGate: 'conditionType:1:string',
  PodResourceClaim: 'name:1:string resourceClaimName:3:string? resourceClaimTemplateName:4:string?',
  PodResourceClaimStatus: 'name:1:string resourceClaimName:2:string?',
  PodSchedulingGate: 'name:1:string',
  PodSchedulingGroup: 'podGroupName:1:string?',
  PodSecurityContext:
    'seLinuxOptions:1:SELinuxOptions windowsOptions:8:WindowsSecurityContextOptions runAsUser:2:int64? runAsGroup:6:int64? runAsNonRoot:3:bool? supplementalGroups:4:*int64 supplementalGroupsPolicy:12:string? fsGroup:5:int64? sysctls:7:*Sysctl fsGroupChangePolicy:9:string? seccompProfile:10:SeccompProfile appArmorProfile:11:AppArmorProfile seLinuxChangePolicy:13:string?',
  PodSpec:
    'volumes:1:*Volume initContainers:20:*Container containers:2:*Container ephemeralContainers:34:*EphemeralContainer restartPolicy:3:string terminationGracePeriodSeconds:4:int64? activeDeadlineSeconds:5:int64? dnsPolicy:6:string nodeSelector:7:%string serviceAccountName:8:string serviceAccount:9:string automountServiceAccountToken:21:bool? nodeName:10:string hostNetwork:11:bool hostPID:12:bool hostIPC:13:bool shareProcessNamespace:27:bool? securityContext:14:PodSecurityContext imagePullSecrets:15:*LocalObjectReference hostname:16:string subdomain:17:string affinity:18:Affinity schedulerName:19:string tolerations:22:*Toleration hostAliases:23:*HostAlias priorityClassName:24:string priority:25:int32? dnsConfig:26:PodDNSConfig readinessGates:28:*PodReadinessGate runtimeClassName:29:string? enableServiceLinks:30:bool? preemptionPolicy:31:string? overhead:32:%Quantity topologySpreadConstraints:33:*TopologySpreadConstraint setHostnameAsFQDN:35:bool? os:36:PodOS hostUsers:37:bool? schedulingGates:38:*PodSchedulingGate resourceClaims:39:*PodResourceClaim resources:40:ResourceRequirements hostnameOverride:41:string? schedulingGroup:43:PodSchedulingGroup evictionResponders:44:*EvictionResponder',
  PodStatus:
    'observedGeneration:17:int64 phase:1:string conditions:2:*PodCondition message:3:string reason:4:string nominatedNodeName:11:string hostIP:5:string hostIPs:16:*HostIP podIP:6:string podIPs:12:*PodIP startTime:7:Time initContainerStatuses:10:*ContainerStatus containerStatuses:8:*ContainerStatus qosClass:9:string ephemeralContainerStatuses:13:*ContainerStatus resize:14:string resourceClaimStatuses:15:*PodResourceClaimStatus extendedResourceClaimStatus:18:PodExtendedResourceClaimStatus allocatedResources:19:%Quantity resources:20:ResourceRequirements nodeAllocatableResourceClaimStatuses:21:*NodeAllocatableResourceClaimStatus volumeHealth:22:*PodVolumeHealth',
  PodTemplateSpec: 'metadata:1:ObjectMeta spec:2:PodSpec',
  PodVolumeHealth: 'name:1:string healthConditions:2:*VolumeHealthCondition lastTransitionTime:3:Time',
  PreferredSchedulingTerm: 'weight:1:int32 preference:2:NodeSelectorTerm',
  ReplicaSet: 'metadata:1:ObjectMeta spec:2:ReplicaSetSpec status:3:ReplicaSetStatus',
  ReplicaSetCondition: 'type:1:string status:2:string lastTransitionTime:3:Time reason:4:string message:5:string',
  ReplicaSetSpec: 'replicas:1:int32? minReadySeconds:4:int32 selector:2:LabelSelector template:3:PodTemplateSpec',
  ReplicaSetStatus:
    'replicas:1:int32 fullyLabeledReplicas:2:int32 readyReplicas:4:int32 availableReplicas:5:int32 terminatingReplicas:7:int32? observedGeneration:3:int64 conditions:6:*ReplicaSetCondition',
  RollingUpdateDaemonSet: 'maxUnavailable:1:IntOrString? maxSurge:2:IntOrString?',
  RollingUpdateDeployment: 'maxUnavailable:1:IntOrString? maxSurge:2:IntOrString?',
  Scale: 'metadata:1:ObjectMeta spec:2:ScaleSpec status:3:ScaleStatus',
  ScaleSpec: 'replicas:1:int32',
  ScaleStatus: 'replicas:1:int32 selector:2:string',
  SuccessPolicy: 'rules:1:*SuccessPolicyRule',
  SuccessPolicyRule: 'succeededIndexes:1:string? succeededCount:2:int32?',
  Sysctl: 'name:1:string value:2:string',
  Toleration: 'key:1:string operator:2:string value:3:string effect:4:string tolerationSeconds:5:int64?',
  TopologySpreadConstraint:
    'maxSkew:1:int32 topologyKey:2:string whenUnsatisfiable:3:string labelSelector:4:LabelSelector minDomains:5:int32? nodeAffinityPolicy:6:string? nodeTaintsPolicy:7:string? matchLabelKeys:8:*string',
  UncountedTerminatedPods: 'succeeded:1:*string failed:2:*string',
  VolumeHealthCondition: 'status:1:string reason:2:string message:3:string',
  WeightedPodAffinityTerm: 'weight:1:int32 podAffinityTerm:2:PodAffinityTerm',
}
