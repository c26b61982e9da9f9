import { requestChannel } from './declare.ts'

/** Where a pod finds the local HTTP API of this node. */
export type HttpForPods =
  | { readonly host: string; readonly port: number }
  /** Why it cannot, and what to do, for people. */
  | { readonly refusal: string }

/**
 * `host`: the pod is on the network of the node. Served by LocalApi on a node that runs pods, which listens for them from the first
 * such question on; nobody serves it where LocalApi is off.
 */
export const httpForPods = requestChannel<{ readonly network: 'pod' | 'host' }, HttpForPods>('http.for-pods')
