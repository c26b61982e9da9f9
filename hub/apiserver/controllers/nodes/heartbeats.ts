import { type Clock, type Duration, ms } from '../../../../platform/time/index.ts'
import { conditionOf, objectAt, textAt } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'

/**
 * When each node was last heard of, by the clock of this process and never by the clock of the node: a node whose clock is
 * wrong by minutes is heard as well as another. Time in which this process itself did not run does not count as silence.
 */
export class Heartbeats {
  readonly #clock: Clock
  readonly #every: Duration
  readonly #heard = new Map<string, { sign: string; at: number }>()
  #tick: number

  /** `every`: how often `tick` has to be called. */
  constructor(clock: Clock, every: Duration) {
    this.#clock = clock
    this.#every = every
    this.#tick = clock.monotonic()
  }

  /** A node counts as heard when what it renews differs from last time, and when it is seen for the first time. */
  hear(node: ApiObject | undefined, lease: ApiObject | undefined, name: string): void {
    const renewed = lease ? textAt(objectAt(lease, 'spec'), 'renewTime') : ''
    const posted = node ? textAt(conditionOf(node, 'Ready') ?? {}, 'lastHeartbeatTime') : ''
    const sign = `${renewed} ${posted}`
    if (this.#heard.get(name)?.sign !== sign) this.#heard.set(name, { sign, at: this.#clock.monotonic() })
  }

  forget(name: string): void {
    this.#heard.delete(name)
  }

  silenceOf(name: string): Duration {
    this.tick()
    const now = this.#clock.monotonic()
    return ms(now - (this.#heard.get(name)?.at ?? now))
  }

  /** Where two ticks are far apart, this process stood still, and with it the connections of all nodes. */
  tick(): void {
    const now = this.#clock.monotonic()
    const every = this.#every.milliseconds
    const stood = now - this.#tick - every
    this.#tick = now
    if (stood < every) return
    for (const each of this.#heard.values()) each.at = Math.min(now, each.at + stood)
  }
}
