import type { Metrics } from '../../../platform/health/index.ts'
import { createReconciler, type Reconciler } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock, Random } from '../../../platform/time/index.ts'
import type { FrameRoute } from '../../../schemas/index.ts'
import { type AnyObject, type Informer, type Kubernetes, NODES, reasonOfError } from '../kubernetes/index.ts'

export interface ResyncMarkPorts {
  readonly kubernetes: Kubernetes
  readonly nodes: Informer<AnyObject>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** On a Node. Another value than before has everything sent to the node once more; people may set it, too. */
export const RESYNC_ANNOTATION = 'skerry.dev/resync'

/**
 * Which memory of a node its acknowledgements speak of, as far as the node does not say so itself. An original edge has no word
 * for its database, but each of its processes registers the Node once, and only a new process can have lost it: so each
 * registration is a new mark. The mark is in the API before the registration is answered, and a process without an answer
 * registers again.
 */
export class ResyncMarks {
  readonly #ports: ResyncMarkPorts
  readonly #onChange: (node: string, isForced: boolean) => void
  /** Not written yet. */
  readonly #wanted = new Map<string, string>()
  readonly #queue: Reconciler

  /** `isForced`: somebody else set the mark, and means it. */
  constructor(ports: ResyncMarkPorts, onChange: (node: string, isForced: boolean) => void) {
    const { clock, random, log, metrics } = ports
    this.#ports = ports
    this.#onChange = onChange
    this.#queue = createReconciler({
      name: 'resync-marks',
      reconcile: (node, signal) => this.#write(node, signal),
      workers: 8,
      ...{ clock, random, log },
      ...(metrics ? { metrics } : {}),
    })
    ports.nodes.onChange((now, before) => {
      if (!now) return
      const { name } = now.metadata
      if (!before && this.#wanted.has(name)) this.#queue.enqueue(name)
      if (before && markOf(before) !== markOf(now)) this.#onChange(name, this.#wanted.get(name) !== markOf(now))
    })
  }

  get isSynced(): boolean {
    return this.#ports.nodes.isSynced
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal)
  }

  of(node: string): string {
    return this.#wanted.get(node) ?? markOf(this.#ports.nodes.get({ name: node }))
  }

  /** Settles when the mark is in the API, or cannot be put there now; then that is tried again. Never rejects. */
  async renew(node: string): Promise<void> {
    this.#wanted.set(node, this.#ports.random.uuid())
    this.#onChange(node, false)
    try {
      await this.#write(node, undefined)
    } catch (error) {
      this.#ports.log.warn('The mark of a new edge process could not be written yet', { node, error })
      this.#queue.enqueue(node)
    }
  }

  forget(node: string): void {
    this.#wanted.delete(node)
  }

  async #write(node: string, signal: AbortSignal | undefined): Promise<void> {
    const mark = this.#wanted.get(node)
    if (mark === undefined) return
    const { kubernetes, nodes } = this.#ports
    const metadata = { annotations: { [RESYNC_ANNOTATION]: mark } }
    try {
      nodes.absorb(await kubernetes.patch(NODES, { name: node }, { metadata }, { type: 'merge' }, signal))
    } catch (error) {
      // Written when the Node is there.
      if (reasonOfError(error) === 'NotFound') return
      throw error
    }
    if (this.#wanted.get(node) === mark) this.#wanted.delete(node)
  }
}

/** `insert null/node/<node>`: what a new process of an edge says once. */
export function isRegistration({ operation, resource }: FrameRoute, node: string): boolean {
  return operation === 'insert' && (resource === `null/node/${node}` || resource === `default/node/${node}`)
}

function markOf(node: AnyObject | undefined): string {
  return node?.metadata.annotations?.[RESYNC_ANNOTATION] ?? ''
}
