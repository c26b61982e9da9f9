/** Objects of the core group but Pods, and those that go with them. Facts: generated.proto of the API packages of Kubernetes. */
export const CORE_MESSAGES: Readonly<Record<string, string>> = {
  AttachedVolume: 'name:1:string devicePath:2:string',
  Binding: 'metadata:1:ObjectMeta target:2:ObjectReference',
  ConfigMap: 'metadata:1:ObjectMeta immutable:4:bool? data:2:%string binaryData:3:%bytes',
  ConfigMapNodeConfigSource:
    'namespace:1:string name:2:string uid:3:string resourceVersion:4:string kubeletConfigKey:5:string',
  ContainerImage: 'names:1:*string sizeBytes:2:int64',
  DaemonEndpoint: 'Port:1:int32',
  Event:
    'metadata:1:ObjectMeta involvedObject:2:ObjectReference reason:3:string message:4:string source:5:EventSource firstTimestamp:6:Time lastTimestamp:7:Time count:8:int32 type:9:string eventTime:10:MicroTime series:11:EventSeries action:12:string related:13:ObjectReference reportingComponent:14:string reportingInstance:15:string',
  EventSeries: 'count:1:int32 lastObservedTime:2:MicroTime',
  EventSource: 'component:1:string host:2:string',
  EventsEvent:
    'metadata:1:ObjectMeta eventTime:2:MicroTime series:3:EventsEventSeries reportingController:4:string reportingInstance:5:string action:6:string reason:7:string regarding:8:ObjectReference related:9:ObjectReference note:10:string type:11:string deprecatedSource:12:EventSource deprecatedFirstTimestamp:13:Time deprecatedLastTimestamp:14:Time deprecatedCount:15:int32',
  EventsEventSeries: 'count:1:int32 lastObservedTime:2:MicroTime',
  Lease: 'metadata:1:ObjectMeta spec:2:LeaseSpec',
  LeaseSpec:
    'holderIdentity:1:string? leaseDurationSeconds:2:int32? acquireTime:3:MicroTime renewTime:4:MicroTime leaseTransitions:5:int32? strategy:6:string? preferredHolder:7:string?',
  Namespace: 'metadata:1:ObjectMeta spec:2:NamespaceSpec status:3:NamespaceStatus',
  NamespaceCondition: 'type:1:string status:2:string lastTransitionTime:4:Time reason:5:string message:6:string',
  NamespaceSpec: 'finalizers:1:*string',
  NamespaceStatus: 'phase:1:string conditions:2:*NamespaceCondition',
  Node: 'metadata:1:ObjectMeta spec:2:NodeSpec status:3:NodeStatus',
  NodeAddress: 'type:1:string address:2:string',
  NodeCondition:
    'type:1:string status:2:string lastHeartbeatTime:3:Time lastTransitionTime:4:Time reason:5:string message:6:string',
  NodeConfigSource: 'configMap:2:ConfigMapNodeConfigSource',
  NodeConfigStatus:
    'assigned:1:NodeConfigSource active:2:NodeConfigSource lastKnownGood:3:NodeConfigSource error:4:string',
  NodeDaemonEndpoints: 'kubeletEndpoint:1:DaemonEndpoint',
  NodeFeatures: 'supplementalGroupsPolicy:1:bool?',
  NodePodPreemptionPolicy: 'disableResizePreemption:1:*string',
  NodeRuntimeHandler: 'name:1:string features:2:NodeRuntimeHandlerFeatures',
  NodeRuntimeHandlerFeatures: 'recursiveReadOnlyMounts:1:bool? userNamespaces:2:bool?',
  NodeSpec:
    'podCIDR:1:string podCIDRs:7:*string providerID:3:string unschedulable:4:bool taints:5:*Taint configSource:6:NodeConfigSource externalID:2:string podPreemptionPolicy:8:NodePodPreemptionPolicy',
  NodeStatus:
    'capacity:1:%Quantity allocatable:2:%Quantity phase:3:string conditions:4:*NodeCondition addresses:5:*NodeAddress daemonEndpoints:6:NodeDaemonEndpoints nodeInfo:7:NodeSystemInfo images:8:*ContainerImage volumesInUse:9:*string volumesAttached:10:*AttachedVolume config:11:NodeConfigStatus runtimeHandlers:12:*NodeRuntimeHandler features:13:NodeFeatures declaredFeatures:14:*string',
  NodeSwapStatus: 'capacity:1:int64?',
  NodeSystemInfo:
    'machineID:1:string systemUUID:2:string bootID:3:string kernelVersion:4:string osImage:5:string containerRuntimeVersion:6:string kubeletVersion:7:string kubeProxyVersion:8:string operatingSystem:9:string architecture:10:string swap:11:NodeSwapStatus',
  ObjectReference:
    'kind:1:string namespace:2:string name:3:string uid:4:string apiVersion:5:string resourceVersion:6:string fieldPath:7:string',
  Secret: 'metadata:1:ObjectMeta immutable:5:bool? data:2:%bytes stringData:4:%string type:3:string',
  ServiceAccount:
    'metadata:1:ObjectMeta secrets:2:*ObjectReference imagePullSecrets:3:*LocalObjectReference automountServiceAccountToken:4:bool?',
  Taint: 'key:1:string value:2:string effect:3:string timeAdded:4:Time',
}
