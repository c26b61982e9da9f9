import type { Metrics } from '../../../platform/health/index.ts'
import { createReconciler, type Reconciler } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock, Random } from '../../../platform/time/index.ts'
import { type AnyObject, type Informer, type Kubernetes, LEASES, reasonOfError } from '../kubernetes/index.ts'
import { holderOf, leaseOf, placeAnnotations } from './session-lease.ts'

export interface SessionClaimPorts {
  readonly kubernetes: Kubernetes
  /** Leases of namespace `kubeedge`. */
  readonly sessionLeases: Informer<AnyObject>
  /** `<address>:<port>` at which other replicas reach this one; absent: they do not. */
  readonly replica?: () => string | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

interface Held {
  readonly session: string
  /** Unix ms: when the session began. */
  readonly since: number
  /** The API has said that the node is ours; what it says later of another holder is news. */
  isClaimed: boolean
}

const MOST_ATTEMPTS = 5

/**
 * Which of several cloud halves has the session of a node: a Lease `kubeedge/<node>`, whose holder is the session. Who took the
 * node last writes itself in; the one before sees that and lets go. A Lease is written once for each session and never renewed:
 * whether the node lives, its own Lease says. A claim is written over the Lease that was seen and no other one, so that one that
 * an API holds up takes nothing from a session that began later. Which began later, clocks say, and only there: one that is
 * wrong costs a node one more connection.
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
    this.#held.set(node, { session, since: this.#ports.clock.now(), isClaimed: false })
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
    this.#lose(node, held)
  }

  #lose(node: string, held: Held): void {
    this.#held.delete(node)
    this.#onLost(node, held.session)
  }

  #holder(node: string): string | undefined {
    const lease = this.#ports.sessionLeases.get(leaseOf(node))
    return lease && holderOf(lease)
  }

  async #write(node: string, signal: AbortSignal): Promise<void> {
    const held = this.#held.get(node)
    if (!held || held.isClaimed) return
    const { kubernetes, sessionLeases } = this.#ports
    let seen = sessionLeases.get(leaseOf(node))
    for (let attempt = 1; ; attempt++) {
      try {
        sessionLeases.absorb(await this.#claim(node, held, seen, signal))
        break
      } catch (error) {
        const isOutdated = OUTDATED.has(reasonOfError(error) ?? '')
        if (!isOutdated || attempt >= MOST_ATTEMPTS) throw error
      }
      seen = await kubernetes.get(LEASES, leaseOf(node), signal)
      // It has begun another session here meanwhile, or ended.
      if (this.#held.get(node) !== held) return
      if (seen && isLater(seen, held)) return this.#lose(node, held)
    }
    held.isClaimed = true
    // The other may have been faster with the news than this one with its answer.
    this.#look(node)
  }

  #claim(node: string, held: Held, seen: AnyObject | undefined, signal: AbortSignal): Promise<AnyObject> {
    const { kubernetes, replica } = this.#ports
    const at = leaseOf(node)
    const place = placeAnnotations(replica?.(), held.session)
    // MicroTime has six digits.
    const acquireTime = new Date(held.since).toISOString().replace('Z', '000Z')
    const spec = { holderIdentity: held.session, acquireTime }
    if (!seen) return kubernetes.create(LEASES, at.namespace, { metadata: { ...at, ...place }, spec }, signal)
    const { resourceVersion } = seen.metadata
    return kubernetes.patch(LEASES, at, { metadata: { resourceVersion, ...place }, spec }, { type: 'merge' }, signal)
  }
}

/** What was seen is not what the API has. */
const OUTDATED: ReadonlySet<string> = new Set(['Conflict', 'AlreadyExists', 'NotFound'])

function isLater(lease: AnyObject, { session, since }: Held): boolean {
  const holder = holderOf(lease)
  const acquired = Date.parse(String(lease.spec?.['acquireTime']))
  return holder !== undefined && holder !== session && acquired > since
}
