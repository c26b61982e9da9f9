import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { createReconciler, type Reconciler, type Scope } from '../../../platform/lifecycle/index.ts'
import { type Duration, minutes, ms, seconds } from '../../../platform/time/index.ts'
import { type JsonObject, objectChanges, parseResource } from '../../../schemas/index.ts'
import { textIn } from '../pod/json.ts'
import type { Waiting } from '../pod/obstacle.ts'
import type { Pod, PodIdentity } from '../pod/pod.ts'
import { isTerminal } from '../status/phase.ts'
import type { Crew } from './crew.ts'
import { identityOf } from './desired-pods.ts'
import type { Outcome } from './outcome.ts'
import type { PodRecord } from './pod-record.ts'
import { PodWorker } from './pod-worker.ts'
import { serveRestarts } from './serve-restarts.ts'

/** Pods that are worked on at a time; runtimes serve several well, and a slow one must not keep the others. */
const AT_ONCE = 10
/** One run waits for a runtime that makes a sandbox, at the longest. */
const LONGEST_RUN = minutes(6)
/** Tokens grow old, and objects may have changed without a word. At least so long, and half as long again at most. */
const REFRESH_EVERY = seconds(60)
const USED = new Set(['configmap', 'secret'])

/** For what is being made of a pod that is not wanted any more. */
const PATIENCE = seconds(10)

interface Making {
  readonly control: AbortController
  end?: Disposable
}

/** All pods of this node, each with its worker. */
export class Pods {
  readonly #crew: Crew
  readonly #workers = new Map<string, PodWorker>()
  readonly #records = new Map<string, PodRecord>()
  /** Runs under way that make something: a runtime that hangs must not keep their pods from ending. */
  readonly #making = new Map<string, Making>()
  /** Pods of which only files were found: their making or their end broke off. */
  readonly #remains = new Set<string>()
  readonly #queue: Reconciler
  #signal: AbortSignal | undefined

  constructor(crew: Crew, metrics: Metrics = silentMetrics) {
    this.#crew = crew
    const { clock, random, log } = crew
    this.#queue = createReconciler({
      name: 'edged-pods',
      reconcile: (uid, signal) => this.#step(uid, signal),
      workers: AT_ONCE,
      deadline: LONGEST_RUN,
      ...{ clock, random, log, metrics },
    })
    metrics
      .gauge({ name: 'skerry_edged_pods', help: 'Pods that this node has, or still has to end.' })
      .follow(() => this.#workers.size)
  }

  /** There is news of a pod. */
  enqueue(uid: string): void {
    if (uid === '') return
    if (!this.#isWanted(uid)) this.#giveUp(uid)
    this.#queue.enqueue(uid)
  }

  enqueueAll(): void {
    for (const uid of this.#known()) this.#queue.enqueue(uid)
  }

  /** Those that are to be, and those that still end. */
  uids(): ReadonlySet<string> {
    return new Set([...this.#crew.desired.uids(), ...this.#workers.keys()])
  }

  /** Those that take of what this node has: taken by it, and not ended. */
  holding(): readonly Pod[] {
    return this.#crew.desired.pods().filter(({ uid }) => {
      const worker = this.#workers.get(uid)
      if (worker) return worker.isHolding
      const record = this.#records.get(uid)
      return record !== undefined && !isTerminal(textIn(record.status, 'phase'))
    })
  }

  /** Something of it runs. */
  isAlive(uid: string): boolean {
    return this.#crew.view.get(uid)?.containers.some(({ state }) => state === 'running') ?? false
  }

  /** As it was last reported; also where nobody was there to hear it. */
  statusOf(uid: string): JsonObject | undefined {
    return (this.#workers.get(uid)?.record ?? this.#records.get(uid))?.status
  }

  /** It ends now, and does not begin again; why is in its status. */
  async end(uid: string, why: Waiting, grace: Duration): Promise<void> {
    await this.#workers.get(uid)?.end(why, grace)
    this.enqueue(uid)
  }

  async start(scope: Scope): Promise<void> {
    const { bus, records, desired, volumes, access } = this.#crew
    this.#signal = scope.signal
    for (const record of await records.all()) this.#records.set(record.uid, record)
    for (const uid of [...(await volumes.present()), ...(await access.present())]) this.#remains.add(uid)
    desired.start()
    scope.use({ [Symbol.asyncDispose]: async () => desired[Symbol.dispose]() })
    scope.use(bus.subscribe(objectChanges, ({ resource }) => this.#changed(resource)))
    scope.use(serveRestarts(this.#crew, (uid) => this.#restart(uid)))
    this.enqueueAll()
    scope.run((signal) => this.#queue.run(signal))
    scope.run((signal) => this.#keepFresh(signal))
  }

  #known(): ReadonlySet<string> {
    const { desired, view } = this.#crew
    const seen = view.views().map(({ uid }) => uid)
    return new Set([...desired.uids(), ...seen, ...this.#records.keys(), ...this.#remains, ...this.#workers.keys()])
  }

  async #step(uid: string, signal: AbortSignal): Promise<void> {
    const { desired } = this.#crew
    // What nobody names yet may be named in a moment: it runs on.
    if (!desired.get(uid) && !desired.isComplete) return
    const worker = this.#worker(uid)
    if (!worker) return
    const { isGone, wakeAfter } = await this.#run(uid, worker, signal)
    if (isGone) {
      this.#workers.delete(uid)
      this.#records.delete(uid)
      this.#remains.delete(uid)
    } else if (wakeAfter) this.#queue.enqueueAfter(uid, wakeAfter)
  }

  async #run(uid: string, worker: PodWorker, signal: AbortSignal): Promise<Outcome> {
    if (!this.#isWanted(uid)) return worker.step(signal)
    const making: Making = { control: new AbortController() }
    this.#making.set(uid, making)
    try {
      return await worker.step(AbortSignal.any([signal, making.control.signal]))
    } catch (error) {
      if (signal.aborted || !making.control.signal.aborted) throw error
      return { isGone: false, wakeAfter: ms(0) }
    } finally {
      making.end?.[Symbol.dispose]()
      this.#making.delete(uid)
    }
  }

  /** What is made for a pod that is not wanted any more is broken off, unless it is soon there: containerd may leave parts behind. */
  #giveUp(uid: string): void {
    const making = this.#making.get(uid)
    if (!making || making.end) return
    const reason = new Error('the pod is not wanted any more')
    making.end = this.#crew.clock.after(PATIENCE, () => making.control.abort(reason))
  }

  #isWanted(uid: string): boolean {
    return this.#crew.desired.get(uid)?.isDeleted === false
  }

  #worker(uid: string): PodWorker | undefined {
    const known = this.#workers.get(uid)
    if (known) return known
    const identity = this.#identityOf(uid)
    if (!identity || !this.#signal) return undefined
    const made = new PodWorker(identity, this.#crew, this.#records.get(uid), this.#signal)
    this.#workers.set(uid, made)
    return made
  }

  #identityOf(uid: string): PodIdentity | undefined {
    const { desired, view } = this.#crew
    const wanted = desired.get(uid)
    if (wanted) return identityOf(wanted.parsed)
    const known = view.get(uid) ?? this.#records.get(uid)
    return known ?? (this.#remains.has(uid) ? { uid, name: 'unknown', namespace: 'unknown' } : undefined)
  }

  /** An object of the cloud is another one now: pods of its namespace may use it. */
  #changed(resource: string): void {
    const path = parseResource(resource)
    if (!path || !USED.has(path.type)) return
    for (const { uid, namespace } of this.#crew.desired.pods()) {
      if (namespace === path.namespace) this.#refresh(uid)
    }
  }

  #refresh(uid: string): void {
    this.#workers.get(uid)?.refreshSoon()
    this.enqueue(uid)
  }

  #restart(uid: string): string | undefined {
    const worker = this.#worker(uid)
    const why = worker ? worker.restart() : 'this node ends'
    if (why === undefined) this.enqueue(uid)
    return why
  }

  async #keepFresh(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#crew
    while (!signal.aborted) {
      const wait = ms(REFRESH_EVERY.milliseconds * (1 + random.next() / 2))
      await clock.sleep(wait, signal).catch(() => undefined)
      for (const uid of this.#workers.keys()) this.#refresh(uid)
    }
  }
}
