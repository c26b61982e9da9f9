import type { JsonObject } from '../../../schemas/index.ts'
import type { Waiting } from '../pod/obstacle.ts'
import type { Pod } from '../pod/pod.ts'
import type { ProbeResults } from '../probes/prober.ts'
import type { PodView } from '../state/pod-view.ts'

/** All that the status of a pod follows from. */
export interface StatusInput {
  readonly pod: Pod
  readonly view: PodView
  /** The container runtime's own name (`containerd`), with which ids of containers begin in a cluster. */
  readonly runtimeName: string
  /** Why containers that do not run are not running, by name; those that nobody names are about to be made. */
  readonly waiting: ReadonlyMap<string, Waiting>
  /** Why the pod as a whole cannot begin: no runtime, no sandbox, no volumes. */
  readonly obstacle?: Waiting
  /** Why the pod ends before its containers are done: `Evicted`, `DeadlineExceeded`, `NodeAffinity`. Its phase is Failed once nothing of it runs. */
  readonly ended?: Waiting
  /** It has to end, and its containers are being ended. */
  readonly isEnding: boolean
  readonly resultsOf: (containerId: string) => ProbeResults
  /** What a container ended with as it said itself (its termination message), by container id. */
  readonly lastWords: ReadonlyMap<string, string>
  readonly hostIps: readonly string[]
  /**
   * The status before this one: from it come the times of conditions, and what the runtime has forgotten. Undefined where this node
   * has said nothing of the pod yet: then it is what the pod came with.
   */
  readonly before: JsonObject | undefined
  /** When this node took it, Unix ms. */
  readonly startedAt: number
  /** Unix ms. */
  readonly now: number
}
