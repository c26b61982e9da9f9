import type { Order, Visit } from '../contract/index.ts'
import type { DeviceConfig } from './device-config.ts'
import type { VisitorConfig } from './visitor-config.ts'

export type ModbusVisit = Visit<DeviceConfig, VisitorConfig>
export type ModbusOrder = Order<DeviceConfig, VisitorConfig>

/** Names the stretch of a visit of so many registers or bits. */
export function placeOf({ device, visitor }: ModbusVisit, length: number): string {
  return `${device.unitId}/${visitor.register}/${visitor.offset}+${length}`
}
