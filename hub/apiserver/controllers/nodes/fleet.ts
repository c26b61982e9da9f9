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
  /** By name: whether it is lost. */
  readonly #nodes = new Map<string, boolean>()
  #lost = 0
  #nextAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes a node as it is now, or that it is gone. True where what becomes of the lost ones is another than before. */
  note(name: string, node: ApiObject | undefined): boolean {
    const before = this.#trouble()
    if (this.#nodes.get(name)) this.#lost--
    this.#nodes.delete(name)
    if (node) {
      const isLost = conditionStatus(node, 'Ready') !== 'True'
      this.#nodes.set(name, isLost)
      if (isLost) this.#lost++
    }
    return this.#trouble() !== before
  }

  /** For a node that has been given up already, or is not to be. */
  keep(): Admission {
    return { evicting: this.#trouble() === 'all' ? 'none' : 'keep' }
  }

  /** For one more node that is not Ready. */
  admit(): Admission {
    const trouble = this.#trouble()
    if (trouble === 'all') return { evicting: 'none' }
    if (trouble === 'most of few') return { evicting: 'keep' }
    const now = this.#clock.monotonic()
    if (now < this.#nextAt) return { evicting: 'keep', again: ms(this.#nextAt - now) }
    this.#nextAt = now + (trouble === 'most' ? DISRUPTED_PAUSE : USUAL_PAUSE).milliseconds
    return { evicting: 'add' }
  }

  #trouble(): 'all' | 'most' | 'most of few' | 'usual' {
    const { size } = this.#nodes
    if (this.#lost === size) return 'all'
    if (this.#lost <= FEW || this.#lost / size < DISRUPTED) return 'usual'
    return size <= LARGE ? 'most of few' : 'most'
  }
}
