import { ObstacleError } from '../pod/obstacle.ts'
import type { Pod } from '../pod/pod.ts'
import { type PodView, readySandbox } from '../state/pod-view.ts'
import type { AskedRestarts } from './asked-restarts.ts'
import { nextAttempt } from './attempts.ts'
import type { CrashBackoff } from './crash-backoff.ts'
import type { Crew } from './crew.ts'
import type { Grace } from './grace.ts'
import type { Health } from './health.ts'
import type { Plan, Start, Stop } from './plan.ts'
import type { PodRecord } from './pod-record.ts'
import { factsOf, Starter, startSandbox } from './starter.ts'
import { SANDBOX, type Waits } from './waits.ts'

/** What is known of one pod by those who work on it. */
export interface PodParts {
  readonly waits: Waits
  readonly backoff: CrashBackoff
  readonly asked: AskedRestarts
  readonly health: Health
  readonly grace: Grace
  record(): PodRecord
  /** Its sandbox is about to be made: the pod begins, or begins again. */
  onBegin(): void
  /** Its volumes are as new. */
  onMounted(): void
  /** Of what goes on in the background, over many steps. */
  readonly life: AbortSignal
}

/** Does for one pod what its plan says. */
export class PodSteps {
  readonly #crew: Crew
  readonly #parts: PodParts
  readonly #starter: Starter

  constructor(crew: Crew, parts: PodParts) {
    this.#crew = crew
    this.#parts = parts
    this.#starter = new Starter(crew)
  }

  /** True where the runtime has something else now. */
  async take(pod: Pod, view: PodView, plan: Plan, signal: AbortSignal): Promise<boolean> {
    for (const stop of plan.stop) this.#stop(pod, view, stop)
    if (plan.sandbox === 'end') return this.#endSandboxes(view, signal)
    if (plan.sandbox === 'make') return this.#makeSandbox(pod, view, signal)
    let isMoved = false
    for (const start of plan.start) isMoved = (await this.#start(pod, view, start, signal)) || isMoved
    return isMoved
  }

  async #endSandboxes(view: PodView, signal: AbortSignal): Promise<boolean> {
    for (const { id, isReady } of view.sandboxes) if (isReady) await this.#crew.runtime.stopSandbox(id, signal)
    return true
  }

  async #makeSandbox(pod: Pod, view: PodView, signal: AbortSignal): Promise<boolean> {
    const { waits, onBegin, onMounted } = this.#parts
    if (!waits.isDue(SANDBOX)) return false
    onBegin()
    try {
      await startSandbox(this.#crew, pod, view, signal)
      waits.done(SANDBOX)
      onMounted()
      return true
    } catch (error) {
      if (signal.aborted || !(error instanceof ObstacleError)) throw error
      waits.failed(SANDBOX, error.waiting)
      this.#crew.events.tell(pod, { type: 'Warning', ...error.waiting })
      return false
    }
  }

  async #start(pod: Pod, view: PodView, start: Start, signal: AbortSignal): Promise<boolean> {
    const { waits, asked, backoff, health, record, life } = this.#parts
    const { container, previous } = start
    const { name } = container
    const sandbox = readySandbox(view)
    if (!sandbox || !waits.isDue(name)) return false
    const facts = factsOf(this.#crew, pod, view)
    const attempt = nextAttempt(view, record(), name)
    const started = await this.#starter.start({ pod, start, sandbox, facts, attempt }, signal)
    if ('waiting' in started) {
      if (started.isTold) waits.told(name, started.waiting)
      else waits.failed(name, started.waiting)
      return false
    }
    waits.done(name)
    if (previous?.state === 'exited' && !asked.has(previous.id)) backoff.restarted(previous)
    const { containerId } = started
    health.started({ pod, container, containerId, podIp: facts.podIps[0] ?? '' }, life)
    return true
  }

  #stop(pod: Pod, view: PodView, stop: Stop): void {
    const { grace, life } = this.#parts
    const podIp = factsOf(this.#crew, pod, view).podIps[0] ?? ''
    const graceSeconds = grace.secondsFor(pod, stop)
    this.#crew.stopper.stop({ pod, container: stop.container, podIp, graceSeconds, message: stop.message }, life)
  }
}
