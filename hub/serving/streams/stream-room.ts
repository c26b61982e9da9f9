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
  readonly #users = new Map<string, number>()
  #taken = 0

  constructor(bounds: StreamBounds) {
    this.#bounds = bounds
  }

  get taken(): number {
    return this.#taken
  }

  /** Takes one until it is disposed. Throws a TooManyRequests Status. */
  take({ name }: User): Disposable {
    const own = this.#users.get(name) ?? 0
    if (this.#taken >= this.#bounds.most || own >= this.#bounds.mostOfUser) {
      throw tooManyRequests('too many streams to nodes are open, please try again later')
    }
    this.#taken++
    this.#users.set(name, own + 1)
    let isTaken = true
    return {
      [Symbol.dispose]: () => {
        if (!isTaken) return
        isTaken = false
        this.#taken--
        const left = (this.#users.get(name) ?? 1) - 1
        if (left > 0) this.#users.set(name, left)
        else this.#users.delete(name)
      },
    }
  }
}
