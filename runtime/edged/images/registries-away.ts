import {
  Backoff,
  type BackoffOptions,
  type Clock,
  minutes,
  type Random,
  seconds,
} from '../../../platform/time/index.ts'

interface Away {
  readonly backoff: Backoff
  error: unknown
  /** By the monotonic clock. */
  until: number
}

const BACKOFF: BackoffOptions = { first: seconds(10), most: minutes(5) }
/** More are forgotten, the oldest first: their next pull finds out again. */
const MOST = 256

/**
 * Registries that could not be reached, for a while each: a pull from one may take half a minute to fail, and after a start
 * without a network all pods would wait for one such pull after another.
 */
export class RegistriesAway {
  readonly #clock: Clock
  readonly #random: Random
  readonly #away = new Map<string, Away>()

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  /** With what the last pull failed, where it is not yet time to try again. */
  errorOf(registry: string): unknown {
    const found = this.#away.get(registry)
    return found && found.until > this.#clock.monotonic() ? found.error : undefined
  }

  failed(registry: string, error: unknown): void {
    const away = this.#away.get(registry) ?? { backoff: new Backoff(BACKOFF, this.#random), error, until: 0 }
    away.error = error
    away.until = this.#clock.monotonic() + away.backoff.next().milliseconds
    this.#away.delete(registry)
    this.#away.set(registry, away)
    const [oldest] = this.#away.keys()
    if (this.#away.size > MOST && oldest !== undefined) this.#away.delete(oldest)
  }

  answered(registry: string): void {
    this.#away.delete(registry)
  }
}
