import { OBJECT_METADATA, type Words } from './words.ts'

/** Services, what is behind them, and who may talk to whom. */
export function networkWords(): Words {
  return {
    V1Service: {
      metadata: OBJECT_METADATA,
      spec: 'Which ports are offered, to whom, and which pods are behind them.',
      status: 'Where the load balancer of the Service is reached, once it has one.',
    },
    V1ServiceSpec: {
      sessionAffinityConfig: 'How long a client stays with one pod. Only with sessionAffinity ClientIP.',
    },
    V1ServicePort: {
      targetPort:
        'The port of the pods: a number from 1 to 65535, or a name, which is looked up in the ports of each pod. Default: the value of port. Ignored where clusterIP is None.',
    },
    V1ServiceStatus: { loadBalancer: 'Addresses of the load balancer; empty while there is none.' },
    V1SessionAffinityConfig: { clientIP: 'For how many seconds one address is sent to one pod.' },
    V1Endpoints: { metadata: 'The name is that of the Service behind which the addresses are.' },
    V1EndpointAddress: { targetRef: 'The object that has the address, as a rule a Pod.' },
    V1EndpointSlice: {
      metadata: 'The label kubernetes.io/service-name says to which Service the endpoints belong.',
    },
    V1Endpoint: {
      conditions: 'Whether the endpoint can be used at present: ready, serving, terminating.',
      hints: 'Which zones and nodes should use this endpoint before others.',
      targetRef: 'The object that has the addresses, as a rule a Pod.',
    },
    V1NetworkPolicy: {
      metadata: OBJECT_METADATA,
      spec: 'For which pods the policy is, and what may reach them or be reached by them.',
    },
    V1NetworkPolicySpec: {
      podSelector: 'For which pods of the namespace the policy is, by their labels. Empty: for all.',
    },
    V1NetworkPolicyPeer: {
      ipBlock: 'A range of addresses. Stands alone: not together with podSelector or namespaceSelector.',
      namespaceSelector:
        'Namespaces, by their labels: all of their pods, or only those that podSelector matches. Empty: all namespaces.',
      podSelector:
        'Pods, by their labels: of the namespaces that namespaceSelector matches, without one of the namespace of the policy. Empty: all of them.',
    },
    V1NetworkPolicyPort: {
      port: 'The port: a number from 1 to 65535, or the name of a port of the pods. Absent: every port.',
    },
  }
}
