import type { Duplex } from 'node:stream'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { SkerryError } from '../../../platform/lifecycle/index.ts'
import { type NodeTunnel, noTunnel, type Tunnels, type TunnelTarget } from '../../tunnel/index.ts'

/** The tunnels of all nodes, apart from sockets. */
export class NodeTunnels implements Tunnels {
  readonly #tunnels = new Map<string, NodeTunnel>()
  readonly #handlers = new Set<(node: string, isOpen: boolean) => void>()
  readonly #opened

  constructor({ metrics = silentMetrics }: { readonly metrics?: Metrics } = {}) {
    this.#opened = metrics.counter({
      name: 'skerry_cloudstream_opened_total',
      help: 'Streams that were asked of nodes, by target and outcome: opened, or the code of the error.',
      labels: ['target', 'outcome'],
    })
    metrics.gauge({ name: 'skerry_cloudstream_tunnels', help: 'Nodes with a tunnel.' }).follow(() => this.#tunnels.size)
    metrics
      .gauge({ name: 'skerry_cloudstream_streams', help: 'Streams that are open through tunnels.' })
      .follow(() => [...this.#tunnels.values()].reduce((sum, { size }) => sum + size, 0))
  }

  get size(): number {
    return this.#tunnels.size
  }

  isOpen(node: string): boolean {
    return this.#tunnels.has(node)
  }

  peer(node: string): 'skerry' | 'kubeedge' | undefined {
    return this.#tunnels.get(node)?.peer
  }

  async open(node: string, target: TunnelTarget, signal: AbortSignal): Promise<Duplex> {
    try {
      const tunnel = this.#tunnels.get(node)
      if (!tunnel) throw noTunnel(node)
      const stream = await tunnel.open(target, signal)
      this.#opened.add(1, { target, outcome: 'opened' })
      return stream
    } catch (error) {
      this.#opened.add(1, { target, outcome: error instanceof SkerryError ? error.code : 'given-up' })
      throw error
    }
  }

  onNode(handler: (node: string, isOpen: boolean) => void): Disposable {
    this.#handlers.add(handler)
    for (const node of this.#tunnels.keys()) handler(node, true)
    return { [Symbol.dispose]: () => void this.#handlers.delete(handler) }
  }

  /** Has the tunnel until it is closed; an older one of the node ends. Answers why it ended. */
  async hold(node: string, tunnel: NodeTunnel): Promise<string> {
    const older = this.#tunnels.get(node)
    this.#tunnels.set(node, tunnel)
    older?.close('replaced by a newer tunnel of the node')
    this.#tell(node, true)
    const reason = await tunnel.closed
    if (this.#tunnels.get(node) !== tunnel) return reason
    this.#tunnels.delete(node)
    this.#tell(node, false)
    return reason
  }

  endAll(reason: string): void {
    for (const tunnel of [...this.#tunnels.values()]) tunnel.close(reason)
  }

  #tell(node: string, isOpen: boolean): void {
    for (const handler of [...this.#handlers]) handler(node, isOpen)
  }
}
