import type { Pod } from '../pod/pod.ts'
import type { Hook } from '../pod/schema/actions.ts'
import type { Container } from '../pod/schema/container.ts'

export interface HookTarget {
  readonly pod: Pod
  readonly container: Container
  readonly containerId: string
  readonly podIp: string
}

/** Runs what a container wants done after its start and before its end. */
export interface Hooks {
  /** Settles when the hook is done. Rejects, with a message for people, where it failed; the signal is its deadline. */
  run(hook: Hook, target: HookTarget, signal: AbortSignal): Promise<void>
}
