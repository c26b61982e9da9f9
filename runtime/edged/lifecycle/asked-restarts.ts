import type { Pod } from '../pod/pod.ts'
import type { PodView } from '../state/pod-view.ts'
import type { CrashBackoff } from './crash-backoff.ts'

/** Containers that run and that somebody wants started again: their end is no crash. */
export class AskedRestarts {
  /** By name: the container that has to end for it. */
  readonly #ids = new Map<string, string>()

  /** All containers of the pod: those that run end, and those that wait after crashes wait no longer. */
  ask(pod: Pod, view: PodView, backoff: CrashBackoff): void {
    for (const { name } of [...pod.spec.initContainers, ...pod.spec.containers]) backoff.forget(name)
    const names = new Set<string>()
    for (const { id, state, metadata } of view.containers) {
      if (!names.has(metadata.name) && state === 'running') this.#ids.set(metadata.name, id)
      names.add(metadata.name)
    }
  }

  has(containerId: string): boolean {
    for (const id of this.#ids.values()) if (id === containerId) return true
    return false
  }
}
