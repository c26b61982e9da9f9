import type { Clock } from '../../../../platform/time/index.ts'

/** Events of one node at once, and in each second of a long time. */
const BURST = 100
const PER_SECOND = 2
/** Budgets remembered; the longest unused goes first, and would be full again by then. */
const MOST_NODES = 10_000

/** How many Events each node may still report: what goes wrong a thousand times must not fill the API. */
export class EventBudget {
  readonly #clock: Clock
  readonly #nodes = new Map<string, { left: number; at: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** False where the node has used up its budget. */
  take(node: string): boolean {
    const now = this.#clock.monotonic()
    const known = this.#nodes.get(node) ?? { left: BURST, at: now }
    const left = Math.min(BURST, known.left + ((now - known.at) / 1000) * PER_SECOND)
    this.#nodes.delete(node)
    this.#nodes.set(node, { left: left >= 1 ? left - 1 : left, at: now })
    const [oldest] = this.#nodes.keys()
    if (this.#nodes.size > MOST_NODES && oldest !== undefined) this.#nodes.delete(oldest)
    return left >= 1
  }
}
