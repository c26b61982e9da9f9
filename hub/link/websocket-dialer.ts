import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import { readBody } from '../../platform/http/index.ts'
import { UnavailableError } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import { type Clock, type Duration, seconds, withDeadline } from '../../platform/time/index.ts'
import { CLOUD_EPOCH_HEADER, SKERRY_HEADER, SKERRY_WIRE_VERSION } from '../../schemas/index.ts'
import type { Link, LinkDialer } from './link.ts'
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

/** PEM texts. */
export interface LinkIdentity {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

/** Bytes of a refusal that are looked at. */
const LONGEST_REASON = 1000
const HANDSHAKE_DEADLINE = seconds(30)
const LONGEST_EPOCH = 64

/** Dials WSS with mutual TLS; a server with a foreign CA or another name is refused. */
export function createWebSocketDialer(options: DialerOptions): LinkDialer {
  const { server, path, identity, clock, log, largestFrame = LARGEST_FRAME, deadAfter } = options
  return {
    dial: (headers, signal) =>
      withDeadline(clock, HANDSHAKE_DEADLINE, signal, async (limited) => {
        const { ca, certificate, key } = await identity()
        // A renewal may take longer than anybody waits.
        limited.throwIfAborted()
        const socket = new WebSocket(`wss://${server}${path}`, {
          ca,
          cert: certificate,
          key,
          minVersion: 'TLSv1.2',
          perMessageDeflate: false,
          autoPong: false,
          maxPayload: largestFrame,
          headers: { ...headers, [SKERRY_HEADER]: SKERRY_WIRE_VERSION },
        })
        return opened(socket, limited, { clock, log, ...(deadAfter ? { deadAfter } : {}) })
      }),
  }
}

function opened(
  socket: WebSocket,
  signal: AbortSignal,
  ports: Pick<DialerOptions, 'clock' | 'log'> & { readonly deadAfter?: Duration },
): Promise<Link> {
  return new Promise((resolve, reject) => {
    let isSkerry = false
    let cloudEpoch = ''
    let wire: Socket | undefined
    /** CloudHub cannot be reached, or refused the connection. */
    const fail = (message: string, cause?: unknown) => {
      signal.removeEventListener('abort', onAbort)
      reject(new UnavailableError(message, { code: 'HUB_LINK_REFUSED', cause }))
    }
    const onAbort = () => {
      fail('the connection was not made in time', signal.reason)
      socket.terminate()
    }
    // First, and it stays: an error after the opening has its listener in the link, one after a failed opening has nobody else.
    socket.on('error', (error) => fail(error.message, error))
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('upgrade', (response) => {
      wire = response.socket
      isSkerry = response.headers[SKERRY_HEADER] === SKERRY_WIRE_VERSION
      const epoch = response.headers[CLOUD_EPOCH_HEADER]
      if (isSkerry && typeof epoch === 'string') cloudEpoch = epoch.slice(0, LONGEST_EPOCH)
    })
    socket.once('unexpected-response', (_request, response) => {
      const refused = (reason: string) => {
        fail(`CloudHub refused the connection with HTTP ${response.statusCode}${reason === '' ? '' : `: ${reason}`}`)
        socket.terminate()
      }
      readBody(response, LONGEST_REASON, signal).then(
        (body) => refused(body.toString('utf8').trim()),
        () => refused(''),
      )
    })
    socket.once('open', () => {
      signal.removeEventListener('abort', onAbort)
      const bytesRead = () => wire?.bytesRead ?? 0
      resolve(linkOver(socket, { ...ports, isSkerry, cloudEpoch, bytesRead, ...(wire ? { wire } : {}) }))
    })
  })
}
