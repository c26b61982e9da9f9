import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Places } from '../../platform/lifecycle/index.ts'
import { problem } from './problem.ts'

/** Most of one pod at a time. */
export interface PodLimits {
  readonly maxConnections: number
  /** Without streams. */
  readonly maxRequests: number
  readonly maxStreams: number
}

type Bound = 'connections' | 'requests' | 'streams'

/** A request of a pod that is being answered. */
export interface Visit extends Disposable {
  /** It takes the place of a stream for that of a request. Throws a ProblemError where the pod has too many. */
  becomeStream(): void
}

interface Open {
  readonly response: ServerResponse
  isStream: boolean
}

/** What pods have open, each within its own bounds and no longer than its account lives. */
export class PodGuests {
  readonly #limits: PodLimits
  readonly #onRefused: (bound: Bound) => void
  readonly #connections = new Places<string>()
  readonly #usersOf = new WeakMap<Socket, Set<string>>()
  readonly #requests = new Places<string>()
  readonly #streams = new Places<string>()
  readonly #open = new Map<string, Set<Open>>()

  constructor(limits: PodLimits, onRefused: (bound: Bound) => void) {
    this.#limits = limits
    this.#onRefused = onRefused
  }

  /** A request, until it is disposed. Throws a ProblemError where the pod has too many of them, or of connections. */
  enter(user: string, socket: Socket, response: ServerResponse): Visit {
    this.#connect(user, socket)
    let place = this.#take(this.#requests, user, 'requests', this.#limits.maxRequests)
    const open: Open = { response, isStream: false }
    const all = this.#open.get(user) ?? new Set()
    this.#open.set(user, all.add(open))
    return {
      becomeStream: () => {
        const stream = this.#take(this.#streams, user, 'streams', this.#limits.maxStreams)
        place[Symbol.dispose]()
        place = stream
        open.isStream = true
      },
      [Symbol.dispose]: () => {
        place[Symbol.dispose]()
        all.delete(open)
        if (all.size === 0 && this.#open.get(user) === all) this.#open.delete(user)
      },
    }
  }

  /**
   * Its streams come back with what it may do now, and so does what it has not said to its end: that would be done later with the rights
   * of before. Of a pod that is gone nothing is left.
   */
  end(user: string, change: 'changed' | 'gone'): void {
    for (const { response, isStream } of [...(this.#open.get(user) ?? [])]) {
      if (isStream || change === 'gone' || !response.req.complete) response.destroy()
    }
  }

  /** Whose a connection is shows with its first request. */
  #connect(user: string, socket: Socket): void {
    const users = this.#usersOf.get(socket) ?? new Set()
    // One that was closed while it was found out whose it is gives no place back any more.
    if (users.has(user) || socket.destroyed) return
    const place = this.#take(this.#connections, user, 'connections', this.#limits.maxConnections)
    this.#usersOf.set(socket, users.add(user))
    socket.once('close', () => place[Symbol.dispose]())
  }

  #take(places: Places<string>, user: string, bound: Bound, most: number): Disposable {
    if (places.takenBy(user) < most) return places.take(user)
    this.#onRefused(bound)
    throw problem(429, `this pod has ${most} ${bound}, and may not have more at a time: see http.pods`, {
      headers: { 'retry-after': '1', ...(bound === 'connections' ? { connection: 'close' } : {}) },
    })
  }
}
