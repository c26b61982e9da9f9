import type { Socket } from 'node:net'
import { type Clock, seconds } from '../time/index.ts'

/** What a peer may still send before it has read that nobody listens. */
const MOST_BYTES = 1024 * 1024
const WITHIN = seconds(2)

/**
 * Ends a connection whose peer may be sending still. Closed at once, the kernel would answer what comes with a reset, and the peer
 * could lose the answer that it has not read yet (RFC 9112 §9.6): so the rest is thrown away for a moment, and parsed by nobody.
 */
export function linger(socket: Socket, clock: Clock): void {
  if (socket.destroyed) return
  let bytes = 0
  const timer = clock.after(WITHIN, () => socket.destroy())
  socket.once('close', () => timer[Symbol.dispose]())
  socket.on('error', () => socket.destroy())
  detachParser(socket)
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MOST_BYTES) socket.destroy()
  })
  socket.on('end', () => socket.destroySoon())
  socket.end()
  if (socket.readableEnded) socket.destroySoon()
  else socket.resume()
}

/** From here on nothing that comes is taken for a request. */
export function detachParser(socket: Socket): void {
  socket.removeAllListeners('data')
  // A listener makes Node.js hand out the bytes that its parser would take from the kernel by itself.
  socket.on('data', () => undefined)
  socket.removeAllListeners('data')
}

/** Says why no request was read, and ends the connection. */
export function refuse(socket: Socket, status: keyof typeof REASONS, clock: Clock): void {
  if (socket.writable) {
    socket.write(`HTTP/1.1 ${status} ${REASONS[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
    linger(socket, clock)
  } else socket.destroy()
}

const REASONS = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Payload Too Large',
  431: 'Request Header Fields Too Large',
} as const
