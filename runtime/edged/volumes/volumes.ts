import type { Mount } from '../cri/runtime.ts'
import type { PodFacts } from '../pod/facts.ts'
import type { Pod } from '../pod/pod.ts'
import type { Container } from '../pod/schema/container.ts'

/** The volumes of pods, on this node's disk and in its memory. Calls for one pod never overlap. */
export interface PodVolumes {
  /**
   * Makes what is missing and brings what changed up to date; repeating it is cheap. Rejects with an ObstacleError, reason
   * `FailedMount`, where a volume cannot be had now. One that was there before stays as it is then, and is no obstacle.
   */
  prepare(pod: Pod, facts: PodFacts, signal: AbortSignal): Promise<void>
  /**
   * The mounts of one container, after `prepare`; makes its subPaths. `environment` is for subPathExpr. Rejects with an
   * ObstacleError, reason `CreateContainerConfigError`, where it cannot have them.
   */
  mountsOf(pod: Pod, container: Container, environment: ReadonlyMap<string, string>): Promise<readonly Mount[]>
  /**
   * New contents of configmaps, secrets, labels and tokens into the volumes of a running pod, each volume at once (a reader sees the
   * old files or the new ones). What cannot be had now leaves the files as they are.
   */
  refresh(pod: Pod, facts: PodFacts, signal: AbortSignal): Promise<void>
  /** What the pod's emptyDirs on disk hold. Walks through them: ask now and then, not often. */
  usageOf(pod: Pod, signal: AbortSignal): Promise<readonly VolumeUsage[]>
  /** Unmounts and removes them, after the containers are gone. Never follows a link or removes what is of the host. */
  remove(uid: string): Promise<void>
  /** Uids of pods with anything left on disk. */
  present(): Promise<readonly string[]>
}

export interface VolumeUsage {
  readonly volume: string
  readonly bytes: number
  /** As the pod says it. Memory needs none: it cannot hold more. */
  readonly sizeLimit?: { readonly text: string; readonly bytes: number }
}
