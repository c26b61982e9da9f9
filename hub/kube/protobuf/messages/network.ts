/** Kinds of the network. Facts: generated.proto of the API packages of Kubernetes. */
export const NETWORK_MESSAGES: Readonly<Record<string, string>> = {
  ClientIPConfig: 'timeoutSeconds:1:int32?',
  CoreEndpointPort: 'name:1:string port:2:int32 protocol:3:string appProtocol:4:string?',
  Endpoint:
    'addresses:1:*string conditions:2:EndpointConditions hostname:3:string? targetRef:4:ObjectReference deprecatedTopology:5:%string nodeName:6:string? zone:7:string? hints:8:EndpointHints',
  EndpointAddress: 'ip:1:string hostname:3:string nodeName:4:string? targetRef:2:ObjectReference',
  EndpointConditions: 'ready:1:bool? serving:2:bool? terminating:3:bool?',
  EndpointHints: 'forZones:1:*ForZone forNodes:2:*ForNode',
  EndpointPort: 'name:1:string? protocol:2:string? port:3:int32? appProtocol:4:string?',
  EndpointSlice: 'metadata:1:ObjectMeta addressType:4:string endpoints:2:*Endpoint ports:3:*EndpointPort',
  EndpointSubset: 'addresses:1:*EndpointAddress notReadyAddresses:2:*EndpointAddress ports:3:*CoreEndpointPort',
  Endpoints: 'metadata:1:ObjectMeta subsets:2:*EndpointSubset',
  ForNode: 'name:1:string',
  ForZone: 'name:1:string',
  IPBlock: 'cidr:1:string except:2:*string',
  LoadBalancerIngress: 'ip:1:string hostname:2:string ipMode:3:string? ports:4:*PortStatus',
  LoadBalancerStatus: 'ingress:1:*LoadBalancerIngress',
  NetworkPolicy: 'metadata:1:ObjectMeta spec:2:NetworkPolicySpec',
  NetworkPolicyEgressRule: 'ports:1:*NetworkPolicyPort to:2:*NetworkPolicyPeer',
  NetworkPolicyIngressRule: 'ports:1:*NetworkPolicyPort from:2:*NetworkPolicyPeer',
  NetworkPolicyPeer: 'podSelector:1:LabelSelector namespaceSelector:2:LabelSelector ipBlock:3:IPBlock',
  NetworkPolicyPort: 'protocol:1:string? port:2:IntOrString? endPort:3:int32?',
  NetworkPolicySpec:
    'podSelector:1:LabelSelector ingress:2:*NetworkPolicyIngressRule egress:3:*NetworkPolicyEgressRule policyTypes:4:*string',
  PortStatus: 'port:1:int32 protocol:2:string error:3:string?',
  Service: 'metadata:1:ObjectMeta spec:2:ServiceSpec status:3:ServiceStatus',
  ServicePort:
    'name:1:string protocol:2:string appProtocol:6:string? port:3:int32 targetPort:4:IntOrString nodePort:5:int32',
  ServiceSpec:
    'ports:1:*ServicePort selector:2:%string clusterIP:3:string clusterIPs:18:*string type:4:string externalIPs:5:*string sessionAffinity:7:string loadBalancerIP:8:string loadBalancerSourceRanges:9:*string externalName:10:string externalTrafficPolicy:11:string healthCheckNodePort:12:int32 publishNotReadyAddresses:13:bool sessionAffinityConfig:14:SessionAffinityConfig ipFamilies:19:*string ipFamilyPolicy:17:string? allocateLoadBalancerNodePorts:20:bool? loadBalancerClass:21:string? internalTrafficPolicy:22:string? trafficDistribution:23:string?',
  ServiceStatus: 'loadBalancer:1:LoadBalancerStatus conditions:2:*Condition',
  SessionAffinityConfig: 'clientIP:1:ClientIPConfig',
}
