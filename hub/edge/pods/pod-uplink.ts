import type { Bus } from '../../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { createReconciler, type Reconciler, type Scope, UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, ms, type Random, seconds } from '../../../platform/time/index.ts'
import { assignedPods, type PodReport, podReports } from '../../../schemas/index.ts'
import type { MetaManager } from '../meta/meta-manager.ts'
import type { Road, RoadUser } from '../road.ts'
import type { CloudRequests } from '../session/cloud-requests.ts'
import { objectAnswer } from '../session/object-answer.ts'
import { podDeletion, podDeletionRoute, podPatch, podPatchRoute, resourceOf } from './pod-frames.ts'

export interface PodUplinkPorts {
  readonly bus: Bus
  readonly cloud: CloudRequests
  readonly meta: MetaManager
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** Pods with a message under way; with what else a node asks, below what a cloud takes of it. */
const AT_ONCE = 8

/**
 * Pods to the cloud, as state: the latest report of each until the cloud has it, one message of a pod under way. What is
 * reported while the cloud is away is merged into one. A pod that the cloud does not know goes here, too.
 */
export class PodUplink implements RoadUser {
  readonly #ports: PodUplinkPorts
  readonly #queue: Reconciler
  /** Reports that the cloud has, by pod: the same value is not sent again. */
  readonly #confirmed = new Map<string, PodReport>()
  /** Of the link, once it is the turn of pods. */
  #road: Road | undefined

  constructor(ports: PodUplinkPorts) {
    this.#ports = ports
    const { clock, random, log, metrics = silentMetrics } = ports
    this.#queue = createReconciler({
      name: 'edge-pods',
      reconcile: (pod) => this.#report(pod),
      workers: AT_ONCE,
      backoff: { first: ms(500), most: seconds(60) },
      ...{ clock, random, log, metrics },
    })
    const gauge = metrics.gauge({
      name: 'skerry_edgehub_pods_waiting',
      help: 'Pods with a report that the cloud has not confirmed.',
    })
    gauge.follow(() => this.depth)
  }

  get depth(): number {
    let depth = 0
    for (const [pod, report] of this.#ports.bus.list(podReports)) if (this.#isDue(pod, report)) depth++
    return depth
  }

  start(scope: Scope): void {
    const { bus } = this.#ports
    scope.use(bus.watch(podReports, ({ key }) => this.#note(key)))
    scope.run((signal) => this.#queue.run(signal))
  }

  /** Everything that the cloud does not have goes now. */
  connected(road: Road): void {
    this.#road = road
    for (const pod of this.#ports.bus.list(podReports).keys()) this.#note(pod)
  }

  disconnected(road: Road): void {
    if (this.#road === road) this.#road = undefined
  }

  /** The cloud has lost what it confirmed. */
  forgetConfirmed(): void {
    this.#confirmed.clear()
  }

  #note(pod: string): void {
    const report = this.#ports.bus.get(podReports, pod)
    if (!report) this.#confirmed.delete(pod)
    // Without a link there is nothing to do, and nothing to fail: `connected` asks again.
    else if (this.#road && this.#isDue(pod, report)) this.#queue.enqueue(pod)
  }

  /** Of a pod that this node has, and different from what the cloud has. */
  #isDue(pod: string, report: PodReport): boolean {
    return this.#ports.bus.get(assignedPods, pod)?.uid === report.uid && !isSame(this.#confirmed.get(pod), report)
  }

  async #report(pod: string): Promise<void> {
    const { bus, cloud } = this.#ports
    const report = bus.get(podReports, pod)
    if (!report || !this.#road || !this.#isDue(pod, report)) return
    const answer = objectAnswer((await cloud.ask(podPatchRoute(pod), podPatch(report))).content)
    if (!answer.ok) return this.#refused(pod, report, answer)
    if (report.isFinished) {
      const deleted = objectAnswer((await cloud.ask(podDeletionRoute(pod), podDeletion(report))).content)
      if (!deleted.ok) return this.#refused(pod, report, deleted)
    }
    if (bus.get(podReports, pod)?.uid === report.uid) this.#confirmed.set(pod, report)
  }

  async #refused(pod: string, { uid }: PodReport, answer: { readonly reason: string; readonly message: string }) {
    // Another uid: the name belongs to another pod by now, which the cloud sends by itself.
    if (answer.reason === 'NotFound' || /\buid\b/i.test(answer.message)) {
      this.#ports.log.info('The cloud does not know a pod of this node: it goes', { pod, uid, reason: answer.reason })
      return this.#ports.meta.drop(resourceOf(pod, 'pod'), uid)
    }
    throw new UnavailableError('The cloud did not take the status of a pod', {
      code: 'HUB_POD_STATUS_REFUSED',
      fields: { pod, ...answer },
    })
  }
}

function isSame(a: PodReport | undefined, b: PodReport): boolean {
  return a === b || (a !== undefined && JSON.stringify(a) === JSON.stringify(b))
}
