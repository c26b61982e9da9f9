import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { isLoopback } from '../../../http/loopback.ts'
import type { Peer } from '../access/peer.ts'

/** Why nobody comes in: it has left already, or shows a certificate that is not good. */
export type NoPeer = 'gone' | 'certificate'

/** Who is at the other end. */
export function peerOf(socket: Duplex, request?: IncomingMessage): Peer | NoPeer {
  const address = socket instanceof Socket ? socket.remoteAddress : undefined
  if (address === undefined) return 'gone'
  // A proxy on this machine brings clients of others.
  const isForwarded = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) => request?.headers[name])
  const peer: Peer = { address, isLocal: isLoopback(address) && !isForwarded }
  if (!(socket instanceof TLSSocket)) return peer
  const name = commonNameOf(socket)
  if (name === undefined) return peer
  return socket.authorized && name !== '' ? { ...peer, certificateName: name } : 'certificate'
}

/** Empty where there is a certificate without exactly one; undefined without a certificate. */
function commonNameOf(socket: TLSSocket): string | undefined {
  const certificate = socket.getPeerCertificate()
  if (!certificate || Object.keys(certificate).length === 0) return undefined
  // Several make a list, whatever the type says.
  const name: unknown = certificate.subject?.CN
  return typeof name === 'string' ? name : ''
}
