import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { NODE_HEADER, TUNNEL_PATH } from '../../tunnel/index.ts'
import type { NodeCertificate } from '../authority/node-certificate.ts'

export type TunnelPeer =
  | { readonly ok: true; readonly certificate: NodeCertificate }
  | { readonly ok: false; readonly status: number; readonly reason: string }

export interface TunnelDial {
  /** Of the request. */
  readonly path: string | undefined
  /** What the peer says that it is, in SessionHostNameOverride. */
  readonly claimed: string | undefined
  readonly certificate: NodeCertificate | undefined
}

/**
 * Who dials: the certificate decides, the header has to say the same. KubeEdge's own cloud believes the header; `refusal` says whether
 * this certificate still counts.
 */
export function identifyTunnel(
  { path = '', claimed, certificate }: TunnelDial,
  refusal: (certificate: NodeCertificate) => { readonly status: number; readonly reason: string } | undefined,
): TunnelPeer {
  if (path.split('?')[0]?.replace(/\/$/, '') !== TUNNEL_PATH)
    return { ok: false, status: 404, reason: `tunnels are at ${TUNNEL_PATH}` }
  if (!certificate) return { ok: false, status: 403, reason: 'the client certificate is not that of a node' }
  if (claimed === undefined || claimed === '')
    return { ok: false, status: 400, reason: `the header ${NODE_HEADER} is missing` }
  if (claimed !== certificate.node)
    return { ok: false, status: 403, reason: `${NODE_HEADER} is not the node of the client certificate` }
  const refused = refusal(certificate)
  return refused ? { ok: false, status: refused.status, reason: refused.reason } : { ok: true, certificate }
}

export function dialOf(
  request: IncomingMessage,
  read: (shown: ReturnType<TLSSocket['getPeerX509Certificate']>) => NodeCertificate | undefined,
): TunnelDial {
  const { socket, url, headers } = request
  const claimed = headers[NODE_HEADER.toLowerCase()]
  return {
    path: url,
    claimed: typeof claimed === 'string' ? claimed : undefined,
    certificate: read(socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined),
  }
}
