import type { MapperContext } from '../contract/index.ts'
import { ModbusConnection } from './connection.ts'
import type { DeviceConfig } from './device-config.ts'
import { openWire } from './links.ts'

/** What a device needs once it is really there; loaded by the first `connect`. */
export async function open(device: DeviceConfig, context: MapperContext): Promise<ModbusConnection> {
  return new ModbusConnection(await openWire(device, context), device, context.clock)
}
