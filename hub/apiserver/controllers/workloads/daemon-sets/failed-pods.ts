import { type Clock, minutes, seconds } from '../../../../../platform/time/index.ts'

/** Kubernetes' own: how soon a pod that failed is taken away again and again. */
const FIRST_WAIT = seconds(1)
const LONGEST_WAIT = minutes(15)
/** Who has not failed for so long begins anew. */
const REMEMBERED = minutes(30)

/** When pods that failed may be taken away: the first of a node at once, the next ones later and later. */
export class FailedPods {
  readonly #clock: Clock
  /** By uid of the set and the node; those that failed last stand last. Monotonic ms. */
  readonly #failures = new Map<string, { readonly at: number; readonly wait: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Those that are remembered. */
  get size(): number {
    return this.#failures.size
  }

  /** In ms. With 0 it is due, and counted as one more failure. */
  untilDue(set: string, node: string): number {
    const now = this.#clock.monotonic()
    this.#forget(now - REMEMBERED.milliseconds)
    const key = `${set} ${node}`
    const last = this.#failures.get(key)
    const left = last ? last.at + last.wait - now : 0
    if (left > 0) return left
    const wait = last ? Math.min(last.wait * 2, LONGEST_WAIT.milliseconds) : FIRST_WAIT.milliseconds
    this.#failures.delete(key)
    this.#failures.set(key, { at: now, wait })
    return 0
  }

  #forget(before: number): void {
    for (const [key, { at }] of this.#failures) {
      if (at >= before) return
      this.#failures.delete(key)
    }
  }
}
