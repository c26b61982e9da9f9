import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { SerialPort } from 'serialport'
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

/** An open serial port that nobody else may open. */
export async function openSerial(path: string, line: LineSettings, signal: AbortSignal): Promise<SerialPort> {
  signal.throwIfAborted()
  const { SerialPort: Port } = await import('serialport')
  const stopBits = line.stopBits === 2 ? 2 : 1
  const port = new Port({ path, baudRate: line.baudRate, dataBits: 8, parity: line.parity, stopBits, autoOpen: false })
  port.on('error', () => undefined)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  port.open((error) => (error ? reject(error) : resolve()))
  try {
    await promise
  } catch (error) {
    throw new Error(`the serial port ${path} cannot be opened: ${reasonOf(error)}`, { cause: error })
  }
  if (signal.aborted) {
    await closeSerial(port)
    throw signal.reason
  }
  return port
}

export async function closeSocket(socket: Socket): Promise<void> {
  socket.destroy()
  if (!socket.closed) await once(socket, 'close')
}

export async function closeSerial(port: SerialPort): Promise<void> {
  if (!port.isOpen) return
  const { promise, resolve } = Promise.withResolvers<void>()
  port.close(() => resolve())
  await promise
}

/** The line of a device on a serial port; the configuration has one for every RTU device. */
export function lineOf(device: DeviceConfig): LineSettings {
  return device.line ?? { baudRate: 19_200, dataBits: 8, parity: 'even', stopBits: 1 }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return /lock|busy|temporarily unavailable/i.test(text) ? `another program uses it (${text})` : text
}
