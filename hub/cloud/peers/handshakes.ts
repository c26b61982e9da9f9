import type { Clock, Duration } from '../../../platform/time/index.ts'
import type { Closable } from './connection-bounds.ts'
import { networkOf } from './network-of.ts'

export interface HandshakesOptions {
  /** Most under way at a time. */
  readonly atOnce: number
  /** One that takes longer has to go where others wait. */
  readonly patience: Duration
  readonly clock: Clock
  /** Told of each connection that had to go. */
  onClosed(): void
}

interface Waiting {
  readonly peer: string
  readonly connection: Closable
  readonly begin: () => void
}

interface UnderWay {
  readonly connection: Closable
  /** Monotonic ms. */
  readonly since: number
}

/**
 * Lets few TLS handshakes be under way at a time, so that those of a whole fleet that comes back at once do not all take so long that
 * none is in time. Addresses take turns; the caller bounds how many wait.
 */
export class Handshakes {
  readonly #options: HandshakesOptions
  /** By network, the one whose turn is next first. */
  readonly #waiting = new Map<string, Waiting[]>()
  /** Those under way, oldest first, by their peer: address and port. */
  readonly #underWay = new Map<string, UnderWay>()
  #timer: Disposable | undefined

  constructor(options: HandshakesOptions) {
    this.#options = options
  }

  get underWay(): number {
    return this.#underWay.size
  }

  /** `begin` is called in the turn of the connection; `settled` has to be called when it is through, or gone. */
  enter(waiting: Waiting, address: string | undefined): void {
    const network = networkOf(address)
    const neighbours = this.#waiting.get(network)
    if (neighbours) neighbours.push(waiting)
    else this.#waiting.set(network, [waiting])
    this.#pump()
  }

  /** Its handshake has ended, or it is gone. */
  settled(peer: string): void {
    if (!this.#underWay.delete(peer)) this.#withdraw(peer)
    this.#pump()
  }

  #pump(): void {
    for (const [network, waiting] of this.#waiting) {
      if (this.#underWay.size >= this.#options.atOnce) {
        this.#watch()
        return
      }
      this.#waiting.delete(network)
      const next = waiting.shift()
      // The loop meets it again there.
      if (waiting.length > 0) this.#waiting.set(network, waiting)
      if (!next) continue
      this.#underWay.set(next.peer, { connection: next.connection, since: this.#options.clock.monotonic() })
      next.begin()
    }
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
  }

  /** Others wait: the oldest gets its time, and no more. */
  #watch(): void {
    const { clock, patience, onClosed } = this.#options
    const [oldest] = this.#underWay
    if (!oldest || this.#timer) return
    const [peer, { connection, since }] = oldest
    const rest = since + patience.milliseconds - clock.monotonic()
    this.#timer = clock.after({ milliseconds: Math.max(0, rest) }, () => {
      this.#timer = undefined
      if (this.#underWay.get(peer)?.connection === connection) {
        onClosed()
        connection.destroy()
        this.settled(peer)
      } else this.#pump()
    })
  }

  #withdraw(peer: string): void {
    for (const [network, waiting] of this.#waiting) {
      const at = waiting.findIndex((each) => each.peer === peer)
      if (at < 0) continue
      waiting.splice(at, 1)
      if (waiting.length === 0) this.#waiting.delete(network)
      return
    }
  }
}
