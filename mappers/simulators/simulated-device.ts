import type { JsonObject, ModelProperty, PropertyValue } from '../../schemas/index.ts'

/** The values of a simulated device, as a DeviceModel describes them; a protocol puts them on its wire. Time passes when somebody looks. */
export interface SimulatedDevice {
  readonly name: string
  /** `protocol.configData` of the Device over that of its DeviceModel. */
  readonly configData: JsonObject
  readonly properties: readonly SimulatedProperty[]
  /** The value just now, of the property's type. Throws for an unknown name. */
  read(property: string): PropertyValue
  /** What a peer of the device does. Throws a WriteRefusal where the device says no. */
  write(property: string, value: PropertyValue): void
  /** What the device itself does: any property, within bounds or not; what moved by itself stands still from now on. */
  set(property: string, value: PropertyValue): void
}

export interface SimulatedProperty {
  readonly model: ModelProperty
  /** `visitors.configData` of the DeviceModel with that of the Device laid over it. */
  readonly visitor: JsonObject
  /** Only these bits of an integer are the property's; others may be those of its neighbours. */
  readonly bits?: { readonly first: number; readonly count: number }
}

/** Why a simulated device does not take a value. */
export type WriteRefusalReason = 'unknown' | 'read-only' | 'type' | 'bounds'

export class WriteRefusal extends Error {
  override readonly name = 'WriteRefusal'
  readonly reason: WriteRefusalReason

  constructor(reason: WriteRefusalReason, message: string) {
    super(message)
    this.reason = reason
  }
}
