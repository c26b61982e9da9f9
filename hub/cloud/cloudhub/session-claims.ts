import type { Metrics } from '../../../platform/health/index.ts'
import { createReconciler, type Reconciler } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock, Random } from '../../../platform/time/index.ts'
import { SYSTEM_NAMESPACE } from '../authority/secrets.ts'
import { type AnyObject, type Informer, type Kubernetes, LEASES, reasonOfError } from '../kubernetes/index.ts'

export interface SessionClaimPorts {
  readonly kubernetes: Kubernetes
  /** Leases of namespace `kubeedge`. */
  readonly sessionLeases: Informer<AnyObject>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

interface Held {
  readonly session: string
  /** The API has said that the node is ours; what it says later of another holder is news. */
  isClaimed: boolean
}

/**
 * Which of several cloud halves has the session of a node: a Lease `kubeedge/<node>`, whose holder is the session. Who took the
 * node last writes itself in; the one before sees that and lets go. A Lease is written once for each session and never renewed:
 * whether the node lives, its own Lease says.
 */
export class SessionClaims {
  readonly #ports: SessionClaimPorts
  readonly #onLost: (node: string, session: string) => void
  readonly #held = new Map<string, Held>()
  readonly #queue: Reconciler

  constructor(ports: SessionClaimPorts, onLost: (node: string, session: string) => void) {
    const { clock, random, log, metrics } = ports
    this.#ports = ports
    this.#onLost = onLost
    this.#queue = createReconciler({
      name: 'session-claims',
      reconcile: (node, signal) => this.#write(node, signal),
      workers: 8,
      ...{ clock, random, log },
      ...(metrics ? { metrics } : {}),
    })
    ports.sessionLeases.onChange((now, before) => this.#look((now ?? before)?.metadata.name ?? ''))
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal)
  }

  hold(node: string, session: string): void {
    this.#held.set(node, { session, isClaimed: false })
    this.#queue.enqueue(node)
  }

  release(node: string, session: string): void {
    if (this.#held.get(node)?.session === session) this.#held.delete(node)
  }

  #look(node: string): void {
    const held = this.#held.get(node)
    if (!held?.isClaimed) return
    const holder = this.#holder(node)
    if (holder === held.session) return
    if (holder === undefined) {
      held.isClaimed = false
      this.#queue.enqueue(node)
      return
    }
    this.#held.delete(node)
    this.#onLost(node, held.session)
  }

  #holder(node: string): string | undefined {
    const holder = this.#ports.sessionLeases.get({ namespace: SYSTEM_NAMESPACE, name: node })?.spec?.['holderIdentity']
    return typeof holder === 'string' && holder !== '' ? holder : undefined
  }

  async #write(node: string, signal: AbortSignal): Promise<void> {
    const held = this.#held.get(node)
    if (!held || held.isClaimed) return
    const { kubernetes, sessionLeases, clock } = this.#ports
    const at = { namespace: SYSTEM_NAMESPACE, name: node }
    // MicroTime has six digits.
    const acquireTime = new Date(clock.now()).toISOString().replace('Z', '000Z')
    const spec = { holderIdentity: held.session, acquireTime }
    try {
      sessionLeases.absorb(await kubernetes.patch(LEASES, at, { spec }, { type: 'merge' }, signal))
    } catch (error) {
      if (reasonOfError(error) !== 'NotFound') throw error
      const metadata = { name: node, namespace: SYSTEM_NAMESPACE }
      sessionLeases.absorb(await kubernetes.create(LEASES, at.namespace, { metadata, spec }, signal))
    }
    held.isClaimed = true
    // The other may have been faster with the news than this one with its answer.
    this.#look(node)
  }
}
