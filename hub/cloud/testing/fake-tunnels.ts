import { type Duplex, duplexPair } from 'node:stream'
import { RefusedError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Tunnels, TunnelTarget } from '../../tunnel/index.ts'

/** Tunnels without a network: what is opened to a node is given to its handler. */
export class FakeTunnels implements Tunnels {
  readonly #nodes = new Map<string, (stream: Duplex) => void>()
  readonly #followers = new Set<(node: string, isOpen: boolean) => void>()
  /** Streams opened so far, each as its two ends. */
  readonly opened: {
    readonly node: string
    readonly target: TunnelTarget
    readonly cloud: Duplex
    readonly edge: Duplex
  }[] = []

  connect(node: string, serve: (stream: Duplex) => void): void {
    this.#nodes.set(node, serve)
    for (const follower of this.#followers) follower(node, true)
  }

  disconnect(node: string): void {
    this.#nodes.delete(node)
    for (const follower of this.#followers) follower(node, false)
  }

  isOpen(node: string): boolean {
    return this.#nodes.has(node)
  }

  peer(node: string): 'skerry' | undefined {
    return this.isOpen(node) ? 'skerry' : undefined
  }

  async open(node: string, target: TunnelTarget, signal: AbortSignal): Promise<Duplex> {
    signal.throwIfAborted()
    const serve = this.#nodes.get(node)
    if (!serve) throw new UnavailableError('no tunnel', { code: 'HUB_NO_TUNNEL', fields: { node } })
    if (target !== 'edged') throw new RefusedError('not served', { code: 'HUB_TUNNEL_REFUSED', fields: { node } })
    const [cloud, edge] = duplexPair()
    // As a tunnel does it: neither end outlives the other.
    cloud.once('close', () => edge.destroy())
    edge.once('close', () => cloud.destroy())
    edge.on('error', () => undefined)
    this.opened.push({ node, target, cloud, edge })
    serve(edge)
    return cloud
  }

  onNode(handler: (node: string, isOpen: boolean) => void): Disposable {
    this.#followers.add(handler)
    for (const node of this.#nodes.keys()) handler(node, true)
    return { [Symbol.dispose]: () => void this.#followers.delete(handler) }
  }
}
