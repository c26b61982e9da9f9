import assert from 'node:assert/strict'
import type { Property, PropertyType, VisitId } from '../../contract/index.ts'
import { type DeviceConfig, deviceConfig } from '../device-config.ts'
import type { ModbusOrder, ModbusVisit } from '../visit.ts'
import { type VisitorConfig, visitorConfig } from '../visitor-config.ts'

/** A device configuration as a manifest gives it. */
export function deviceOf(config: object = {}): DeviceConfig {
  const parsed = deviceConfig.parse({ ...('serialPort' in config ? {} : { host: 'plc' }), ...config })
  return parsed.ok ? parsed.value : assert.fail(JSON.stringify(parsed.issues))
}

export function visitorOf(config: object = {}): VisitorConfig {
  const parsed = visitorConfig.parse(
    'address' in config ? config : { register: 'HoldingRegister', offset: 0, ...config },
  )
  return parsed.ok ? parsed.value : assert.fail(JSON.stringify(parsed.issues))
}

let visits = 0

/** A visit with an id of its own. */
export function visitOf(device: DeviceConfig, config: object, type: PropertyType = 'INT'): ModbusVisit {
  const property: Property = { name: 'p', type, accessMode: 'ReadWrite' }
  return { id: idOf(`v${++visits}`), device, property, visitor: visitorOf(config) }
}

export function orderOf(
  device: DeviceConfig,
  config: object,
  value: ModbusOrder['value'],
  type: PropertyType = 'INT',
): ModbusOrder {
  return { ...visitOf(device, config, type), value }
}

export function idOf(text: string): VisitId
export function idOf(text: string): string {
  return text
}
