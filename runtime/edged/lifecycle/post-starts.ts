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
  /** By container. */
  readonly #running = new Map<string, AbortController>()

  constructor(ports: PostStartPorts) {
    this.#ports = ports
  }

  isRunning(containerId: string): boolean {
    return this.#running.has(containerId)
  }

  run(target: HookTarget, signal: AbortSignal): void {
    const hook = target.container.lifecycle.postStart
    if (!hook) return
    const { uid } = target.pod
    const left = new AbortController()
    this.#running.set(target.containerId, left)
    const { hooks, clock } = this.#ports
    const onAbort = () => left.abort(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    void withDeadline(clock, LONGEST, left.signal, (limited) => hooks.run(hook, target, limited))
      .catch((error: unknown) => {
        if (!left.signal.aborted) this.#failed(target, describeError(error))
      })
      .finally(() => {
        signal.removeEventListener('abort', onAbort)
        this.#running.delete(target.containerId)
        this.#ports.onDone(uid)
      })
  }

  /** Its container has ended: what it wanted is of no use any more. Harmless where no hook runs. */
  leave(containerId: string): void {
    this.#running.get(containerId)?.abort(new Error('the container of the hook has ended'))
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
