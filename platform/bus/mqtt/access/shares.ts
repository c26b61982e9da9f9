import type { Duplex } from 'node:stream'

/** Connections of each user, so that none of them takes all that the broker has. Anonymous clients share one share. */
export class ConnectionShares {
  readonly #most: number
  readonly #held = new Map<string | undefined, number>()

  constructor(most: number) {
    this.#most = most
  }

  isFull(user: string | undefined): boolean {
    return (this.#held.get(user) ?? 0) >= this.#most
  }

  /** Holds a place until the connection closes. */
  take(user: string | undefined, connection: Duplex): void {
    this.#held.set(user, (this.#held.get(user) ?? 0) + 1)
    connection.once('close', () => {
      const left = (this.#held.get(user) ?? 1) - 1
      if (left === 0) this.#held.delete(user)
      else this.#held.set(user, left)
    })
  }
}
