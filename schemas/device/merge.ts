import type { Device, DeviceModel, DeviceProperty, ModelProperty, VisitorConfig } from './device.ts'
import type { JsonObject } from './kubernetes.ts'

/** One property of a device with the model's part merged in. */
export interface MergedProperty {
  readonly device: DeviceProperty
  readonly model: ModelProperty
  /** Model's visitor config with the device's keys laid over it, shallowly. */
  readonly visitor: JsonObject
  readonly visitorProtocol: string | undefined
}

/** `spec.protocol.configData` of the device over the model's `protocolConfigData`, key by key. */
export function mergedProtocolConfig(device: Device, model: DeviceModel | undefined): JsonObject {
  return { ...model?.spec.protocolConfigData, ...device.spec.protocol?.configData }
}

/** Protocol that drives the device: its own, else its model's. */
export function protocolOf(device: Device, model: DeviceModel | undefined): string | undefined {
  return device.spec.protocol?.protocolName || model?.spec.protocol || undefined
}

/**
 * Properties of the device in its own order. A property that the model does not have gets type STRING and ReadOnly.
 * Properties present only in the model are not added.
 */
export function mergedProperties(device: Device, model: DeviceModel | undefined): readonly MergedProperty[] {
  const models = new Map((model?.spec.properties ?? []).map((property) => [property.name, property]))
  return (device.spec.properties ?? []).map((property) => {
    const found = models.get(property.name)
    return {
      device: property,
      model: found ?? { name: property.name, type: 'STRING', accessMode: 'ReadOnly' },
      visitor: { ...found?.visitors?.configData, ...property.visitors?.configData },
      visitorProtocol: protocolName(property.visitors) ?? protocolName(found?.visitors),
    }
  })
}

function protocolName(visitor: VisitorConfig | undefined): string | undefined {
  return visitor?.protocolName || undefined
}
