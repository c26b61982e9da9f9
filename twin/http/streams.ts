import { Places } from '../../platform/lifecycle/index.ts'
import type { Caller } from './caller.ts'
import { problem } from './problem.ts'

/** One user may have half of the streams. */
const SHARE_OF_ONE = 2

/** Streams that are open at one door, within their bounds. */
export class Streams {
  readonly #most: number
  readonly #onRefused: () => void
  readonly #places = new Places<string | undefined>()

  constructor(most: number, onRefused: () => void) {
    this.#most = most
    this.#onRefused = onRefused
  }

  get count(): number {
    return this.#places.taken
  }

  /** Throws a ProblemError where there are too many. */
  enter({ user }: Caller): Disposable {
    const mostOfOne = Math.max(1, Math.floor(this.#most / SHARE_OF_ONE))
    if (this.count < this.#most && this.#places.takenBy(user) < mostOfOne) return this.#places.take(user)
    this.#onRefused()
    throw problem(503, 'too many streams are open: close some, or raise http.maxStreams', {
      headers: { 'retry-after': '5' },
    })
  }
}
