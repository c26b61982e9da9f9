import type { Peer } from './peer.ts'

/** Of what a peer owes, paid with each call. */
const PART = 1 / 8

/**
 * Whose turn it is on a line that is too busy for all. Peers share its time, not its calls: one that answers as late as it may is
 * asked less often, and its neighbours keep their cycles (start-time fair queueing). While there is time for all, nobody waits
 * longer than for the call that is under way.
 */
export class Turns {
  readonly #waiting = new Set<Peer>()
  #now = 0

  /** Joins the queue, behind those that have had as little as it. */
  add(peer: Peer): void {
    this.#waiting.add(peer)
  }

  remove(peer: Peer): void {
    this.#waiting.delete(peer)
  }

  clear(): void {
    this.#waiting.clear()
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** Takes out the next one. */
  next(): Peer | undefined {
    let best: Peer | undefined
    let least = Number.POSITIVE_INFINITY
    for (const peer of this.#waiting) {
      // Who was idle has saved up nothing.
      const start = Math.max(this.#now, peer.served)
      if (start >= least) continue
      best = peer
      least = start
    }
    if (!best) return undefined
    this.#waiting.delete(best)
    this.#now = least
    return best
  }

  /**
   * Its call took so long, ms. It pays over its next calls, in all as much: where two hundred share a line, one hiccup of 100 ms
   * would else cost it twenty seconds in one piece.
   */
  charge(peer: Peer, cost: number): void {
    peer.owes += cost
    const part = peer.owes * PART
    peer.owes -= part
    peer.served = Math.max(this.#now, peer.served) + part
  }
}
