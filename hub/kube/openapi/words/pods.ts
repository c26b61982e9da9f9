import { OBJECT_METADATA, type Words } from './words.ts'

/** Pods, and where they go. */
export function podWords(): Words {
  return {
    V1Pod: {
      metadata: OBJECT_METADATA,
      spec: 'Which containers are to run, with which volumes, and where. Little of it can be changed once the pod exists.',
      status: 'How the pod and its containers are, as the node last reported.',
    },
    V1PodTemplateSpec: {
      metadata: 'Labels, annotations and finalizers of the pods that are made. Their names are made up for each.',
      spec: 'What the pods that are made are to run.',
    },
    V1PodSpec: {
      affinity: 'To which nodes, and near or away from which pods, the pod must or should go.',
      dnsConfig:
        'Name servers, search domains and options of the resolver, added to those that dnsPolicy makes. With dnsPolicy None they are all there is.',
      os: 'The operating system that the containers need: linux or windows. Fields that only the other one has must not be set then.',
      resources:
        'What all containers together need and may use: cpu, memory and hugepages-*. What a container says of itself counts within it.',
      schedulingGroup: 'The PodGroup with which the pod is scheduled.',
      securityContext:
        'User, groups, SELinux, seccomp and further rights of all containers. What a container says of itself goes before it. Default: empty.',
    },
    V1PodStatus: {
      extendedResourceClaimStatus:
        'The ResourceClaim that was made for extended resources which a driver of dynamic resource allocation provides.',
      resources: 'The requests and limits of the pod as a whole that are in force on the node.',
    },
    V1PodSecurityContext: securityContext('the containers'),
    V1Affinity: {
      nodeAffinity: 'To which nodes the pod must or should go, by their labels and names.',
      podAffinity:
        'Near which pods the pod must or should run: on the same node, or in the same zone or other topology.',
      podAntiAffinity:
        'Away from which pods the pod must or should run: on another node, or in another zone or other topology.',
    },
    V1NodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution:
        'What a node must fulfil for the pod to go there. Where no node does, the pod stays Pending. A pod that runs stays, whatever becomes of the labels.',
    },
    V1PreferredSchedulingTerm: {
      preference: 'What a node should fulfil: those that do are worth the weight more.',
    },
    V1WeightedPodAffinityTerm: {
      podAffinityTerm:
        'Which pods are meant, and how near counts as near. Nodes that fulfil it are worth the weight more.',
    },
    V1PodAffinityTerm: {
      labelSelector: 'Which pods are meant, by their labels. Absent: none.',
      namespaceSelector:
        'In which namespaces pods are looked for, by labels of the namespaces, in addition to those in namespaces. Empty: in all. Absent: only in those listed, or in that of the pod.',
    },
    V1TopologySpreadConstraint: {
      labelSelector: 'Which pods of the same namespace are counted, by their labels. Absent: none.',
    },
    V1Binding: {
      metadata: 'Name and namespace of the pod that is placed.',
      target: 'The Node that the pod is to run on.',
    },
    V1Eviction: {
      deleteOptions: 'How the pod is deleted: grace period, preconditions, dry run.',
      metadata: 'Name and namespace of the pod that is to go.',
    },
  }
}

/** What a pod and a container say alike. */
export function securityContext(whom: string): Readonly<Record<string, string>> {
  return {
    appArmorProfile: `Which AppArmor profile confines ${whom}. Linux only. Default: that of the container runtime.`,
    seLinuxOptions: `User, role, type and level of the SELinux context of ${whom}. Linux only. Default: a context that the runtime makes up.`,
    seccompProfile: `Which system calls ${whom} may make. Linux only. Default: all, unless the kubelet of the node gives every pod the profile of the runtime.`,
    windowsOptions: `User name, credentials and isolation of ${whom} on Windows. Not to be set where os is linux.`,
  }
}
