import type { Metrics } from '../../../platform/health/index.ts'
import { createReconciler, type Reconciler } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, minutes, ms, type Random, seconds, withDeadline } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import type { Tunnels } from '../../tunnel/index.ts'
import { isRecord } from '../kubernetes/guards.ts'
import { type AnyObject, type Informer, type Kubernetes, NODES } from '../kubernetes/index.ts'
import { type KubeletEndpoint, patchToPlace, patchToRemove, placedIn } from './kubelet-endpoint.ts'

export interface NodeEndpointsOptions {
  /** IP address at which API servers reach this process; absent: the addresses of Nodes stay as they are. */
  readonly address?: string
  /** Of this process, new at each start. */
  readonly replica: string
}

export interface NodeEndpointsPorts {
  readonly kubernetes: Kubernetes
  readonly nodes: Informer<AnyObject>
  readonly tunnels: Tunnels
  /** Whether the node has its session with CloudHub here. */
  readonly isConnected: (node: string) => boolean
  /** Opens the port of a node, or says which one leads to it. */
  readonly openPort: (node: string) => Promise<number>
  readonly closePort: (node: string) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** A tunnel that comes back so soon was never away. */
const LINGER = seconds(10)
/** So long after a node is seen without a tunnel here, an endpoint that another process has left is taken away. */
const FORSAKEN = minutes(1)
const MOST_REMEMBERED = 10_000
const LEAVE = { within: seconds(3), atOnce: 16 }

/**
 * Keeps the endpoint in the status of each Node whose tunnel is open here, and takes it away with the tunnel. What a process left
 * that ended without a word, the one takes away to which the node is connected, or any where nobody hears of the node.
 */
export class NodeEndpoints {
  readonly #options: NodeEndpointsOptions
  readonly #ports: NodeEndpointsPorts
  readonly #queue: Reconciler
  /** Endpoints of other processes, by node: since when they seem to be left (monotonic ms). */
  readonly #forsaken = new Map<string, { readonly replica: string; readonly since: number }>()
  /** Whose endpoint was taken away once; one that comes back has an owner. */
  readonly #removed = new Set<string>()

  constructor(options: NodeEndpointsOptions, ports: NodeEndpointsPorts) {
    this.#options = options
    this.#ports = ports
    const { clock, random, log, metrics } = ports
    this.#queue = createReconciler({
      name: 'kubelet-endpoints',
      reconcile: (node, signal) => this.#reconcile(node, signal),
      workers: 8,
      ...{ clock, random, log },
      ...(metrics ? { metrics } : {}),
    })
  }

  /** Follows tunnels and Nodes until it is disposed; `run` does what that asks for. */
  follow(): Disposable {
    const { tunnels, nodes } = this.#ports
    const followed = [
      tunnels.onNode((node, isOpen) => (isOpen ? this.#queue.enqueue(node) : this.#queue.enqueueAfter(node, LINGER))),
      nodes.onChange((now, before) => {
        const node = now ?? before
        if (node && this.#concerns(node)) this.#queue.enqueue(node.metadata.name)
      }),
    ]
    return {
      [Symbol.dispose]() {
        for (const each of followed) each[Symbol.dispose]()
      },
    }
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal)
  }

  /** Takes away what is this process's, as far as there is time for it; the rest others take over or away. */
  async leave(): Promise<void> {
    const { nodes, clock } = this.#ports
    const own = nodes.list().filter((node) => placedIn(node)?.replica === this.#options.replica)
    const next = own.values()
    const work = async (signal: AbortSignal) => {
      for (const node of next) {
        if (signal.aborted) return
        await this.#write(node, patchToRemove(node), signal).catch(() => undefined)
      }
    }
    const all = async (signal: AbortSignal) => {
      await Promise.all(Array.from({ length: LEAVE.atOnce }, () => work(signal)))
    }
    await withDeadline(clock, LEAVE.within, undefined, all).catch(() => undefined)
  }

  /** A Node changes with each report; few changes are of this. */
  #concerns(node: AnyObject): boolean {
    const { name } = node.metadata
    if (this.#ports.tunnels.isOpen(name)) return true
    return placedIn(node) !== undefined || this.#forsaken.has(name)
  }

  async #reconcile(name: string, signal: AbortSignal): Promise<void> {
    const { tunnels, nodes, openPort, closePort } = this.#ports
    const node = nodes.get({ name })
    if (tunnels.isOpen(name)) {
      this.#forsaken.delete(name)
      const port = await openPort(name)
      if (node) await this.#write(node, patchToPlace(node, this.#endpoint(port)), signal)
      return
    }
    closePort(name)
    const placed = node && placedIn(node)
    if (!node || !placed) this.#forsaken.delete(name)
    else if (placed.replica === this.#options.replica) await this.#write(node, patchToRemove(node), signal)
    else await this.#lookAtForsaken(node, placed.replica, signal)
  }

  async #lookAtForsaken(node: AnyObject, replica: string, signal: AbortSignal): Promise<void> {
    const { clock, isConnected, log } = this.#ports
    const { name } = node.metadata
    const mark = `${name} ${replica}`
    if (this.#removed.has(mark) || !(isConnected(name) || isSilent(node))) {
      this.#forsaken.delete(name)
      return
    }
    const now = clock.monotonic()
    const known = this.#forsaken.get(name)
    const since = known?.replica === replica ? known.since : now
    this.#forsaken.set(name, { replica, since })
    const left = since + FORSAKEN.milliseconds - now
    if (left > 0) return this.#queue.enqueueAfter(name, ms(left))
    this.#forsaken.delete(name)
    this.#removed.add(mark)
    const [oldest] = this.#removed
    if (this.#removed.size > MOST_REMEMBERED && oldest !== undefined) this.#removed.delete(oldest)
    log.info('Took away the kubelet endpoint that another cloud half has left', { node: name })
    await this.#write(node, patchToRemove(node), signal)
  }

  #endpoint(port: number): KubeletEndpoint {
    const { address, replica } = this.#options
    return { ...(address === undefined ? {} : { address }), port, replica }
  }

  async #write(node: AnyObject, patch: JsonObject | undefined, signal: AbortSignal): Promise<void> {
    if (!patch) return
    const { kubernetes, nodes } = this.#ports
    const at = { name: node.metadata.name }
    nodes.absorb(await kubernetes.patch(NODES, at, patch, { type: 'merge', subresource: 'status' }, signal))
  }
}

/** Nobody hears of the node: not it, nor of it. */
function isSilent({ status }: AnyObject): boolean {
  const conditions: unknown = status?.['conditions']
  if (!Array.isArray(conditions)) return true
  return conditions.some((each: unknown) => isRecord(each) && each['type'] === 'Ready' && each['status'] === 'Unknown')
}
