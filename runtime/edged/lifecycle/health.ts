import type { JsonObject } from '../../../schemas/index.ts'
import type { HookTarget } from '../hooks/hooks.ts'
import { isObject, listIn, textIn } from '../pod/json.ts'
import type { Pod } from '../pod/pod.ts'
import type { ProbeResults } from '../probes/prober.ts'
import { type PodView, readySandbox } from '../state/pod-view.ts'
import type { Crew } from './crew.ts'
import { PostStarts } from './post-starts.ts'
import { factsOf } from './starter.ts'

/** A kubelet's words for why a container ends whose hook after its start has failed. */
const HOOK_FAILED = 'FailedPostStartHook'

/** How the containers of one pod are: what their probes say, and the hook after their start. */
export class Health {
  readonly #crew: Crew
  readonly #postStarts: PostStarts
  /** By name of the container: the one whose hook after its start has failed, and which has to end for it. */
  readonly #hookFailures = new Map<string, string>()

  constructor(crew: Crew) {
    this.#crew = crew
    const { hooks, events, clock, onChange } = crew
    const onFailed = (target: HookTarget) => void this.#hookFailures.set(target.container.name, target.containerId)
    this.#postStarts = new PostStarts({ hooks, events, clock, onDone: onChange, onFailed })
  }

  /** It has started: what it wants done now is done, in the background, until the signal aborts. */
  started(target: HookTarget, life: AbortSignal): void {
    this.#postStarts.run(target, life)
  }

  /** Its hook after its start is not done. */
  isHooked(containerId: string): boolean {
    return this.#postStarts.isRunning(containerId)
  }

  resultsOf(containerId: string): ProbeResults {
    const results = this.#crew.prober.resultsOf(containerId)
    const isBad = [...this.#hookFailures.values()].includes(containerId)
    return isBad ? { ...results, failure: { message: HOOK_FAILED } } : results
  }

  /** Asks its running containers how they are, and no others. `status`: what was said of them last. */
  follow(pod: Pod, view: PodView, status: JsonObject | undefined): void {
    const { prober } = this.#crew
    for (const { id, state } of view.containers) if (state === 'exited') this.#postStarts.leave(id)
    const sandbox = readySandbox(view)
    const podIp = factsOf(this.#crew, pod, view).podIps[0] ?? ''
    const running = view.containers.filter(({ state, sandbox: of }) => state === 'running' && of === sandbox?.id)
    prober.keepOnly(pod.uid, new Set(running.map(({ id }) => id)))
    for (const { id, metadata, startedAt } of running) {
      const container = [...pod.spec.containers, ...pod.spec.initContainers].find(({ name }) => name === metadata.name)
      if (container) prober.follow({ pod, container, containerId: id, podIp, startedAt, ...knownOf(id, status) })
    }
  }
}

/** What was last said of a container that runs since before this process. */
function knownOf(containerId: string, status: JsonObject | undefined) {
  const said = ['containerStatuses', 'initContainerStatuses'].flatMap((list) => listIn(status, list))
  const known = said.find((each) => textIn(each, 'containerID')?.endsWith(`//${containerId}`))
  if (!isObject(known)) return {}
  return { known: { isStarted: known['started'] === true, isReady: known['ready'] === true } }
}
