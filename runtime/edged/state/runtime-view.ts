import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, RefusedError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, seconds } from '../../../platform/time/index.ts'
import type { Container, ContainerRuntime, ContainerStatus, Sandbox, SandboxStatus } from '../cri/runtime.ts'
import { LABELS } from './labels.ts'
import { type ContainerView, newestFirst, type PodView } from './pod-view.ts'

export interface RuntimeViewPorts {
  readonly runtime: ContainerRuntime
  /** Whose sandboxes and containers are looked at. */
  readonly owner: string
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
  /** What the runtime has of a pod is another thing than before. */
  readonly onChange: (uid: string) => void
  /** The runtime answers, or does not any more; a message for people. */
  readonly onRuntime: (problem: string | undefined) => void
}

const NOT_ASKED = 'the container runtime has not been asked yet'
/** Between two looks at all containers; a kubelet's. */
const EVERY: Duration = seconds(1)
/** Where nothing has changed for a while, each look at thirty pods is half of what this edge does. */
const EVERY_WHEN_QUIET: Duration = seconds(2)
const QUIET_AFTER: Duration = seconds(30)
/** 128 and the number of SIGKILL. */
const KILLED = 137
const REASON_WITHIN_MS = 5000
/**
 * Sandboxes are looked at once in so many of them, and where a container is another one than before: one that ends alone is seldom,
 * and most of what a look costs is the call itself.
 */
const SANDBOXES_EVERY = 5

/** Statuses that are asked for at a time. */
const AT_ONCE = 8

interface Seen {
  /** Undefined: the runtime has nothing of it; kept until no look from before that is under way. */
  readonly view: PodView | undefined
  readonly print: string
  readonly look: number
}

/**
 * What the container runtime has of each pod of this node, from looks at it: one at all containers each second, and one at a pod
 * after it was worked on. A look that began before another one of the same pod never replaces it.
 */
export class RuntimeView {
  readonly #ports: RuntimeViewPorts
  readonly #pods = new Map<string, Seen>()
  /** Of what does not change while its state is the same, by id. */
  readonly #sandboxes = new Map<string, SandboxStatus>()
  readonly #containers = new Map<string, ContainerStatus>()
  #looks = 0
  /** Monotonic. */
  #changedAt: number
  /** Looks at all until the next one at sandboxes. */
  #sandboxesIn = 0
  #isKnown = false
  #runtimeName = 'containerd'
  #problem: string | undefined = NOT_ASKED

  constructor(ports: RuntimeViewPorts) {
    this.#ports = ports
    this.#changedAt = ports.clock.monotonic()
    const gauge = (name: string, help: string, read: () => number) =>
      (ports.metrics ?? silentMetrics).gauge({ name, help }).follow(read)
    gauge('skerry_edged_runtime_up', '1 while the container runtime answers.', () => (this.#problem ? 0 : 1))
    gauge('skerry_edged_sandboxes', 'Sandboxes that the runtime has for this node.', () => this.#sandboxes.size)
    gauge('skerry_edged_containers', 'Containers that the runtime has for this node.', () => this.#containers.size)
  }

  /** All has been looked at once: what is not here is not there. */
  get isKnown(): boolean {
    return this.#isKnown
  }

  /** It was asked at least once, and answered or did not. */
  get isAsked(): boolean {
    return this.#problem !== NOT_ASKED
  }

  /** The runtime's own name. */
  get runtimeName(): string {
    return this.#runtimeName
  }

  /** Why the runtime does not answer, for people; undefined while it does. */
  get problem(): string | undefined {
    return this.#problem
  }

  get(uid: string): PodView | undefined {
    return this.#pods.get(uid)?.view
  }

  views(): readonly PodView[] {
    return [...this.#pods.values()].flatMap(({ view }) => view ?? [])
  }

  /** Looks at one pod now. */
  async refresh(uid: string, signal: AbortSignal): Promise<void> {
    await this.#look({ [LABELS.podUid]: uid }, signal)
  }

  /** Looks again and again until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports
    while (!signal.aborted) {
      await this.lookAtAll(signal)
      const isQuiet = clock.monotonic() - this.#changedAt >= QUIET_AFTER.milliseconds
      await clock.sleep(isQuiet ? EVERY_WHEN_QUIET : EVERY, signal).catch(() => undefined)
    }
  }

  async lookAtAll(signal: AbortSignal): Promise<void> {
    try {
      const isBack = this.#problem !== undefined
      if (isBack) this.#runtimeName = (await this.#ports.runtime.version(signal)).name
      const isTurn = this.#sandboxesIn === 0 || isBack
      if (isTurn || !(await this.#isAsBefore(signal))) await this.#look({}, signal)
      this.#sandboxesIn = isTurn ? SANDBOXES_EVERY - 1 : this.#sandboxesIn - 1
      this.#isKnown = true
      this.#turned(undefined)
    } catch (error) {
      if (!signal.aborted) this.#turned(problemOf(error))
    }
  }

  #turned(problem: string | undefined): void {
    if (problem === this.#problem) return
    const isFirst = this.#problem === undefined || this.#problem === NOT_ASKED
    this.#problem = problem
    const { log, onRuntime } = this.#ports
    if (problem === undefined) log.info('The container runtime answers')
    else if (isFirst) log.warn('The container runtime does not answer', { problem })
    onRuntime(problem)
  }

  /** All containers are those that are known, in the states that are known. */
  async #isAsBefore(signal: AbortSignal): Promise<boolean> {
    const { runtime, owner } = this.#ports
    const containers = await runtime.listContainers({ [LABELS.owner]: owner }, signal)
    const known = new Map(this.views().flatMap((view) => view.containers.map((each) => [each.id, each])))
    const isSame = ({ id, state, createdAt }: Container) => {
      const before = known.get(id)
      return before?.state === state && before.createdAt === createdAt && !this.#mayTellMore(before)
    }
    return containers.length === known.size && containers.every(isSame)
  }

  async #look(labels: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    const { runtime, owner, onChange } = this.#ports
    const look = ++this.#looks
    const only = labels[LABELS.podUid]
    const filter = { ...labels, [LABELS.owner]: owner }
    const [sandboxes, containers] = await Promise.all([
      runtime.listSandboxes(filter, signal),
      runtime.listContainers(filter, signal),
    ])
    const found = await this.#assemble(sandboxes, containers, signal)
    const missing = only === undefined ? [...this.#pods.keys()] : [only]
    for (const uid of missing) if (!found.has(uid)) found.set(uid, undefined)
    for (const [uid, view] of found) {
      const before = this.#pods.get(uid)
      if (before && before.look > look) continue
      const print = view ? fingerprint(view) : ''
      this.#pods.set(uid, { view, print, look })
      if (print === (before?.print ?? '')) continue
      this.#changedAt = this.#ports.clock.monotonic()
      onChange(uid)
    }
    if (only !== undefined) return
    this.#forgetOthers(sandboxes, containers)
    for (const [uid, seen] of this.#pods) if (!seen.view && seen.look < look) this.#pods.delete(uid)
  }

  async #assemble(
    sandboxes: readonly Sandbox[],
    containers: readonly Container[],
    signal: AbortSignal,
  ): Promise<Map<string, PodView | undefined>> {
    const found = new Map<string, { sandboxes: SandboxStatus[]; containers: ContainerView[] }>()
    const of = (uid: string) => {
      const made = found.get(uid) ?? { sandboxes: [], containers: [] }
      found.set(uid, made)
      return made
    }
    await eachOf(sandboxes, async (sandbox) => {
      const status = await this.#sandboxStatus(sandbox, signal)
      if (status) of(sandbox.labels[LABELS.podUid] ?? '').sandboxes.push(status)
    })
    await eachOf(containers, async (container) => {
      const status = await this.#containerStatus(container, signal)
      if (status) of(container.labels[LABELS.podUid] ?? '').containers.push({ ...status, sandbox: container.sandbox })
    })
    const views = new Map<string, PodView | undefined>()
    for (const [uid, parts] of found) {
      const labels = parts.sandboxes[0]?.labels ?? parts.containers[0]?.labels ?? {}
      views.set(uid, {
        uid,
        name: labels[LABELS.podName] ?? '',
        namespace: labels[LABELS.podNamespace] ?? '',
        sandboxes: parts.sandboxes.sort(newestFirst),
        containers: parts.containers.sort(newestFirst),
      })
    }
    return views
  }

  async #sandboxStatus(sandbox: Sandbox, signal: AbortSignal): Promise<SandboxStatus | undefined> {
    const known = this.#sandboxes.get(sandbox.id)
    if (known && known.isReady === sandbox.isReady && known.createdAt === sandbox.createdAt) return known
    const status = await this.#ports.runtime.sandboxStatus(sandbox.id, signal)
    if (status) this.#sandboxes.set(sandbox.id, status)
    return status
  }

  async #containerStatus(container: Container, signal: AbortSignal): Promise<ContainerStatus | undefined> {
    const known = this.#containers.get(container.id)
    const isSame = known?.state === container.state && known.createdAt === container.createdAt
    if (isSame && !this.#mayTellMore(known)) return known
    const status = await this.#ports.runtime.containerStatus(container.id, signal)
    if (status) this.#containers.set(container.id, status)
    return status
  }

  /** containerd 1.6 may hear that a container was killed before it hears that memory was the reason. */
  #mayTellMore({ state, exitCode, reason, finishedAt }: ContainerStatus): boolean {
    if (state !== 'exited' || exitCode !== KILLED || reason === 'OOMKilled') return false
    return Math.abs(this.#ports.clock.now() - finishedAt) < REASON_WITHIN_MS
  }

  #forgetOthers(sandboxes: readonly Sandbox[], containers: readonly Container[]): void {
    const ids = new Set([...sandboxes, ...containers].map(({ id }) => id))
    for (const known of [this.#sandboxes, this.#containers]) {
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id)
    }
  }
}

/** For people. A refusal of what every runtime does means that it speaks otherwise. */
function problemOf(error: unknown): string {
  if (!(error instanceof RefusedError)) return describeError(error)
  return `the container runtime refuses to answer by CRI v1: it has to be enabled there, and containerd to be 1.6 or later: ${describeError(error)}`
}

function fingerprint({ sandboxes, containers }: PodView): string {
  return [
    ...sandboxes.map(({ id, createdAt, isReady, ips }) => `${id} ${createdAt} ${isReady} ${ips.join()}`),
    ...containers.map(({ id, createdAt, state, reason }) => `${id} ${createdAt} ${state} ${reason}`),
  ].join('\n')
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values()
  const worker = async () => {
    for (const item of left) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker))
}
