import type { Bus } from '../../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { createReconciler, type Reconciler, type Scope, SkerryError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Random, seconds } from '../../../platform/time/index.ts'
import {
  type AssignedPod,
  assignedPods,
  links,
  listed,
  type ObjectWrite,
  requestObject,
  writeObject,
} from '../../../schemas/index.ts'
import { objectIn, textIn } from '../pod/json.ts'
import type { Pod } from '../pod/pod.ts'
import { isMirrorPod, mirroredHash, mirrorPod } from './mirror-pod.ts'

export interface MirrorPorts {
  readonly bus: Bus
  readonly nodeName: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
  /** The static pods by `<namespace>/<name>`; undefined while they are not known. */
  readonly pods: () => ReadonlyMap<string, Pod> | undefined
}

/** For an answer of the cloud. */
const ANSWER = seconds(30)
/** After which the cloud should have shown what was asked of it. */
const RECHECK = seconds(30)

/**
 * What the cloud shows of the static pods: made where it is missing, made anew where somebody deleted or changed it, taken away with
 * the pod. While the cloud is away nothing is done; it is all looked at again when it is back.
 */
export class Mirrors {
  readonly #ports: MirrorPorts
  readonly #queue: Reconciler

  constructor(ports: MirrorPorts) {
    this.#ports = ports
    const { clock, random, log, metrics = silentMetrics } = ports
    this.#queue = createReconciler({
      name: 'static-pod-mirrors',
      reconcile: (key, signal) => this.#reconcile(key, signal),
      workers: 2,
      backoff: { first: seconds(1), most: seconds(300) },
      ...{ clock, random, log, metrics },
    })
  }

  start(scope: Scope): void {
    const { bus } = this.#ports
    scope.use(bus.watch(assignedPods, ({ key }) => this.#queue.enqueue(key)))
    scope.use(bus.watch(listed, () => this.look()))
    scope.use(bus.watch(links, () => this.look()))
    scope.run((signal) => this.#queue.run(signal))
  }

  /** Other static pods, or the cloud is back. */
  look(): void {
    const { bus, pods } = this.#ports
    const mirrors = [...bus.list(assignedPods)].filter(([, { pod }]) => isMirrorPod(pod)).map(([key]) => key)
    for (const key of new Set([...(pods()?.keys() ?? []), ...mirrors])) this.#queue.enqueue(key)
  }

  /** The uid under which the cloud knows a static pod; undefined while it does not. */
  uidOf(key: string): string | undefined {
    const wanted = this.#ports.pods()?.get(key)
    const there = this.#ports.bus.get(assignedPods, key)
    return wanted && there && isOf(there, wanted) ? there.uid : undefined
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const { bus, pods, log } = this.#ports
    const known = pods()
    if (!known || !bus.get(listed, 'pods') || !bus.get(links, 'cloud')?.connected) return
    const wanted = known.get(key)
    const there = bus.get(assignedPods, key)
    if (there && !isMirrorPod(there.pod)) {
      if (wanted) log.warn('A static pod is not shown in the cloud: another pod has its name there', { pod: key })
      return
    }
    if (!there && !wanted) return
    if (there && wanted && isOf(there, wanted)) return
    if (there) await this.#remove(key, there.uid, signal)
    else if (wanted) await this.#make(key, wanted, signal)
    // What the cloud did comes down by itself. If not, it is asked again.
    this.#queue.enqueueAfter(key, RECHECK)
  }

  async #make(key: string, pod: Pod, signal: AbortSignal): Promise<void> {
    const { bus, nodeName, log } = this.#ports
    const request = { resource: `null/node/${nodeName}`, freshness: 'cloud-first' } as const
    try {
      const { object } = await bus.request(requestObject, request, { deadline: ANSWER, signal })
      const uid = textIn(objectIn(object, 'metadata'), 'uid')
      // Before its Node is there nobody could own it.
      if (uid === undefined) return
      await this.#write('insert', key, mirrorPod(pod, { name: nodeName, uid }), signal)
      log.info('The cloud shows a static pod', { pod: key })
    } catch (error) {
      if (reasonOf(error) === 'AlreadyExists') {
        log.info('A pod of the name of a static pod is in the cloud already', { pod: key })
      } else if (!isAway(error)) throw error
    }
  }

  async #remove(key: string, uid: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#write('delete', key, { gracePeriodSeconds: 0, preconditions: { uid } }, signal)
      this.#ports.log.info('The cloud no longer shows a static pod as it was', { pod: key, uid })
    } catch (error) {
      if (reasonOf(error) !== 'NotFound' && !isAway(error)) throw error
    }
  }

  async #write(operation: ObjectWrite['operation'], key: string, content: ObjectWrite['content'], signal: AbortSignal) {
    const [namespace, name] = key.split('/')
    const write = { operation, resource: `${namespace}/pod/${name}`, content }
    await this.#ports.bus.request(writeObject, write, { deadline: ANSWER, signal })
  }
}

/** It mirrors this pod, and nobody has asked for its end. */
function isOf({ pod }: AssignedPod, { uid }: Pod): boolean {
  return mirroredHash(pod) === uid && objectIn(pod, 'metadata')['deletionTimestamp'] === undefined
}

function reasonOf(error: unknown): unknown {
  return error instanceof SkerryError && error.code === 'HUB_WRITE_REFUSED' ? error.fields['reason'] : undefined
}

function isAway(error: unknown): boolean {
  return error instanceof SkerryError && error.code === 'HUB_OFFLINE'
}
