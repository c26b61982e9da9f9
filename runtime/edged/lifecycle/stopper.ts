import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, ms, seconds, withDeadline } from '../../../platform/time/index.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import { fieldPathOf, type PodEvents } from '../events/pod-events.ts'
import type { Hooks } from '../hooks/hooks.ts'
import type { Pod } from '../pod/pod.ts'
import type { ContainerView } from '../state/pod-view.ts'

export interface StopperPorts {
  readonly runtime: ContainerRuntime
  readonly hooks: Hooks
  readonly events: PodEvents
  readonly clock: Clock
  readonly log: Logger
  /** Sees what the runtime has of a pod now. */
  readonly look: (uid: string, signal: AbortSignal) => Promise<void>
  /** A container of the pod has ended, or could not be ended. */
  readonly onChange: (uid: string) => void
}

export interface StopOrder {
  readonly pod: Pod
  readonly container: ContainerView
  readonly podIp: string
  readonly graceSeconds: number
  readonly message: string
}

/** Before another try, where the runtime did not end a container. */
const BETWEEN_TRIES = seconds(1)

/** The end of containers, in the background: each has its time, and nobody waits for it. */
export class Stopper {
  readonly #ports: StopperPorts
  /** Containers that are being ended, with when they have to be, on the monotonic clock. */
  readonly #until = new Map<string, number>()

  constructor(ports: StopperPorts) {
    this.#ports = ports
  }

  isStopping(containerId: string): boolean {
    return this.#until.has(containerId)
  }

  /** Begins to end a container; one that is being ended is hurried where it has less time than before. */
  stop(order: StopOrder, signal: AbortSignal): void {
    const { clock, events } = this.#ports
    const { pod, container, graceSeconds, message } = order
    const until = clock.monotonic() + graceSeconds * 1000
    const before = this.#until.get(container.id)
    if (before !== undefined && before <= until + 1000) return
    this.#until.set(container.id, until)
    if (before === undefined) {
      const fieldPath = fieldPathOf(container.metadata.name)
      events.tell(pod, { type: 'Normal', reason: 'Killing', message, fieldPath })
    }
    void this.#stop(order, until, before === undefined, signal)
  }

  async #stop(order: StopOrder, until: number, isFirst: boolean, signal: AbortSignal): Promise<void> {
    const { runtime, clock, log, look, onChange } = this.#ports
    const { pod, container } = order
    try {
      if (isFirst && container.state === 'running') await this.#runHook(order, signal)
      const left = Math.max(0, (this.#until.get(container.id) ?? until) - clock.monotonic())
      await runtime.stopContainer(container.id, ms(left), signal)
      // Whoever asks what is next has to know that it has ended, or it is ended again.
      await look(pod.uid, signal)
    } catch (error) {
      if (!signal.aborted) {
        log.warn('A container could not be ended; trying again', {
          pod: pod.name,
          container: container.metadata.name,
          error,
        })
        await clock.sleep(BETWEEN_TRIES, signal).catch(() => undefined)
      }
    } finally {
      // A hurried end is the one that counts.
      if (this.#until.get(container.id) === until) {
        this.#until.delete(container.id)
        onChange(pod.uid)
      }
    }
  }

  /** Within the grace; what it leaves of that is the container's own. */
  async #runHook({ pod, container, podIp, graceSeconds }: StopOrder, signal: AbortSignal): Promise<void> {
    const { hooks, clock, events } = this.#ports
    const { name } = container.metadata
    const declared = [...pod.spec.containers, ...pod.spec.initContainers].find((each) => each.name === name)
    const hook = declared?.lifecycle.preStop
    if (!declared || !hook || graceSeconds === 0) return
    const target = { pod, container: declared, containerId: container.id, podIp }
    try {
      await withDeadline(clock, ms(graceSeconds * 1000), signal, (limited) => hooks.run(hook, target, limited))
    } catch (error) {
      if (signal.aborted) return
      const message = `PreStopHook failed: ${describeError(error)}`
      events.tell(pod, { type: 'Warning', reason: 'FailedPreStopHook', message, fieldPath: fieldPathOf(name) })
    }
  }
}
