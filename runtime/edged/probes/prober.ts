import type { Pod } from '../pod/pod.ts'
import type { Container } from '../pod/schema/container.ts'

/** A running container that is asked how it is. */
export interface ProbeTarget {
  readonly pod: Pod
  readonly container: Container
  readonly containerId: string
  readonly podIp: string
  /** Unix ms. */
  readonly startedAt: number
  /** What was last known of it where it runs since before this process; its results begin with that. */
  readonly known?: { readonly isStarted: boolean; readonly isReady: boolean }
}

export interface ProbeResults {
  /** Its startup probe has succeeded, or it has none. */
  readonly isStarted: boolean
  /** Its readiness probe holds, or it has none and is started. */
  readonly isReady: boolean
  /**
   * A liveness or startup probe has failed for good: the container has to be ended and started again. The message is that of
   * the event that tells so; the grace is the probe's own.
   */
  readonly failure?: { readonly message: string; readonly graceSeconds?: number }
}

/** Asks containers how they are, by their probes. */
export interface Prober {
  /**
   * Begins with a container that it does not know. Repeating it is harmless, and tells of the pod as it is now: one that has to
   * end is not asked any more whether it lives. `onChange` of the maker is told of other results.
   */
  follow(target: ProbeTarget): void
  /** Results of a running container; of one that is not followed, those of a container without probes. */
  resultsOf(containerId: string): ProbeResults
  /** Ends with all containers of the pod but these. */
  keepOnly(uid: string, containerIds: ReadonlySet<string>): void
}
