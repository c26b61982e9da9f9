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
 * Keeps slow peers from filling the endpoint. A connection waits until its peer has shown who it is; where an address has too many that
 * wait, its oldest goes: who is in order is through in a moment, and thousands of gateways behind one address are nothing special.
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
    else if (this.#waiting.size > altogether) this.#closeOldest(this.#waiting.keys())
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

/** An IPv4 address; of IPv6 the 64 bits that belong to one site. */
export function networkOf(address = ''): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? []
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  return [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ?? '').split(':')].slice(0, 4).join(':')
}
