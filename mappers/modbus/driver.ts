import type { DeviceConfig } from './config.ts'
import { ModbusConnection } from './connection.ts'
import { dial } from './tcp-wire.ts'

/** What a device needs once it is really there; loaded by the first `connect`. */
export async function open(device: DeviceConfig, signal: AbortSignal): Promise<ModbusConnection> {
  return new ModbusConnection(await dial(device.host, device.port, signal))
}
