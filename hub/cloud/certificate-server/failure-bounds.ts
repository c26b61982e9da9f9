import { type Clock, minutes, seconds } from '../../../platform/time/index.ts'
import { networkOf } from '../peers/network-of.ts'

export interface FailureBoundsOptions {
  readonly clock: Clock
  /** Refusals of one address in a minute that are answered at once; further ones wait a second. */
  readonly atOnce: number
  /** Most refusals of one address that wait; beyond, the connection is closed without an answer. */
  readonly waiting: number
}

interface Failures {
  since: number
  count: number
  waiting: number
}

const WINDOW = minutes(1)
const PAUSE = seconds(1)
/** Addresses remembered; the oldest are forgotten. */
const MOST_ADDRESSES = 4096

/** Slows down who fails often. Requests that are in order are never touched, whoever shares their address. */
export class FailureBounds {
  readonly #options: FailureBoundsOptions
  readonly #addresses = new Map<string, Failures>()

  constructor(options: FailureBoundsOptions) {
    this.#options = options
  }

  /** Resolves when the refusal may be answered; false where it is not worth one. */
  async pause(from: string | undefined, signal: AbortSignal): Promise<boolean> {
    const { clock, atOnce, waiting } = this.#options
    const failures = this.#failuresOf(networkOf(from))
    failures.count++
    if (failures.count <= atOnce) return true
    if (failures.waiting >= waiting) return false
    failures.waiting++
    try {
      await clock.sleep(PAUSE, signal)
      return true
    } finally {
      failures.waiting--
    }
  }

  #failuresOf(address: string): Failures {
    const now = this.#options.clock.monotonic()
    const known = this.#addresses.get(address)
    if (known && now - known.since < WINDOW.milliseconds) return known
    if (known && known.waiting > 0) return Object.assign(known, { since: now, count: this.#options.atOnce })
    const begun = { since: now, count: 0, waiting: 0 }
    this.#addresses.delete(address)
    this.#addresses.set(address, begun)
    const [oldest] = this.#addresses.keys()
    if (this.#addresses.size > MOST_ADDRESSES && oldest !== undefined) this.#addresses.delete(oldest)
    return begun
  }
}
