import type { Pod } from '../pod/pod.ts'
import type { PodView } from '../state/pod-view.ts'
import type { Crew } from './crew.ts'

/** What is left of one pod that is over, and giving it back. */
export class Leavings {
  readonly #crew: Crew
  #isReleased = false
  #isRemoved = false

  constructor(crew: Crew) {
    this.#crew = crew
  }

  /** Nothing of it is left. */
  get isRemoved(): boolean {
    return this.#isRemoved
  }

  /** The pod begins again, as one from a file may while its end is not through. */
  restart(): void {
    this.#isReleased = false
    this.#isRemoved = false
  }

  /** What a pod that is over needs no more; its containers stay for those who read their logs. */
  async release(pod: Pod): Promise<void> {
    if (this.#isReleased) return
    const { volumes, access, images, prober } = this.#crew
    prober.keepOnly(pod.uid, new Set())
    await volumes.remove(pod.uid)
    await access.revoke(pod.uid)
    images.forget(pod.uid)
    this.#isReleased = true
  }

  /** Its containers and sandboxes, and what is known of it. */
  async remove({ uid }: Pick<Pod, 'uid'>, view: PodView, signal: AbortSignal): Promise<void> {
    const { runtime, records } = this.#crew
    for (const { id } of view.containers) await runtime.removeContainer(id, signal)
    for (const { id } of view.sandboxes) await runtime.removeSandbox(id, signal)
    await records.remove(uid)
    this.#isRemoved = true
  }
}
