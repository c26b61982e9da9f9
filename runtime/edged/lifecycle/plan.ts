import type { Waiting } from '../pod/obstacle.ts'
import { isSidecar, type Pod } from '../pod/pod.ts'
import type { Container } from '../pod/schema/container.ts'
import type { ProbeResults } from '../probes/prober.ts'
import { type ContainerView, latestOf, type PodView, readySandbox } from '../state/pod-view.ts'
import type { CrashBackoff } from './crash-backoff.ts'

export interface PlanInput {
  readonly pod: Pod
  readonly view: PodView
  /** It has to end, whatever its containers do. */
  readonly isEnding: boolean
  /** Containers with a hook after their start that is not done. */
  readonly isHooked: (containerId: string) => boolean
  readonly resultsOf: (containerId: string) => ProbeResults
  /** What a container has to be made from; another one than that of a running container means that it is made anew. */
  readonly hashOf: (container: Container) => string
  readonly madeFrom: (container: ContainerView) => string | undefined
  /** Somebody wants this container ended and started again. */
  readonly isAsked: (containerId: string) => boolean
  readonly backoff: CrashBackoff
  /** Unix ms. */
  readonly now: number
}

/** A container that has to end while its pod goes on, or with it. */
export interface Stop {
  readonly container: ContainerView
  readonly reason: 'PodEnds' | 'Unhealthy' | 'Changed' | 'Asked' | 'SandboxLost' | 'Unknown'
  readonly message: string
  /** Of its probe; else the pod's. */
  readonly graceSeconds?: number
}

export interface Start {
  readonly container: Container
  readonly list: 'containers' | 'initContainers'
  /** The one before it, which has ended. */
  readonly previous: ContainerView | undefined
}

/** What comes next for a pod. */
export interface Plan {
  readonly stop: readonly Stop[]
  readonly start: readonly Start[]
  readonly sandbox: 'keep' | 'make' | 'end'
  /** Containers that wait for a time, with why. */
  readonly waiting: ReadonlyMap<string, Waiting>
  /** Look again then, Unix ms. */
  readonly wakeAt: number | undefined
  /** Nothing of it runs and nothing will. */
  readonly isOver: boolean
}

/** From what is wanted and what there is; no memory but the back-off. */
export function planPod(input: PlanInput): Plan {
  const { pod, view, isEnding } = input
  const alive = view.containers.filter(({ state }) => state === 'running' || state === 'unknown')
  if (isEnding || hasRun(input)) return ending(input, alive)
  const sandbox = readySandbox(view)
  if (!sandbox) {
    const stop = alive.map((container) =>
      stopOf(container, 'SandboxLost', 'Pod sandbox changed, it will be killed and re-created.'),
    )
    return { ...IDLE, stop, sandbox: stop.length > 0 ? 'keep' : 'make' }
  }
  const lost = alive.filter((container) => container.sandbox !== sandbox.id)
  const draft = new Draft(input, sandbox.id)
  draft.stops.push(...lost.map((container) => stopOf(container, 'SandboxLost', 'Its sandbox has ended')))
  if (draft.initialise()) for (const container of pod.spec.containers) draft.keep(container, 'containers')
  return draft.plan()
}

const IDLE: Plan = { stop: [], start: [], sandbox: 'keep', waiting: new Map(), wakeAt: undefined, isOver: false }

/** All that it had to do is done, or cannot be done: by its restart policy nothing of it is started any more. */
function hasRun({ pod, view, isAsked }: PlanInput): boolean {
  const { initContainers, containers, restartPolicy } = pod.spec
  const isDone = (container: Container) => {
    const latest = latestOf(view, container.name)
    return latest?.state === 'exited' && !isAsked(latest.id) && !mayRestart(restartPolicy, latest)
  }
  if (restartPolicy === 'Always') return false
  if (containers.every(isDone)) return true
  const isBroken = (container: Container) => {
    const latest = latestOf(view, container.name)
    return restartPolicy === 'Never' && latest?.state === 'exited' && latest.exitCode !== 0
  }
  return initContainers.some((container) => !isSidecar(container) && isBroken(container))
}

function mayRestart(policy: Pod['spec']['restartPolicy'], exited: ContainerView): boolean {
  return policy === 'Always' || (policy === 'OnFailure' && exited.exitCode !== 0)
}

/** Containers first, then sidecars one by one, the last one first; then the sandbox. */
function ending({ pod, view }: PlanInput, alive: readonly ContainerView[]): Plan {
  const sidecars = pod.spec.initContainers.filter(isSidecar).map(({ name }) => name)
  const first = alive.filter(({ metadata }) => !sidecars.includes(metadata.name))
  const next = [...sidecars].reverse().flatMap((name) => alive.filter(({ metadata }) => metadata.name === name))
  const due = first.length > 0 ? first : next.slice(0, 1)
  const stop = due.map((container) => stopOf(container, 'PodEnds', `Stopping container ${container.metadata.name}`))
  if (stop.length > 0) return { ...IDLE, stop }
  const isSandboxLeft = view.sandboxes.some(({ isReady }) => isReady)
  return { ...IDLE, sandbox: isSandboxLeft ? 'end' : 'keep', isOver: !isSandboxLeft }
}

function stopOf(container: ContainerView, reason: Stop['reason'], message: string): Stop {
  return { container, reason, message }
}

class Draft {
  readonly stops: Stop[] = []
  readonly #starts: Start[] = []
  readonly #waiting = new Map<string, Waiting>()
  readonly #input: PlanInput
  readonly #sandbox: string
  #wakeAt: number | undefined

  constructor(input: PlanInput, sandbox: string) {
    this.#input = input
    this.#sandbox = sandbox
  }

  plan(): Plan {
    return { ...IDLE, stop: this.stops, start: this.#starts, waiting: this.#waiting, wakeAt: this.#wakeAt }
  }

  /** Init containers one after the other; true once the containers may run. */
  initialise(): boolean {
    const { pod, view } = this.#input
    // Once there, the work of init containers counts as done, also where the runtime has forgotten them.
    const names = new Set(pod.spec.containers.map(({ name }) => name))
    const isDone = view.containers.some(
      ({ sandbox, metadata }) => sandbox === this.#sandbox && names.has(metadata.name),
    )
    for (const container of pod.spec.initContainers) {
      if (isSidecar(container)) {
        this.keep(container, 'initContainers')
        if (!isDone && !this.#isUp(container)) return false
      } else if (!isDone && !this.#hasSucceeded(container)) {
        this.keep(container, 'initContainers')
        return false
      }
    }
    return true
  }

  /** Has the container run, if its policy wants that. */
  keep(container: Container, list: Start['list']): void {
    const latest = latestOf(this.#input.view, container.name)
    const isHere = latest?.sandbox === this.#sandbox
    const isNeverMade = !latest || (!isHere && list === 'initContainers')
    if (isNeverMade || latest.state === 'created') this.#start(container, list, latest)
    else if (latest.state === 'unknown') this.#stop(latest, 'Unknown', 'The runtime does not know its state')
    else if (latest.state === 'exited') this.#follow(container, list, latest)
    else if (isHere) this.#check(container, latest)
  }

  /** What comes after a container that has exited. */
  #follow(container: Container, list: Start['list'], exited: ContainerView): void {
    const policy = isSidecar(container) ? 'Always' : this.#input.pod.spec.restartPolicy
    if (this.#input.isAsked(exited.id) || mayRestart(policy, exited)) this.#restart(container, list, exited)
  }

  /** A container that runs, and may have to end. */
  #check(container: Container, running: ContainerView): void {
    const { resultsOf, hashOf, madeFrom, isAsked } = this.#input
    const { failure } = resultsOf(running.id)
    if (madeFrom(running) !== hashOf(container)) {
      this.#stop(running, 'Changed', `Container ${container.name} definition changed, will be restarted`)
    } else if (isAsked(running.id)) {
      this.#stop(running, 'Asked', `Container ${container.name} will be restarted, as was asked for`)
    } else if (failure) this.#stop(running, 'Unhealthy', failure.message, failure.graceSeconds)
  }

  #stop(container: ContainerView, reason: Stop['reason'], message: string, graceSeconds?: number): void {
    const stop = stopOf(container, reason, message)
    this.stops.push(graceSeconds === undefined ? stop : { ...stop, graceSeconds })
  }

  #start(container: Container, list: Start['list'], previous: ContainerView | undefined): void {
    this.#starts.push({ container, list, previous })
  }

  #restart(container: Container, list: Start['list'], exited: ContainerView): void {
    const { pod, backoff, now } = this.#input
    // A sandbox that had to be made anew is no crash of what was in it.
    const dueAt = exited.sandbox === this.#sandbox ? backoff.dueAt(exited, now) : 0
    if (dueAt <= now) {
      this.#start(container, list, exited)
      return
    }
    const message = backoff.text(`${pod.name}_${pod.namespace}(${pod.uid})`, exited)
    this.#waiting.set(container.name, { reason: 'CrashLoopBackOff', message })
    this.#wakeAt = Math.min(this.#wakeAt ?? dueAt, dueAt)
  }

  #isUp({ name }: Container): boolean {
    const latest = latestOf(this.#input.view, name)
    if (latest?.state !== 'running' || latest.sandbox !== this.#sandbox) return false
    return !this.#input.isHooked(latest.id) && this.#input.resultsOf(latest.id).isStarted
  }

  #hasSucceeded({ name }: Container): boolean {
    const latest = latestOf(this.#input.view, name)
    return latest?.sandbox === this.#sandbox && latest.state === 'exited' && latest.exitCode === 0
  }
}
