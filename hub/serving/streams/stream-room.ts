import { Places } from '../../../platform/lifecycle/index.ts'
import { tooManyRequests } from '../../kube/status.ts'
import type { User } from '../user.ts'

export interface StreamBounds {
  /** Streams to nodes at the same time; default 512. */
  readonly most: number
  /** Of one user; default 128. */
  readonly mostOfUser: number
}

export const STREAM_BOUNDS: StreamBounds = { most: 512, mostOfUser: 128 }

/** Room for the streams that go through the API to nodes at the same time. */
export class StreamRoom {
  readonly #bounds: StreamBounds
  readonly #places = new Places<string>()

  constructor(bounds: StreamBounds) {
    this.#bounds = bounds
  }

  get taken(): number {
    return this.#places.taken
  }

  /** Takes one until it is disposed. Throws a TooManyRequests Status. */
  take({ name }: User): Disposable {
    const { most, mostOfUser } = this.#bounds
    if (this.taken < most && this.#places.takenBy(name) < mostOfUser) return this.#places.take(name)
    throw tooManyRequests('too many streams to nodes are open, please try again later')
  }
}
