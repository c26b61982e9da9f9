import { type Clock, type Duration, ms, seconds } from '../../../platform/time/index.ts'
import type { CloudHub } from '../cloudhub/delivery.ts'
import type { AnyObject, Informer } from '../kubernetes/index.ts'

/** What is known of a node, for what is said of its devices. */
export interface Presence {
  /** `here`: it has its session with this process. `elsewhere`: it renews its Lease, so another one must have it. */
  readonly at: 'here' | 'elsewhere' | 'nowhere'
  /** Nobody has heard of it for so long that its devices are unknown. */
  readonly isAway: boolean
  /** When the answer may become another one by itself. */
  readonly changesIn?: Duration
}

export interface NodePresencePorts {
  readonly hub: CloudHub
  readonly leases: Informer<AnyObject>
  readonly clock: Clock
}

/** A node that is back within this time was never away; also after a start of this process. */
const AWAY_GRACE: Duration = seconds(10)
/** Of a Lease that does not say; Kubernetes' own. */
const LEASE_DURATION: Duration = seconds(40)

/**
 * Who serves a node, also where several replicas run: its session here, or the Lease that it renews through whoever has its
 * session. Renewals are timed by the clock of this process, as they are seen, because clocks of others may be wrong; so all
 * replicas come to the same answer, at most the duration of a Lease apart.
 */
export class NodePresence implements Disposable {
  readonly #ports: NodePresencePorts
  /** When each node was last seen leaving, monotonic ms. */
  readonly #left = new Map<string, number>()
  /** When each Lease was last seen renewed, monotonic ms. */
  readonly #renewed = new Map<string, { readonly at: number; readonly duration: number }>()
  readonly #started: number
  readonly #subscription: Disposable

  constructor(ports: NodePresencePorts) {
    this.#ports = ports
    this.#started = ports.clock.monotonic()
    this.#subscription = ports.leases.onChange((now, before) => this.#onLease(now, before))
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]()
  }

  /** Told by CloudHub of each session that begins or ends. */
  connection(node: string, isConnected: boolean): void {
    if (isConnected) this.#left.delete(node)
    else this.#left.set(node, this.#ports.clock.monotonic())
  }

  /** Another replica has written what only who has the node's session can know. */
  heard(node: string): void {
    if (node === '' || this.#ports.hub.isConnected(node)) return
    const duration = this.#renewed.get(node)?.duration ?? LEASE_DURATION.milliseconds
    this.#renewed.set(node, { at: this.#ports.clock.monotonic(), duration })
  }

  /** The node is gone from the API. */
  forget(node: string): void {
    if (!this.#ports.hub.isConnected(node)) this.#left.delete(node)
  }

  of(node: string): Presence {
    const { hub, clock } = this.#ports
    if (node === '') return { at: 'nowhere', isAway: false }
    if (hub.isConnected(node)) return { at: 'here', isAway: false }
    const left = this.#left.get(node) ?? this.#started
    const renewed = this.#renewed.get(node)
    // A renewal after the session here ended: the node has another one.
    const isElsewhere = renewed !== undefined && renewed.at >= left
    const until = isElsewhere ? renewed.at + renewed.duration : left + AWAY_GRACE.milliseconds
    const rest = until - clock.monotonic()
    if (rest <= 0) return { at: 'nowhere', isAway: true }
    return { at: isElsewhere ? 'elsewhere' : 'nowhere', isAway: false, changesIn: ms(rest + 1) }
  }

  #onLease(now: AnyObject | undefined, before: AnyObject | undefined): void {
    const name = (now ?? before)?.metadata.name ?? ''
    if (!now) return void this.#renewed.delete(name)
    const isRenewal =
      !before || Reflect.get(before.spec ?? {}, 'renewTime') !== Reflect.get(now.spec ?? {}, 'renewTime')
    if (!isRenewal) return
    const given: unknown = Reflect.get(now.spec ?? {}, 'leaseDurationSeconds')
    const duration =
      typeof given === 'number' && given > 0 && given <= 3600 ? given * 1000 : LEASE_DURATION.milliseconds
    this.#renewed.set(name, { at: this.#ports.clock.monotonic(), duration })
  }
}
