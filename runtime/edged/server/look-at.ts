import { describeError } from '../../../platform/lifecycle/index.ts'
import { type Clock, seconds, withDeadline } from '../../../platform/time/index.ts'
import type { PodView } from '../state/pod-view.ts'
import type { ServedPods } from './served-pods.ts'

/** Nobody waits longer for a runtime that hangs. */
const LOOK = seconds(2)

export interface Look {
  /** As last seen, where it cannot be seen now. */
  readonly view: PodView | undefined
  /** Why it cannot be seen now. */
  readonly problem?: string
}

/** What the container runtime has of a pod, now. */
export async function lookAt(pods: ServedPods, uid: string, clock: Clock, signal: AbortSignal): Promise<Look> {
  try {
    await withDeadline(clock, LOOK, signal, (inTime) => pods.refresh(uid, inTime))
    return { view: pods.view(uid) }
  } catch (error) {
    signal.throwIfAborted()
    return { view: pods.view(uid), problem: pods.problem ?? describeError(error) }
  }
}
