import type { Duplex } from 'node:stream'
import type { Counter } from '../../platform/health/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Clock } from '../../platform/time/index.ts'
import { SKERRY_HEADER, SKERRY_WIRE_VERSION } from '../../schemas/index.ts'
import { dialWebSocket, type LinkIdentity } from '../link/index.ts'
import { LARGEST_MESSAGE } from './frame.ts'
import { StreamTunnel } from './stream-tunnel.ts'
import { PING_EVERY, TunnelSocket } from './tunnel-socket.ts'

/** KubeEdge's, and the headers by which its edge says who it is. */
export const TUNNEL_PATH = '/v1/kubeedge/connect'
export const NODE_HEADER = 'SessionHostNameOverride'
export const ADDRESS_HEADER = 'SessionInternalIP'

export interface DialTunnelOptions {
  /** HOST:PORT of the tunnel server. */
  readonly server: string
  readonly nodeName: string
  /** Of this machine in its own network. */
  readonly address: string
  /** Read again for each connection, so that a rotated certificate is used. */
  readonly identity: () => Promise<LinkIdentity>
  readonly clock: Clock
  readonly log: Logger
  /** Who takes streams of this target now. */
  handler(target: string): ((stream: Duplex) => void) | undefined
  onStreams?(count: number): void
  /** Of messages, with `direction` up or down. */
  readonly bytes?: Counter
}

/** The edge's end. */
export interface DialledTunnel {
  readonly isSkerry: boolean
  /** Settles with the reason, never rejects. */
  readonly closed: Promise<string>
  close(reason: string): void
}

/** Dials the tunnel server of a Skerry or an original cloud, verified as CloudHub is, and serves it. Rejects where it is not let in. */
export async function dialTunnel(options: DialTunnelOptions, signal: AbortSignal): Promise<DialledTunnel> {
  const { server, nodeName, address, identity, clock } = options
  const { socket, wire, answer } = await dialWebSocket(
    {
      ...{ identity, clock, name: 'the tunnel server' },
      url: `wss://${server}${TUNNEL_PATH}`,
      headers: { [NODE_HEADER]: nodeName, [ADDRESS_HEADER]: address },
      largestMessage: LARGEST_MESSAGE,
      isAnyText: true,
    },
    signal,
  )
  // What comes until the end that serves it is there.
  socket.pause()
  const isSkerry = answer[SKERRY_HEADER] === SKERRY_WIRE_VERSION
  const tunnelSocket: TunnelSocket = new TunnelSocket(socket, {
    clock,
    isText: !isSkerry,
    pingEvery: PING_EVERY,
    connection: wire,
    onMessage: (message) => tunnel.take(message),
    onBytes: (isOut, bytes) => options.bytes?.add(bytes, { direction: isOut ? 'up' : 'down' }),
  })
  const onBreach = (reason: string) => {
    tunnel.end(reason)
    tunnelSocket.close(reason)
  }
  const tunnel = await createEnd(isSkerry, tunnelSocket, { ...options, onBreach })
  socket.resume()
  return {
    isSkerry,
    closed: tunnelSocket.closed.then((reason) => {
      tunnel.end(reason)
      return reason
    }),
    close: onBreach,
  }
}

async function createEnd(
  isSkerry: boolean,
  wire: TunnelSocket,
  options: DialTunnelOptions & { onBreach(reason: string): void },
) {
  const { handler } = options
  if (isSkerry) {
    const accept = (target: string, open: () => Duplex) => {
      const serve = handler(target)
      serve?.(open())
      return serve !== undefined
    }
    return new StreamTunnel({ ...options, wire, accept })
  }
  // Loaded where the cloud is an original one.
  const { CloudTunnel } = await import('./kubeedge/cloud-tunnel.ts')
  return new CloudTunnel({ ...options, wire, edged: () => handler('edged') })
}
