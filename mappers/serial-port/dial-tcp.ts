import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A line or a device behind a TCP port. Rejects with the reason of the signal when that aborts first. */
export async function dialTcp(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted()
  const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 })
  // What goes wrong later is told by `close`; an error event nobody hears would end the thread.
  socket.on('error', () => undefined)
  try {
    await once(socket, 'connect', { signal })
    return socket
  } catch (error) {
    socket.destroy()
    throw signal.aborted ? signal.reason : error
  }
}
