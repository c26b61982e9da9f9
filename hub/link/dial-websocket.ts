import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import { readBody } from '../../platform/http/index.ts'
import { UnavailableError } from '../../platform/lifecycle/index.ts'
import { type Clock, seconds, withDeadline } from '../../platform/time/index.ts'
import { SKERRY_HEADER, SKERRY_WIRE_VERSION } from '../../schemas/index.ts'

/** PEM texts. */
export interface LinkIdentity {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

export interface DialWebSocketOptions {
  readonly url: string
  /** Read again for each connection, so that a rotated certificate is used. */
  readonly identity: () => Promise<LinkIdentity>
  readonly clock: Clock
  readonly headers: Readonly<Record<string, string>>
  /** Bytes; a peer that sends more is closed. */
  readonly largestMessage: number
  /** Text messages may be no UTF-8. */
  readonly isAnyText?: boolean
  /** What the server is called in reasons. Default: CloudHub. */
  readonly name?: string
}

export interface DialledWebSocket {
  readonly socket: WebSocket
  /** The connection below. */
  readonly wire: Socket
  /** Headers of the upgrade answer. */
  readonly answer: IncomingHttpHeaders
}

/** Bytes of a refusal that are looked at. */
const LONGEST_REASON = 1000
const HANDSHAKE_DEADLINE = seconds(30)

/**
 * Opens a WebSocket over mutual TLS, without compression and automatic pongs; a server with a foreign CA or another name is refused.
 * Rejects with UnavailableError HUB_LINK_REFUSED, which says what the server said.
 */
export function dialWebSocket(options: DialWebSocketOptions, signal: AbortSignal): Promise<DialledWebSocket> {
  const { url, identity, clock, headers, largestMessage, isAnyText = false, name = 'CloudHub' } = options
  return withDeadline(clock, HANDSHAKE_DEADLINE, signal, async (limited) => {
    const { ca, certificate, key } = await identity()
    // A renewal may take longer than anybody waits.
    limited.throwIfAborted()
    const socket = new WebSocket(url, {
      ca,
      cert: certificate,
      key,
      minVersion: 'TLSv1.2',
      perMessageDeflate: false,
      autoPong: false,
      maxPayload: largestMessage,
      skipUTF8Validation: isAnyText,
      headers: { ...headers, [SKERRY_HEADER]: SKERRY_WIRE_VERSION },
    })
    return opened(socket, name, limited)
  })
}

function opened(socket: WebSocket, name: string, signal: AbortSignal): Promise<DialledWebSocket> {
  return new Promise((resolve, reject) => {
    let upgraded: Pick<DialledWebSocket, 'wire' | 'answer'> | undefined
    /** The server cannot be reached, or refused the connection. */
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
    socket.once('upgrade', ({ socket: wire, headers }) => {
      upgraded = { wire, answer: headers }
    })
    socket.once('unexpected-response', (_request, response) => {
      const refused = (reason: string) => {
        fail(`${name} refused the connection with HTTP ${response.statusCode}${reason === '' ? '' : `: ${reason}`}`)
        socket.terminate()
      }
      readBody(response, LONGEST_REASON, signal).then(
        (body) => refused(body.toString('utf8').trim()),
        () => refused(''),
      )
    })
    socket.once('open', () => {
      signal.removeEventListener('abort', onAbort)
      if (upgraded) resolve({ socket, ...upgraded })
    })
  })
}
