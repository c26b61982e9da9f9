import { fieldPathOf, type PodEvents } from '../events/pod-events.ts'
import type { Pod } from '../pod/pod.ts'
import { latestOf, type PodView } from '../state/pod-view.ts'
import type { Plan } from './plan.ts'

/** Tells of containers that wait before they are started again, once for each that has exited. */
export class BackOffEvents {
  readonly #events: PodEvents
  /** The exited container that was told of last, by name. */
  readonly #told = new Map<string, string>()

  constructor(events: PodEvents) {
    this.#events = events
  }

  tell(pod: Pod, view: PodView, { waiting }: Plan): void {
    for (const [name, { reason }] of waiting) {
      const exited = latestOf(view, name)
      if (reason !== 'CrashLoopBackOff' || !exited || this.#told.get(name) === exited.id) continue
      this.#told.set(name, exited.id)
      const isInit = pod.spec.initContainers.some((each) => each.name === name)
      this.#events.tell(pod, {
        ...{ type: 'Warning', reason: 'BackOff' },
        message: `Back-off restarting failed container ${name} in pod ${pod.name}_${pod.namespace}(${pod.uid})`,
        fieldPath: fieldPathOf(name, isInit ? 'initContainers' : 'containers'),
      })
    }
  }
}
