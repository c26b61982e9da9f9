import { connect } from 'node:net'
import { type Duplex, pipeline } from 'node:stream'

/** Serves streams from a unix socket: each becomes a connection to it, and both end together. */
export function toSocket(path: string): (stream: Duplex) => void {
  return (stream) => {
    const socket = connect({ path, allowHalfOpen: true })
    pipeline(stream, socket, stream, (error) => {
      // What the socket says of itself (that nobody listens) is told at the other end of the tunnel.
      if (error) stream.destroy(error)
      socket.destroy()
    })
  }
}
