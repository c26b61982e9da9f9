import { createReconciler, type Reconciler } from '../../../../platform/lifecycle/index.ts'
import {
  type AnyObject,
  createInformer,
  type InformerPorts,
  keyOf,
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
  /** With which call of `follow` it began: what was listed before counts for nothing after another one. */
  readonly #followed = new Map<string, number>()
  /** Their Nodes are gone, their pods not yet. */
  readonly #leaving = new Set<string>()
  readonly #ready = new Set<string>()
  readonly #byNode = new Map<string, Map<string, AnyObject>>()
  readonly #fills: Reconciler
  #follows = 0

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
    this.#leaving.delete(node)
    if (this.#followed.has(node)) return
    this.#followed.set(node, ++this.#follows)
    this.#fills.enqueue(node)
  }

  /** The node is gone from the API. Its pods leave one by one, as the API lets them go, and it is let go of with the last. */
  forget(node: string): void {
    if (this.#byNode.has(node)) return void this.#leaving.add(node)
    this.#leaving.delete(node)
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
    if (now) pods.set(keyOf(now), now)
    else pods.delete(keyOf(pod))
    if (pods.size > 0) this.#byNode.set(node, pods)
    else this.#byNode.delete(node)
    this.#ports.onChange(now, before)
    if (pods.size === 0 && this.#leaving.has(node)) this.forget(node)
  }

  async #fill(node: string, signal: AbortSignal): Promise<void> {
    const follow = this.#followed.get(node)
    if (follow === undefined || this.#ready.has(node)) return
    await this.#informer.synced(signal)
    const { kubernetes } = this.#ports
    for (let reads = 0; reads < MOST_READS; reads++) {
      // A complete list that ends after this one may be older than it, and would be believed.
      const before = this.#informer.lists
      const { items } = await kubernetes.list(PODS, { fieldSelector: `spec.nodeName=${node}` }, signal)
      if (this.#followed.get(node) !== follow) return
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
