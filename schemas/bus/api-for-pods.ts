import { requestChannel } from './declare.ts'

/** Where a pod finds the Kubernetes API of this node. */
export type ApiForPods =
  | { readonly host: string; readonly port: number }
  /** Why it cannot, and what to do, for people. */
  | { readonly refusal: string }

export interface ApiForPodsQuestion {
  /** `host`: the pod is on the network of the node. */
  readonly network: 'pod' | 'host'
  /** Of the pod: its ConfigMap `kube-root-ca.crt` has to verify what is served there. */
  readonly namespace: string
}

/** Served by MetaServer, which listens for pods from the first such question on; nobody serves it where MetaServer is off. */
export const apiForPods = requestChannel<ApiForPodsQuestion, ApiForPods>('metaserver.for-pods')
