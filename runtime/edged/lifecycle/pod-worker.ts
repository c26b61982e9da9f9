import { isDeepStrictEqual } from 'node:util'
import { type Duration, ms } from '../../../platform/time/index.ts'
import { containerHash } from '../containers/hash.ts'
import type { HookTarget } from '../hooks/hooks.ts'
import { isObject, listIn, textIn } from '../pod/json.ts'
import { ObstacleError, type Waiting } from '../pod/obstacle.ts'
import { isPlainName } from '../pod/plain-name.ts'
import type { Pod, PodIdentity } from '../pod/pod.ts'
import { unknownPod } from '../pod/unknown-pod.ts'
import type { ProbeResults } from '../probes/prober.ts'
import { ANNOTATIONS } from '../state/labels.ts'
import { emptyView, type PodView, readySandbox } from '../state/pod-view.ts'
import { isTerminal } from '../status/phase.ts'
import { AskedRestarts } from './asked-restarts.ts'
import { nextAttempt } from './attempts.ts'
import { BackOffEvents } from './back-off-events.ts'
import { CrashBackoff } from './crash-backoff.ts'
import type { Crew } from './crew.ts'
import type { Desired } from './desired-pods.ts'
import { LastWords } from './last-words.ts'
import { type Plan, planPod, type Start, type Stop } from './plan.ts'
import type { PodRecord } from './pod-record.ts'
import { PodReporter } from './pod-reporter.ts'
import { PostStarts } from './post-starts.ts'
import { factsOf, Starter, startSandbox } from './starter.ts'
import { Waits } from './waits.ts'

export interface Outcome {
  /** Nothing of it is left, and nobody wants it. */
  readonly isGone: boolean
  /** Look again then, though nothing is heard meanwhile. */
  readonly wakeAfter?: Duration
}

/** Steps of one run before others have their turn. */
const MOST_ROUNDS = 20
/** The part of a pod that is its sandbox with its volumes. */
const SANDBOX = ''
/** A kubelet's: so long a sidecar has at least. */
const LEAST_GRACE_SECONDS = 2
/** A kubelet's words for why a container ends whose hook after its start has failed. */
const HOOK_FAILED = 'FailedPostStartHook'
/** Until a disk that took nothing is tried again. */
const KEEP_AGAIN_MS = 10_000

/** The life of one pod on this node, from the first word of it to the last trace. */
export class PodWorker {
  readonly #identity: PodIdentity
  readonly #crew: Crew
  readonly #starter: Starter
  readonly #postStarts: PostStarts
  readonly #backOffEvents: BackOffEvents
  readonly #reporter: PodReporter
  readonly #backoff = new CrashBackoff()
  readonly #asked = new AskedRestarts()
  readonly #waits: Waits
  /** As last wanted; kept for its end when nobody wants it any more. */
  #pod: Pod | undefined
  #reportedAs: string
  #endingSince: number | undefined
  /** Of a pod that this node ends by itself; less than its own. */
  #shortGrace: Duration | undefined
  #isReleased = false
  /** Nothing of it is left, and the cloud may be told so. */
  #isFinished = false
  #isAdmitted: boolean
  #toldRefusal: string | undefined
  #refreshDue = true
  /** By name of the container: the one whose hook after its start has failed, and which has to end for it. */
  readonly #hookFailures = new Map<string, string>()
  readonly #lastWords: LastWords
  /** Of what goes on in the background, over many steps. */
  readonly #life: AbortSignal

  constructor(identity: PodIdentity, crew: Crew, record: PodRecord | undefined, life: AbortSignal) {
    const { uid, name, namespace } = identity
    this.#identity = { uid, name, namespace }
    this.#crew = crew
    this.#life = life
    this.#starter = new Starter(crew)
    this.#lastWords = new LastWords(crew)
    this.#backOffEvents = new BackOffEvents(crew.events)
    this.#waits = new Waits(crew.clock, crew.random)
    this.#reporter = new PodReporter(crew, record ?? { uid, name, namespace, startedAt: crew.clock.now() })
    this.#isAdmitted = record !== undefined
    this.#reportedAs = uid
    const { hooks, events, clock, onChange } = crew
    const onFailed = (target: HookTarget) => void this.#hookFailures.set(target.container.name, target.containerId)
    this.#postStarts = new PostStarts({ hooks, events, clock, onDone: onChange, onFailed })
  }

  /** It takes of what this node has. */
  get isHolding(): boolean {
    const { ended, status } = this.#reporter.record
    const isRejected = ended !== undefined && !this.#crew.view.get(this.#identity.uid)
    return this.#isAdmitted && !isRejected && !isTerminal(textIn(status, 'phase'))
  }

  get record(): PodRecord {
    return this.#reporter.record
  }

  /** What it uses may have changed. */
  refreshSoon(): void {
    this.#refreshDue = true
    this.#waits.hurry()
  }

  /** It ends now, and does not begin again. */
  async end(why: Waiting, grace: Duration): Promise<void> {
    this.#shortGrace = grace
    await this.#reporter.end(why)
  }

  /** Its containers end and are started again, whatever waited for a time is not waited for. Says why not, or undefined. */
  restart(): string | undefined {
    const { desired: all, view } = this.#crew
    const desired = all.get(this.#identity.uid)
    if (!desired || this.#isEnding(desired)) return 'it ends, or has ended'
    const { parsed } = desired
    if ('refusal' in parsed) return parsed.refusal
    const { pod } = parsed
    if (pod.spec.restartPolicy === 'Never') return 'its restartPolicy is Never: delete it, and make it anew'
    if (view.problem !== undefined) return view.problem
    this.#asked.ask(pod, view.get(pod.uid) ?? emptyView(this.#identity), this.#backoff)
    this.#waits.hurry()
    return undefined
  }

  /** Does what is next, as far as that goes now. */
  async step(signal: AbortSignal): Promise<Outcome> {
    const { desired: all, view } = this.#crew
    const desired = all.get(this.#identity.uid)
    if (desired?.reportAs !== undefined) this.#reportedAs = desired.reportAs
    if (desired && 'refusal' in desired.parsed) return this.#refuse(desired, desired.parsed.refusal)
    if (!desired && !isNamedWell(this.#identity)) return this.#forget()
    if (desired && 'pod' in desired.parsed) this.#take(desired.parsed.pod)
    const pod = this.#pod ?? unknownPod(this.#identity)
    // Heard of again when it answers.
    if (view.problem !== undefined) return this.#withoutRuntime(pod, desired)
    await this.#admit(pod, desired)
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const found = view.get(pod.uid) ?? emptyView(this.#identity)
      const plan = this.#plan(pod, found, desired)
      const isMoved = await this.#act(pod, found, plan, signal)
      if (!isMoved) return this.#settle(pod, found, { plan, desired }, signal)
      await view.refresh(pod.uid, signal)
      const seen = view.get(pod.uid) ?? emptyView(this.#identity)
      this.#follow(pod, seen)
      await this.#report(pod, seen, { plan, desired }, false)
    }
    return { isGone: false, wakeAfter: ms(0) }
  }

  #take(pod: Pod): void {
    // The cloud says a pod anew with each status that it was told: what waits must not be hurried by that.
    if (!this.#pod || !isDeepStrictEqual(wishOf(this.#pod), wishOf(pod))) this.refreshSoon()
    this.#pod = pod
  }

  async #admit(pod: Pod, desired: Desired | undefined): Promise<void> {
    const { clock, admit } = this.#crew
    if (!this.#isAdmitted && desired) {
      const problem = this.#crew.view.get(pod.uid) ? undefined : admit(pod)
      if (problem) {
        this.#crew.events.tell(pod, { type: 'Warning', ...problem })
        await this.#reporter.end({ ...problem, message: `Pod was rejected: ${problem.message}` })
      }
      this.#isAdmitted = true
      if (!problem) await this.#reporter.begin()
    }
    const { activeDeadlineSeconds } = pod.spec
    if (activeDeadlineSeconds === undefined) return
    if (clock.now() < this.#reporter.record.startedAt + activeDeadlineSeconds * 1000) return
    const message = 'Pod was active on the node longer than the specified deadline'
    await this.#reporter.end({ reason: 'DeadlineExceeded', message })
  }

  #plan(pod: Pod, view: PodView, desired: Desired | undefined): Plan {
    const { clock } = this.#crew
    this.#follow(pod, view)
    return planPod({
      ...{ pod, view, backoff: this.#backoff, now: clock.now() },
      isEnding: this.#isEnding(desired),
      isAsked: (id) => this.#asked.has(id),
      isHooked: (id) => this.#postStarts.isRunning(id),
      resultsOf: (id) => this.#healthOf(id),
      hashOf: containerHash,
      madeFrom: ({ annotations }) => annotations[ANNOTATIONS.hash],
    })
  }

  #isEnding(desired: Desired | undefined): boolean {
    const { ended, status } = this.#reporter.record
    // Also where the runtime has forgotten what it ran: what has ended does not begin again.
    const isDone = isTerminal(textIn(status, 'phase'))
    return !desired || desired.isDeleted || ended !== undefined || isDone
  }

  /** What its probes say, and the hook after its start. */
  #healthOf(containerId: string): ProbeResults {
    const results = this.#crew.prober.resultsOf(containerId)
    const isBad = [...this.#hookFailures.values()].includes(containerId)
    return isBad ? { ...results, failure: { message: HOOK_FAILED } } : results
  }

  /** Asks its running containers how they are, and no others. */
  #follow(pod: Pod, view: PodView): void {
    const { prober } = this.#crew
    for (const { id, state } of view.containers) if (state === 'exited') this.#postStarts.leave(id)
    const sandbox = readySandbox(view)
    const podIp = factsOf(this.#crew, pod, view).podIps[0] ?? ''
    const running = view.containers.filter(({ state, sandbox: of }) => state === 'running' && of === sandbox?.id)
    prober.keepOnly(pod.uid, new Set(running.map(({ id }) => id)))
    for (const { id, metadata, startedAt } of running) {
      const container = [...pod.spec.containers, ...pod.spec.initContainers].find(({ name }) => name === metadata.name)
      if (container) prober.follow({ pod, container, containerId: id, podIp, startedAt, ...this.#knownOf(id) })
    }
  }

  /** What was last said of a container that runs since before this process. */
  #knownOf(containerId: string) {
    const said = ['containerStatuses', 'initContainerStatuses'].flatMap((list) =>
      listIn(this.#reporter.record.status, list),
    )
    const known = said.find((each) => textIn(each, 'containerID')?.endsWith(`//${containerId}`))
    if (!isObject(known)) return {}
    return { known: { isStarted: known['started'] === true, isReady: known['ready'] === true } }
  }

  /** True where the runtime has something else now. */
  async #act(pod: Pod, view: PodView, plan: Plan, signal: AbortSignal): Promise<boolean> {
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
    if (!this.#waits.isDue(SANDBOX)) return false
    // A pod from a file may begin again while its end is not through.
    this.#isReleased = false
    this.#isFinished = false
    this.#endingSince = undefined
    try {
      await startSandbox(this.#crew, pod, view, signal)
      this.#waits.done(SANDBOX)
      this.#refreshDue = false
      return true
    } catch (error) {
      if (signal.aborted || !(error instanceof ObstacleError)) throw error
      this.#waits.failed(SANDBOX, error.waiting)
      this.#crew.events.tell(pod, { type: 'Warning', ...error.waiting })
      return false
    }
  }

  async #start(pod: Pod, view: PodView, start: Start, signal: AbortSignal): Promise<boolean> {
    const { name } = start.container
    const sandbox = readySandbox(view)
    if (!sandbox || !this.#waits.isDue(name)) return false
    const facts = factsOf(this.#crew, pod, view)
    const attempt = nextAttempt(view, this.#reporter.record, name)
    const started = await this.#starter.start({ pod, start, sandbox, facts, attempt }, signal)
    if ('waiting' in started) {
      if (started.isTold) this.#waits.told(name, started.waiting)
      else this.#waits.failed(name, started.waiting)
      return false
    }
    this.#waits.done(name)
    const { previous } = start
    if (previous?.state === 'exited' && !this.#asked.has(previous.id)) this.#backoff.restarted(previous)
    const { containerId } = started
    this.#postStarts.run({ pod, container: start.container, containerId, podIp: facts.podIps[0] ?? '' }, this.#life)
    return true
  }

  #stop(pod: Pod, view: PodView, stop: Stop): void {
    const podIp = factsOf(this.#crew, pod, view).podIps[0] ?? ''
    const graceSeconds = stop.graceSeconds ?? this.#graceOf(pod, stop)
    this.#crew.stopper.stop({ pod, container: stop.container, podIp, graceSeconds, message: stop.message }, this.#life)
  }

  /** The containers of a pod share its grace. */
  #graceOf(pod: Pod, { reason }: Stop): number {
    if (reason !== 'PodEnds') return pod.spec.terminationGracePeriodSeconds
    const { clock } = this.#crew
    this.#endingSince ??= clock.monotonic()
    const passed = (clock.monotonic() - this.#endingSince) / 1000
    const own = pod.deletion?.graceSeconds ?? pod.spec.terminationGracePeriodSeconds
    const grace = Math.min(own, (this.#shortGrace?.milliseconds ?? Number.POSITIVE_INFINITY) / 1000)
    return passed < 1 ? grace : Math.max(Math.min(grace, LEAST_GRACE_SECONDS), Math.ceil(grace - passed))
  }

  async #settle(pod: Pod, view: PodView, now: Now, signal: AbortSignal): Promise<Outcome> {
    const { plan, desired } = now
    this.#backOffEvents.tell(pod, view, plan)
    const isUnwanted = !desired || desired.isDeleted
    if (plan.isOver) await this.#release(pod)
    if (plan.isOver && isUnwanted) {
      if (!this.#isFinished) {
        await this.#report(pod, view, now, false)
        await this.#removeAll(view, signal)
        this.#isFinished = true
      }
      await this.#report(pod, view, now, true)
      if (!desired) this.#reporter.retract(this.#reportedAs)
      return { isGone: !desired }
    }
    if (!plan.isOver && this.#refreshDue && readySandbox(view)) await this.#refresh(pod, view, signal)
    await this.#report(pod, view, now, false)
    return this.#outcome(pod, plan)
  }

  async #refresh(pod: Pod, view: PodView, signal: AbortSignal): Promise<void> {
    this.#refreshDue = false
    await this.#crew.volumes.refresh(pod, factsOf(this.#crew, pod, view), signal)
  }

  #outcome(pod: Pod, plan: Plan): Outcome {
    const { clock } = this.#crew
    const { activeDeadlineSeconds: most } = pod.spec
    const { startedAt, ended } = this.#reporter.record
    const now = clock.now()
    const waits = plan.wakeAt === undefined ? [] : [plan.wakeAt - now]
    if (most !== undefined && !plan.isOver && !ended) waits.push(startedAt + most * 1000 - now)
    if (!this.#reporter.isKept) waits.push(KEEP_AGAIN_MS)
    const next = this.#waits.next([
      ...(plan.sandbox === 'make' ? [SANDBOX] : []),
      ...plan.start.map(({ container }) => container.name),
    ])
    if (next) waits.push(next.milliseconds)
    return waits.length === 0 ? { isGone: false } : { isGone: false, wakeAfter: ms(Math.max(10, Math.min(...waits))) }
  }

  /** What a pod that is over needs no more; its containers stay for those who read their logs. */
  async #release(pod: Pod): Promise<void> {
    if (this.#isReleased) return
    const { volumes, access, images, prober } = this.#crew
    prober.keepOnly(pod.uid, new Set())
    await volumes.remove(pod.uid)
    await access.revoke(pod.uid)
    images.forget(pod.uid)
    this.#isReleased = true
  }

  async #removeAll(view: PodView, signal: AbortSignal): Promise<void> {
    const { runtime, records } = this.#crew
    for (const { id } of view.containers) await runtime.removeContainer(id, signal)
    for (const { id } of view.sandboxes) await runtime.removeSandbox(id, signal)
    await records.remove(this.#identity.uid)
  }

  async #report(pod: Pod, view: PodView, { plan, desired }: Now, isFinished: boolean): Promise<void> {
    const { clock, prober, node } = this.#crew
    const { record } = this.#reporter
    const obstacle = this.#waits.why(SANDBOX)
    const input = {
      ...{ pod, view, before: record.status, startedAt: record.startedAt },
      lastWords: await this.#lastWords.of(pod, view, record.status),
      runtimeName: this.#crew.view.runtimeName,
      waiting: this.#waitingOf(plan),
      ...(obstacle ? { obstacle } : {}),
      ...(record.ended ? { ended: record.ended } : {}),
      isEnding: this.#isEnding(desired),
      resultsOf: (id: string) => prober.resultsOf(id),
      hostIps: node().hostIps,
      now: clock.now(),
    }
    await this.#reporter.report(input, desired, isFinished)
  }

  #waitingOf(plan: Plan): ReadonlyMap<string, Waiting> {
    const waiting = new Map(plan.waiting)
    for (const { container } of plan.start) {
      const why = this.#waits.why(container.name)
      if (why) waiting.set(container.name, why)
    }
    return waiting
  }

  /** It says why for as long as it is there; nothing of it is made. */
  #refuse(desired: Desired, message: string): Outcome {
    const why = { reason: 'NotSupported', message }
    if (this.#toldRefusal !== message) this.#crew.events.tell(this.#identity, { type: 'Warning', ...why })
    this.#toldRefusal = message
    const at = new Date(this.#reporter.record.startedAt).toISOString().replace(/\.\d+Z$/, 'Z')
    const condition = { type: 'PodReadyToStartContainers', status: 'False', ...why, lastTransitionTime: at }
    this.#reporter.tell({ phase: 'Pending', ...why, conditions: [condition] }, desired, desired.isDeleted)
    return { isGone: false }
  }

  /** Of a pod with such names nothing was ever made. */
  #forget(): Outcome {
    this.#reporter.retract(this.#reportedAs)
    return { isGone: true }
  }

  async #withoutRuntime(pod: Pod, desired: Desired | undefined): Promise<Outcome> {
    const { view } = this.#crew
    const { record } = this.#reporter
    const hasRun = ['containerStatuses', 'initContainerStatuses'].some((list) =>
      listIn(record.status, list).some((each) => textIn(each, 'containerID') !== undefined),
    )
    // What ran may run on: only the runtime knows.
    if (hasRun || !desired || !view.isAsked || view.get(pod.uid)) return { isGone: false }
    const why = { reason: 'ContainerRuntimeMissing', message: view.problem ?? '' }
    if (this.#waits.why(SANDBOX)?.message !== why.message) this.#crew.events.tell(pod, { type: 'Warning', ...why })
    this.#waits.told(SANDBOX, why)
    const waiting = new Map([...pod.spec.initContainers, ...pod.spec.containers].map(({ name }) => [name, why]))
    const plan = { ...NOTHING, waiting, isOver: desired.isDeleted }
    await this.#report(pod, emptyView(this.#identity), { plan, desired }, desired.isDeleted)
    return { isGone: false }
  }
}

interface Now {
  readonly plan: Plan
  readonly desired: Desired | undefined
}

const NOTHING: Plan = { stop: [], start: [], sandbox: 'keep', waiting: new Map(), wakeAt: undefined, isOver: false }

/** All of it that somebody wants, and nothing of what became of it. */
function wishOf({ labels, annotations, spec, deletion }: Pod) {
  return { labels, annotations, spec, deletion }
}

function isNamedWell({ uid, name, namespace }: PodIdentity): boolean {
  return [uid, name, namespace].every(isPlainName)
}
