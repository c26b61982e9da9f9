const SERIAL_TIMES = 5

/**
 * Decides what a time-out means. On a serial line a unit was silent. Over a socket it may be the whole way: the connection counts
 * as lost when no other unit has any use for it, that is, when only this unit ever answered on it, or when this unit has timed
 * out before and nobody was heard in between.
 */
export class Silence {
  readonly #isSerial: boolean
  readonly #answered = new Set<number>()
  /** Time-outs of each unit since anybody was last heard. */
  readonly #timeouts = new Map<number, number>()

  constructor(isSerial: boolean) {
    this.#isSerial = isSerial
  }

  heard(unitId: number): void {
    this.#answered.add(unitId)
    if (this.#timeouts.size > 0) this.#timeouts.clear()
  }

  /** Whether the connection is lost, not just the unit silent. */
  timedOut(unitId: number): boolean {
    const times = (this.#timeouts.get(unitId) ?? 0) + 1
    this.#timeouts.set(unitId, times)
    // A USB adapter that was pulled does not always say so: the port is opened anew.
    if (this.#isSerial) return times >= SERIAL_TIMES
    return times > 1 || (this.#answered.size === 1 && this.#answered.has(unitId))
  }
}
