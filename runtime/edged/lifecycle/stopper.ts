import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, ms, type Random, seconds, withDeadline } from '../../../platform/time/index.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import { fieldPathOf, type PodEvents } from '../events/pod-events.ts'
import type { Hooks } from '../hooks/hooks.ts'
import type { Pod } from '../pod/pod.ts'
import type { ContainerView } from '../state/pod-view.ts'
import type { RuntimeView } from '../state/runtime-view.ts'

export interface StopperPorts {
  readonly runtime: Pick<ContainerRuntime, 'stopContainer'>
  readonly view: Pick<RuntimeView, 'get' | 'refresh'>
  readonly hooks: Hooks
  readonly events: PodEvents
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** A container of the pod has ended. */
  readonly onChange: (uid: string) => void
}

export interface StopOrder {
  readonly pod: Pod
  readonly container: ContainerView
  readonly podIp: string
  readonly graceSeconds: number
  readonly message: string
}

/** Between tries to end a container that goes on, or whose runtime refuses. */
const BETWEEN = { first: seconds(1), most: seconds(60) }

/** The end of containers, in the background: each has its time, and nobody waits for it. */
export class Stopper {
  readonly #ports: StopperPorts
  /** Containers that are being ended, with when they have to be, on the monotonic clock. */
  readonly #until = new Map<string, number>()

  constructor(ports: StopperPorts) {
    this.#ports = ports
  }

  /** Begins to end a container; one that is being ended is hurried where it has less time than before. */
  stop(order: StopOrder, signal: AbortSignal): void {
    const { clock, events } = this.#ports
    const { pod, container, graceSeconds, message } = order
    const until = clock.monotonic() + graceSeconds * 1000
    const before = this.#until.get(container.id)
    if (before !== undefined && before <= until + 1000) return
    this.#until.set(container.id, until)
    if (before !== undefined) return void this.#try(order, signal)
    const fieldPath = fieldPathOf(container.metadata.name)
    events.tell(pod, { type: 'Normal', reason: 'Killing', message, fieldPath })
    void this.#end(order, signal)
  }

  /** Until the runtime has it no more among those that run: it may say that it ended one, and have it still. */
  async #end(order: StopOrder, signal: AbortSignal): Promise<void> {
    const { clock, random, onChange } = this.#ports
    const { pod, container } = order
    const backoff = new Backoff(BETWEEN, random)
    if (container.state === 'running') await this.#runHook(order, signal)
    while (!signal.aborted && !(await this.#try(order, signal))) {
      await clock.sleep(backoff.next(), signal).catch(() => undefined)
    }
    this.#until.delete(container.id)
    onChange(pod.uid)
  }

  /** True once it has ended. */
  async #try({ pod, container }: StopOrder, signal: AbortSignal): Promise<boolean> {
    const { runtime, view, clock, log } = this.#ports
    const left = Math.max(0, (this.#until.get(container.id) ?? 0) - clock.monotonic())
    try {
      await runtime.stopContainer(container.id, ms(left), signal)
      await view.refresh(pod.uid, signal)
      if (!this.#runs(pod, container)) return true
      log.warn('A container goes on after its end; ending it again', {
        pod: pod.name,
        container: container.metadata.name,
      })
    } catch (error) {
      // Its sandbox may have ended it, or it itself.
      if (signal.aborted || !this.#runs(pod, container)) return true
      log.warn('A container could not be ended; trying again', {
        ...{ pod: pod.name, container: container.metadata.name },
        error: describeError(error),
      })
    }
    return false
  }

  #runs({ uid }: Pod, { id }: ContainerView): boolean {
    const now = this.#ports.view.get(uid)?.containers.find((each) => each.id === id)
    return now?.state === 'running' || now?.state === 'unknown'
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
