import { connect } from 'node:net'
import { type Duplex, pipeline } from 'node:stream'

/** Serves streams from a unix socket: each becomes a connection to it, and both end together. `path` says where it is; undefined: nowhere yet. */
export function toSocket(path: () => string | undefined): (stream: Duplex) => void {
  return (stream) => {
    const at = path()
    if (at === undefined) {
      stream.destroy(new Error('the socket that serves this is not open yet'))
      return
    }
    const socket = connect({ path: at, allowHalfOpen: true })
    pipeline(stream, socket, stream, (error) => {
      // What the socket says of itself (that nobody listens) is told at the other end of the tunnel.
      if (error) stream.destroy(error)
      socket.destroy()
    })
  }
}
