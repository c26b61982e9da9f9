import type { Socket } from 'node:net'

/** Address and port: the same for a connection before and after its handshake. */
export function peerName({ remoteAddress = '', remotePort = 0 }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`
}
