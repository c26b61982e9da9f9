import { OBJECT_METADATA, type Words } from './words.ts'

const FORMER = 'Of no effect: kubelets no longer read their configuration from the API.'

/** Nodes. */
export function nodeWords(): Words {
  return {
    V1Node: {
      metadata: OBJECT_METADATA,
      spec: 'Whether pods may be placed on the node (unschedulable, taints), and which addresses its pods have.',
      status: 'What the node has to offer and how it is, as it last reported.',
    },
    V1NodeSpec: { configSource: `From where the kubelet took its configuration. ${FORMER}` },
    V1NodeConfigSource: { configMap: `A ConfigMap with the configuration of the kubelet. ${FORMER}` },
    V1NodeConfigStatus: {
      active: `The configuration that the kubelet runs with. ${FORMER}`,
      assigned: `The configuration that the kubelet will try next. ${FORMER}`,
      lastKnownGood: `The configuration that the kubelet goes back to after a bad one. ${FORMER}`,
    },
    V1NodeStatus: {
      config: `Which configuration the kubelet got, tried and runs with. ${FORMER}`,
      daemonEndpoints: 'Ports on which the programs of the node listen.',
      features: 'What the container runtime can do, whichever of its handlers is used.',
      nodeInfo: 'Versions of kernel, runtime and kubelet, architecture and identifiers of the node.',
    },
    V1NodeDaemonEndpoints: {
      kubeletEndpoint: 'The port of the kubelet, which is asked for logs, exec and metrics. By custom 10250.',
    },
    V1NodeRuntimeHandler: { features: 'What this handler of the container runtime can do.' },
    V1NodeSystemInfo: { swap: 'How much swap the node has.' },
  }
}
