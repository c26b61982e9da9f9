import { describeError } from '../../../platform/lifecycle/index.ts'
import { type Clock, minutes, withDeadline } from '../../../platform/time/index.ts'
import { fieldPathOf, type PodEvents } from '../events/pod-events.ts'
import type { Hooks, HookTarget } from '../hooks/hooks.ts'

export interface PostStartPorts {
  readonly hooks: Hooks
  readonly events: PodEvents
  readonly clock: Clock
  /** The hook of a container is done. */
  readonly onDone: (uid: string) => void
  /** It failed, and its container has to end. Told before `onDone`. */
  readonly onFailed: (target: HookTarget) => void
}

/** A kubelet waits for ever; one that never ends would keep its pod from ever being ready, without a word. */
const LONGEST = minutes(10)

/** What containers want done after their start, in the background. Until then they are not started, for those that wait for them. */
export class PostStarts {
  readonly #ports: PostStartPorts
  readonly #running = new Set<string>()

  constructor(ports: PostStartPorts) {
    this.#ports = ports
  }

  isRunning(containerId: string): boolean {
    return this.#running.has(containerId)
  }

  run(target: HookTarget, signal: AbortSignal): void {
    const hook = target.container.lifecycle.postStart
    if (!hook) return
    this.#running.add(target.containerId)
    const { hooks, clock } = this.#ports
    void withDeadline(clock, LONGEST, signal, (limited) => hooks.run(hook, target, limited))
      .catch((error: unknown) => {
        if (!signal.aborted) this.#failed(target, describeError(error))
      })
      .finally(() => {
        this.#running.delete(target.containerId)
        this.#ports.onDone(target.pod.uid)
      })
  }

  #failed(target: HookTarget, why: string): void {
    const { events, onFailed } = this.#ports
    const { name } = target.container
    const message = `PostStartHook failed: ${why}`
    events.tell(target.pod, {
      type: 'Warning',
      reason: 'FailedPostStartHook',
      message,
      fieldPath: fieldPathOf(name),
    })
    onFailed(target)
  }
}
