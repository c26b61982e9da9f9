import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { DeviceConfig } from './device-config.ts'
import type { LineSettings } from './line-time.ts'

/** A TCP connection. Rejects when the signal aborts first. */
export async function dialSocket(host: string, port: number, signal: AbortSignal): Promise<Socket> {
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

/** Of a socket or a serial port; settles when it is closed. */
export async function closeStream(stream: Duplex): Promise<void> {
  stream.destroy()
  if (!stream.closed) await once(stream, 'close')
}

/** The line of a device on a serial port; the configuration has one for every RTU device. */
export function lineOf(device: DeviceConfig): LineSettings {
  return device.line ?? { baudRate: 19_200, dataBits: 8, parity: 'even', stopBits: 1 }
}
