import type { Duplex } from 'node:stream'

/** What an edge serves to the cloud: Edged's kubelet server, or ServiceBus. */
export type TunnelTarget = 'edged' | 'servicebus'

/**
 * A stream is raw bytes in their order, with flow control; the cloud speaks HTTP/1.1 over it, upgrades included. One whose tunnel
 * ends before both sides have ended it is destroyed with an UnavailableError HUB_TUNNEL_CLOSED.
 */
export interface Tunnels {
  isOpen(node: string): boolean
  /** The other end of the node's tunnel; undefined without one. An original edge serves `edged` alone, and no port-forward. */
  peer(node: string): 'skerry' | 'kubeedge' | undefined
  /**
   * Rejects at once with UnavailableError HUB_NO_TUNNEL where the node has none, with RefusedError HUB_TUNNEL_REFUSED where the
   * target is not served there, with UnavailableError HUB_TUNNEL_BUSY where the node has its most streams, and with the signal's reason.
   * The signal counts until the stream is open, not for the stream.
   */
  open(node: string, target: TunnelTarget, signal: AbortSignal): Promise<Duplex>
  /** Told of tunnels that come and go, and at once of those that are there. */
  onNode(handler: (node: string, isOpen: boolean) => void): Disposable
}

/** The edge's end. */
export interface TunnelTargets {
  /** Gives each new stream of this target to the handler, which ends or destroys it, until disposed; the last handler wins. */
  serve(target: TunnelTarget, handler: (stream: Duplex) => void): Disposable
}
