/** What a pod may be told of where it runs (downward API). */
export interface PodFacts {
  readonly nodeName: string
  /** Addresses of this node, the first one first. */
  readonly hostIps: readonly string[]
  /** Of the pod; those of the node where it is on its network. Empty before its sandbox is there. */
  readonly podIps: readonly string[]
  /** What a container without limits may take. */
  readonly allocatable: { readonly milliCpu: number; readonly memoryBytes: number; readonly diskBytes: number }
}
