import type { Bus } from '../../../platform/bus/index.ts'
import type { Metrics } from '../../../platform/health/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import type { ServedPods } from './served-pods.ts'
import type { ServerCounts } from './server-counts.ts'

/** What the kubelet server answers from. */
export interface ServerPorts {
  readonly bus: Bus
  readonly runtime: ContainerRuntime
  /** Undefined while this node has neither a container runtime nor a pod. */
  readonly pods: () => ServedPods | undefined
  readonly nodeName: string
  /** Of Edged, on the disk that counts as this node's. */
  readonly directory: string
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly counts: ServerCounts
}
