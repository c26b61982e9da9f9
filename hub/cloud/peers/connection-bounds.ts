import { networkOf } from './network-of.ts'

/** What can be closed; a socket. */
export interface Closable {
  destroy(): void
}

export interface ConnectionBoundsOptions {
  /** Most connections that wait for their handshake or request, of one address and altogether. */
  readonly perAddress: number
  readonly altogether: number
  /** Told of each connection that had to go. */
  onClosed(): void
}

/**
 * Keeps slow peers from filling a port. A connection waits until its peer has shown who it is; where an address has too many that
 * wait, its oldest goes, and where there are too many altogether, the oldest of the address with the most: who is in order is
 * through in a moment, and thousands of gateways behind one address are nothing special.
 */
export class ConnectionBounds {
  readonly #options: ConnectionBoundsOptions
  /** Those that wait, oldest first, by their peer: address and port. */
  readonly #waiting = new Map<string, { readonly connection: Closable; readonly network: string }>()
  readonly #byNetwork = new Map<string, Set<string>>()

  constructor(options: ConnectionBoundsOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#waiting.size
  }

  opened(peer: string, address: string | undefined, connection: Closable): void {
    const network = networkOf(address)
    const neighbours = this.#byNetwork.get(network) ?? new Set()
    this.#byNetwork.set(network, neighbours)
    neighbours.add(peer)
    this.#waiting.set(peer, { connection, network })
    const { perAddress, altogether } = this.#options
    if (neighbours.size > perAddress) this.#closeOldest(neighbours)
    else if (this.#waiting.size > altogether) this.#closeOldest(this.#largest())
  }

  /** The peer has shown who it is, is being answered, or is gone. */
  settled(peer: string): void {
    const network = this.#waiting.get(peer)?.network
    if (network === undefined) return
    this.#waiting.delete(peer)
    const neighbours = this.#byNetwork.get(network)
    neighbours?.delete(peer)
    if (neighbours?.size === 0) this.#byNetwork.delete(network)
  }

  #largest(): Iterable<string> {
    let largest: ReadonlySet<string> = new Set()
    for (const peers of this.#byNetwork.values()) if (peers.size > largest.size) largest = peers
    return largest
  }

  #closeOldest(peers: Iterable<string>): void {
    for (const oldest of peers) {
      const connection = this.#waiting.get(oldest)?.connection
      this.settled(oldest)
      this.#options.onClosed()
      connection?.destroy()
      return
    }
  }
}
