/** Of the time of a line that peers which do not answer may take from those that do. */
const SHARE = 0.02
/** Saved up while all answer, ms: a device that misses one call is asked again soon. */
const MOST_SAVED_MS = 4000

/**
 * How much time a line may spend waiting for nobody. Only calls without an answer are charged, so that peers which come back
 * together are all found within a moment.
 */
export class SilenceBudget {
  #saved = MOST_SAVED_MS
  #at: number

  /** Monotonic ms. */
  constructor(now: number) {
    this.#at = now
  }

  /**
   * A call without an answer took so long. `isFirst`: of a peer that has answered for long. Nobody could know, and many may fall
   * silent together, so these alone put off the next try no longer than one of them would.
   */
  spend(cost: number, now: number, isFirst: boolean): void {
    this.#advance(now)
    const left = this.#saved - cost
    this.#saved = isFirst ? Math.max(left, Math.min(this.#saved, -cost)) : left
  }

  /** When the next try is allowed, monotonic ms. */
  allowedAt(now: number): number {
    this.#advance(now)
    return this.#saved >= 0 ? now : now - this.#saved / SHARE
  }

  #advance(now: number): void {
    this.#saved = Math.min(MOST_SAVED_MS, this.#saved + Math.max(0, now - this.#at) * SHARE)
    this.#at = now
  }
}
