import { type Clock, type Duration, ms, seconds } from '../../../../platform/time/index.ts'
import { conditionStatus } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import type { Evicting } from './taints.ts'

/** Kubernetes' own figures: nodes a second, the part that is lost in a disruption, and what counts as a large cluster. */
const USUAL_PAUSE = seconds(10)
const DISRUPTED_PAUSE = seconds(100)
const DISRUPTED = 0.55
const FEW = 2
const LARGE = 50

interface Admission {
  readonly evicting: Evicting
  /** When to ask again. */
  readonly again?: Duration
}

/**
 * How fast nodes are given up. Where all are lost at once, nobody believes that all machines died: it is this side that lost
 * its network, and nothing is evicted; where most are lost, much more slowly.
 */
export class Fleet {
  readonly #clock: Clock
  #nextAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** For a node that has been given up already, or is not to be. */
  keep(nodes: readonly ApiObject[]): Admission {
    return { evicting: lostOf(nodes) === nodes.length ? 'none' : 'keep' }
  }

  /** For one more node that is not Ready. */
  admit(nodes: readonly ApiObject[]): Admission {
    const lost = lostOf(nodes)
    if (lost === nodes.length) return { evicting: 'none' }
    const isDisrupted = lost > FEW && lost / nodes.length >= DISRUPTED
    if (isDisrupted && nodes.length <= LARGE) return { evicting: 'keep' }
    const now = this.#clock.monotonic()
    if (now < this.#nextAt) return { evicting: 'keep', again: ms(this.#nextAt - now) }
    this.#nextAt = now + (isDisrupted ? DISRUPTED_PAUSE : USUAL_PAUSE).milliseconds
    return { evicting: 'add' }
  }
}

function lostOf(nodes: readonly ApiObject[]): number {
  return nodes.filter((node) => conditionStatus(node, 'Ready') !== 'True').length
}
