import { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'

/** Close codes of RFC 6455 §7.4.1. */
const NORMAL = 1000
const WRONG_DATA = 1003

/**
 * The bytes of a WebSocket connection as a stream (MQTT 3.1.1 §6): binary frames only, cut anywhere. Neither side is read or
 * written faster than the other takes it; what was written together goes out as one frame.
 */
export function streamOf(socket: WebSocket): Duplex {
  const stream = new Duplex({
    read() {
      socket.resume()
    },
    write(chunk: Buffer, _encoding, done) {
      send(chunk, done)
    },
    writev(chunks, done) {
      send(Buffer.concat(chunks.map(({ chunk }) => asBuffer(chunk))), done)
    },
    final(done) {
      socket.close(NORMAL)
      done()
    },
    destroy(error, done) {
      // A peer that takes nothing would not see the closing handshake either; for others ws bounds it.
      if (socket.bufferedAmount > 0) socket.terminate()
      else if (socket.readyState === socket.OPEN) socket.close(NORMAL)
      // Paused, it would not hear the peer's part of it.
      socket.resume()
      done(error)
    },
  })
  const send = (bytes: Buffer, done: (error?: Error | null) => void) => {
    if (socket.readyState === socket.OPEN) socket.send(bytes, { binary: true }, (error) => done(error))
    else done(new Error('the WebSocket is closed'))
  }
  socket.on('message', (data, isBinary) => {
    if (!isBinary) {
      socket.close(WRONG_DATA, 'MQTT is binary')
      stream.destroy()
    } else if (!stream.destroyed && !stream.push(bytesOf(data))) {
      socket.pause()
    }
  })
  socket.on('error', (error) => stream.destroy(error))
  socket.on('close', () => {
    // What has come is still read.
    stream.push(null)
    stream.end()
  })
  return stream
}

function bytesOf(data: Buffer | ArrayBuffer | readonly Buffer[]): Buffer {
  if (Buffer.isBuffer(data)) return data
  return data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.concat(data)
}

function asBuffer(chunk: unknown): Buffer {
  return chunk instanceof Uint8Array
    ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    : Buffer.from(String(chunk))
}
