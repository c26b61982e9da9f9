import { createReconciler, type Reconciler } from '../../../../platform/lifecycle/index.ts'
import {
  type AnyObject,
  createInformer,
  type InformerPorts,
  type ObjectKey,
  PODS,
  type RunningInformer,
} from '../../kubernetes/index.ts'

export interface PodCachePorts extends InformerPorts {
  /** A pod of a node that is followed came, changed or went. */
  onChange(now: AnyObject | undefined, before: AnyObject | undefined): void
  /** From now on all pods of the node are known. */
  onReady(node: string): void
}

/** A list that another one overtook is read again. */
const MOST_READS = 5

/**
 * Pods of the nodes that have been here, and of no others: one watch over all that are assigned, which keeps only those. What
 * the watch passed over before a node came, a list of that node alone brings.
 */
export class PodCache {
  readonly #ports: PodCachePorts
  readonly #informer: RunningInformer<AnyObject>
  readonly #followed = new Set<string>()
  readonly #ready = new Set<string>()
  readonly #byNode = new Map<string, Map<string, AnyObject>>()
  readonly #fills: Reconciler

  constructor(ports: PodCachePorts) {
    this.#ports = ports
    const keep = (pod: AnyObject) => this.#followed.has(nodeOf(pod))
    this.#informer = createInformer(PODS, { fieldSelector: 'spec.nodeName!=', keep }, ports)
    this.#informer.onChange((now, before) => this.#onChange(now, before))
    this.#fills = createReconciler({
      name: 'pods-of-node',
      reconcile: (node, signal) => this.#fill(node, signal),
      workers: 8,
      clock: ports.clock,
      random: ports.random,
      log: ports.log,
      ...(ports.metrics ? { metrics: ports.metrics } : {}),
    })
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#informer.run(signal), this.#fills.run(signal)])
  }

  /** From now on, until `forget`. */
  follow(node: string): void {
    if (this.#followed.has(node)) return
    this.#followed.add(node)
    this.#fills.enqueue(node)
  }

  /** The node is gone from the API. Its pods leave one by one, as the API lets them go. */
  forget(node: string): void {
    if (this.#byNode.has(node)) return
    this.#followed.delete(node)
    this.#ready.delete(node)
  }

  /** Whether all pods of the node are known. */
  isReady(node: string): boolean {
    return this.#ready.has(node)
  }

  get(at: ObjectKey): AnyObject | undefined {
    return this.#informer.get(at)
  }

  of(node: string): readonly AnyObject[] {
    return [...(this.#byNode.get(node)?.values() ?? [])]
  }

  get size(): number {
    return [...this.#byNode.values()].reduce((sum, pods) => sum + pods.size, 0)
  }

  #onChange(now: AnyObject | undefined, before: AnyObject | undefined): void {
    const pod = now ?? before
    if (!pod) return
    const node = nodeOf(pod)
    const pods = this.#byNode.get(node) ?? new Map<string, AnyObject>()
    if (before && (!now || nodeOf(before) !== node)) this.#drop(before)
    if (now) {
      pods.set(keyOfPod(now), now)
      this.#byNode.set(node, pods)
    }
    this.#ports.onChange(now, before)
  }

  #drop(pod: AnyObject): void {
    const pods = this.#byNode.get(nodeOf(pod))
    pods?.delete(keyOfPod(pod))
    if (pods?.size === 0) this.#byNode.delete(nodeOf(pod))
  }

  async #fill(node: string, signal: AbortSignal): Promise<void> {
    if (!this.#followed.has(node) || this.#ready.has(node)) return
    await this.#informer.synced(signal)
    const { kubernetes } = this.#ports
    for (let reads = 0; reads < MOST_READS; reads++) {
      // A complete list that ends after this one may be older than it, and would be believed.
      const before = this.#informer.lists
      const { items } = await kubernetes.list(PODS, { fieldSelector: `spec.nodeName=${node}` }, signal)
      if (before % 2 === 1 || before !== this.#informer.lists) continue
      for (const pod of items) this.#informer.absorb(pod)
      this.#ready.add(node)
      return this.#ports.onReady(node)
    }
    throw new Error('complete lists of pods follow each other too fast')
  }
}

export function nodeOf(pod: AnyObject): string {
  const node = pod.spec?.['nodeName']
  return typeof node === 'string' ? node : ''
}

function keyOfPod({ metadata }: AnyObject): string {
  return `${metadata.namespace ?? 'default'}/${metadata.name}`
}
