import { isDeepStrictEqual } from 'node:util'
import { type Duration, ms } from '../../../platform/time/index.ts'
import { containerHash } from '../containers/hash.ts'
import { listIn, textIn } from '../pod/json.ts'
import type { Waiting } from '../pod/obstacle.ts'
import { isPlainName } from '../pod/plain-name.ts'
import type { Pod, PodIdentity } from '../pod/pod.ts'
import { unknownPod } from '../pod/unknown-pod.ts'
import { ANNOTATIONS } from '../state/labels.ts'
import { emptyView, type PodView, readySandbox } from '../state/pod-view.ts'
import { isTerminal } from '../status/phase.ts'
import { AskedRestarts } from './asked-restarts.ts'
import { BackOffEvents } from './back-off-events.ts'
import { CrashBackoff } from './crash-backoff.ts'
import type { Crew } from './crew.ts'
import type { Desired } from './desired-pods.ts'
import { Grace } from './grace.ts'
import { Health } from './health.ts'
import { LastWords } from './last-words.ts'
import { Leavings } from './leavings.ts'
import { nextLook, type Outcome } from './outcome.ts'
import { type Plan, planPod } from './plan.ts'
import type { PodRecord } from './pod-record.ts'
import { PodReporter } from './pod-reporter.ts'
import { PodSteps } from './pod-steps.ts'
import { factsOf } from './starter.ts'
import { SANDBOX, Waits } from './waits.ts'

/** Steps of one run before others have their turn. */
const MOST_ROUNDS = 20

/** The life of one pod on this node, from the first word of it to the last trace. */
export class PodWorker {
  readonly #identity: PodIdentity
  readonly #crew: Crew
  readonly #steps: PodSteps
  readonly #health: Health
  readonly #grace: Grace
  readonly #leavings: Leavings
  readonly #backOffEvents: BackOffEvents
  readonly #reporter: PodReporter
  readonly #backoff = new CrashBackoff()
  readonly #asked = new AskedRestarts()
  readonly #waits: Waits
  /** As last wanted; kept for its end when nobody wants it any more. */
  #pod: Pod | undefined
  #reportedAs: string
  #isAdmitted: boolean
  #toldRefusal: string | undefined
  #refreshDue = true
  readonly #lastWords: LastWords

  constructor(identity: PodIdentity, crew: Crew, record: PodRecord | undefined, life: AbortSignal) {
    const { uid, name, namespace } = identity
    this.#identity = { uid, name, namespace }
    this.#crew = crew
    this.#lastWords = new LastWords(crew)
    this.#backOffEvents = new BackOffEvents(crew.events)
    this.#waits = new Waits(crew.clock, crew.random)
    this.#reporter = new PodReporter(crew, record ?? { uid, name, namespace, startedAt: crew.clock.now() })
    this.#isAdmitted = record !== undefined
    this.#reportedAs = uid
    this.#health = new Health(crew)
    this.#grace = new Grace(crew.clock)
    this.#leavings = new Leavings(crew)
    this.#steps = new PodSteps(crew, {
      ...{
        waits: this.#waits,
        backoff: this.#backoff,
        asked: this.#asked,
        health: this.#health,
        grace: this.#grace,
        life,
      },
      record: () => this.#reporter.record,
      // One from a file may begin again while its end is not through.
      onBegin: () => {
        this.#leavings.restart()
        this.#grace.restart()
      },
      onMounted: () => {
        this.#refreshDue = false
      },
    })
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
    this.#grace.shorten(grace)
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
      const isMoved = await this.#steps.take(pod, found, plan, signal)
      if (!isMoved) return this.#settle(pod, found, { plan, desired }, signal)
      await view.refresh(pod.uid, signal)
      const seen = view.get(pod.uid) ?? emptyView(this.#identity)
      this.#health.follow(pod, seen, this.#reporter.record.status)
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
    this.#health.follow(pod, view, this.#reporter.record.status)
    return planPod({
      ...{ pod, view, backoff: this.#backoff, now: clock.now() },
      isEnding: this.#isEnding(desired),
      isAsked: (id) => this.#asked.has(id),
      isHooked: (id) => this.#health.isHooked(id),
      resultsOf: (id) => this.#health.resultsOf(id),
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

  async #settle(pod: Pod, view: PodView, now: Now, signal: AbortSignal): Promise<Outcome> {
    const { plan, desired } = now
    this.#backOffEvents.tell(pod, view, plan)
    const isUnwanted = !desired || desired.isDeleted
    if (plan.isOver) await this.#leavings.release(pod)
    if (plan.isOver && isUnwanted) {
      if (!this.#leavings.isRemoved) {
        await this.#report(pod, view, now, false)
        await this.#leavings.remove(this.#identity, view, signal)
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
    const { record, isKept } = this.#reporter
    const kept = { startedAt: record.startedAt, hasEnded: record.ended !== undefined, isKept }
    return nextLook({ pod, plan, waits: this.#waits }, kept, this.#crew.clock.now())
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
