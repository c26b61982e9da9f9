import { once } from 'node:events'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'

/** A connection of plain HTTP. */
export async function dial(to: NetConnectOpts): Promise<Socket> {
  const socket = connect({ ...to, allowHalfOpen: true })
  await once(socket, 'connect')
  return socket
}

/** A connection of HTTPS on loopback, after the handshake. The certificate of the server is not looked at where no CA is given. */
export async function dialTls(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const trust = options.ca === undefined ? { rejectUnauthorized: false } : {}
  const socket = connectTls({ host: '127.0.0.1', port, ...trust, ...options })
  await once(socket, 'secureConnect')
  return socket
}
