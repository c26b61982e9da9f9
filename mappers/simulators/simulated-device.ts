import type { JsonObject, ModelProperty, PropertyValue } from '../../schemas/index.ts'

/** The values of a simulated device, as a DeviceModel describes them; a protocol puts them on its wire. Time passes when somebody looks. */
export interface SimulatedDevice {
  readonly name: string
  readonly properties: readonly SimulatedProperty[]
  /** The value just now, of the property's type. Throws for an unknown name. */
  read(property: string): PropertyValue
  /** Throws what the device would answer: read-only, out of bounds, unknown. */
  write(property: string, value: PropertyValue): void
}

export interface SimulatedProperty {
  readonly model: ModelProperty
  /** `visitors.configData` of the DeviceModel with that of the Device laid over it. */
  readonly visitor: JsonObject
}
