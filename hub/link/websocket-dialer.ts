import type { Logger } from '../../platform/log/index.ts'
import type { Clock, Duration } from '../../platform/time/index.ts'
import { CLOUD_EPOCH_HEADER, SKERRY_HEADER, SKERRY_WIRE_VERSION, TUNNEL_HEADER } from '../../schemas/index.ts'
import { dialWebSocket, type LinkIdentity } from './dial-websocket.ts'
import type { LinkDialer } from './link.ts'
import { LARGEST_FRAME, linkOver } from './websocket-link.ts'

export interface DialerOptions {
  /** HOST:PORT of CloudHub. */
  readonly server: string
  /** Path that KubeEdge peers expect: `/<project>/<node>/events`. */
  readonly path: string
  /** Read again for each connection, so that a rotated certificate is used. */
  readonly identity: () => Promise<LinkIdentity>
  readonly clock: Clock
  readonly log: Logger
  /** Bytes; a peer that sends more is closed. Default 32 MiB. */
  readonly largestFrame?: number
  /** Silence of the cloud after which a link is closed. Default 30 s. */
  readonly deadAfter?: Duration
}

const LONGEST_EPOCH = 64
const LONGEST_PORT = 5

/** Dials WSS with mutual TLS; a server with a foreign CA or another name is refused. */
export function createWebSocketDialer(options: DialerOptions): LinkDialer {
  const { server, path, identity, clock, log, largestFrame = LARGEST_FRAME, deadAfter } = options
  return {
    async dial(headers, signal) {
      const { socket, wire, answer } = await dialWebSocket(
        { url: `wss://${server}${path}`, identity, clock, headers, largestMessage: largestFrame },
        signal,
      )
      const isSkerry = answer[SKERRY_HEADER] === SKERRY_WIRE_VERSION
      const said = (header: string, most: number) => {
        const value = isSkerry ? answer[header] : undefined
        return typeof value === 'string' ? value.slice(0, most) : ''
      }
      return linkOver(socket, {
        ...{ clock, log, isSkerry, wire, bytesRead: () => wire.bytesRead },
        cloudEpoch: said(CLOUD_EPOCH_HEADER, LONGEST_EPOCH),
        tunnel: said(TUNNEL_HEADER, LONGEST_PORT),
        ...(deadAfter ? { deadAfter } : {}),
      })
    },
  }
}
