import type { Duplex } from 'node:stream'
import type { DeviceConfig } from './device-config.ts'
import type { LineSettings } from './line-time.ts'

/** Of a socket or a serial port; settles when it is closed, also when it is lost at the same moment. */
export async function closeStream(stream: Duplex): Promise<void> {
  stream.destroy()
  if (!stream.closed) await new Promise<void>((resolve) => stream.once('close', () => resolve()))
}

/** The line of a device on a serial port; the configuration has one for every RTU device. */
export function lineOf(device: DeviceConfig): LineSettings {
  return device.line ?? { baudRate: 19_200, dataBits: 8, parity: 'even', stopBits: 1 }
}
