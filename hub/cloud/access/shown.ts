import type { IncomingMessage } from 'node:http'
import { TLSSocket, type TlsOptions } from 'node:tls'
import type { Credentials } from './access.ts'
import type { ClientAuthority } from './client-authority.ts'

/** What a token may consist of (RFC 6750 §2.1), and `:`, which Kubernetes takes too. */
const BEARER = /^Bearer +([\w\-.~+/=:]+)$/i
const WEB_SOCKET_BEARER = /(?:^|[ ,])base64url\.bearer\.authorization\.k8s\.io\.([\w-]+)(?:$|[ ,])/

/** What the sender of a request showed. The TLS server has to have been opened with `clientTls`. */
export function credentialsOf(request: IncomingMessage): Credentials {
  const token = BEARER.exec(request.headers.authorization ?? '')?.[1] ?? tokenOfWebSocket(request)
  const { socket } = request
  const certificate = socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined
  return { ...(token === undefined ? {} : { token }), ...(certificate ? { certificate } : {}) }
}

/** Browsers can set no other header of a WebSocket; kubelets take a token there, too. */
function tokenOfWebSocket({ headers }: IncomingMessage): string | undefined {
  const encoded = WEB_SOCKET_BEARER.exec(headers['sec-websocket-protocol'] ?? '')?.[1]
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64url').toString()
}

/**
 * Options of a TLS server whose callers may show a client certificate or a token. They name the authorities, since clients look for
 * a certificate of one of these. To be given anew to the server, with its certificate, when the bundle changes.
 */
export function clientTls({ pem }: ClientAuthority) {
  return { ca: pem === '' ? [] : [pem], requestCert: true, rejectUnauthorized: false } satisfies TlsOptions
}
