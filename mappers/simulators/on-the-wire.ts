import { ConfigError } from '../../platform/lifecycle/index.ts'
import { formatValue, type PropertyValue } from '../../schemas/index.ts'
import { type BitField, writeBits } from '../host/values/bit-field.ts'
import { coerce } from '../host/values/coerce.ts'
import type { Conversion } from '../host/values/conversion.ts'
import { takeHostKeys } from '../host/values/host-keys.ts'
import { planConversion } from '../host/values/plan-conversion.ts'
import { type SimulatedDevice, type SimulatedProperty, WriteRefusal } from './simulated-device.ts'

/**
 * The device as its protocol has it: `read` and `write` speak raw values, which the host converts (`convert`), types are those
 * that a driver sees, and the keys of the host are gone from the visitors. Throws a ConfigError for a `convert` that is wrong.
 */
export function onTheWire(device: SimulatedDevice): SimulatedDevice {
  const conversions = new Map<string, Conversion>()
  const properties = device.properties.map((property, index) => {
    const found = planned(device.name, property, index)
    if (found.conversion) conversions.set(property.model.name, found.conversion)
    return found.property
  })
  if (conversions.size === 0) return { ...sameCalls(device), properties }
  return {
    ...sameCalls(device),
    properties,
    read(name) {
      const conversion = conversions.get(name)
      const value = device.read(name)
      return conversion ? rawOf(conversion, value) : value
    },
    write(name, raw) {
      const conversion = conversions.get(name)
      if (!conversion) return device.write(name, raw)
      const read = conversion.read(raw)
      const value = read.ok ? coerce(conversion.type, read.value) : read
      if (!value.ok) throw new WriteRefusal('type', `${name} ${value.reason}`)
      // A register with several fields is written as one: those that stay as they are may be read-only.
      if (conversion.bits && formatValue(device.read(name)) === value.value) return
      device.write(name, value.value)
    },
  }
}

function sameCalls(device: SimulatedDevice): Pick<SimulatedDevice, 'name' | 'configData' | 'read' | 'write' | 'set'> {
  return {
    name: device.name,
    configData: device.configData,
    read: (name) => device.read(name),
    write: (name, value) => device.write(name, value),
    set: (name, value) => device.set(name, value),
  }
}

function planned(
  device: string,
  property: SimulatedProperty,
  index: number,
): { readonly property: SimulatedProperty; readonly conversion?: Conversion } {
  const { keys, rest, issues } = takeHostKeys(property.visitor)
  const { conversion, issues: more } = keys.convert
    ? planConversion(property.model, keys.convert)
    : { conversion: undefined, issues: [] }
  const found = issues[0] ?? more.map((each) => ({ ...each, pointer: `/convert${each.pointer}` }))[0]
  if (found) {
    throw new ConfigError(`${device} cannot be simulated: ${property.model.name}: ${found.message}`, {
      code: 'MAPPERS_SIMULATED_VISITOR_INVALID',
      fields: { device, pointer: `/spec/properties/${index}/visitors/configData${found.pointer}` },
    })
  }
  const plain = { ...property, visitor: rest }
  if (!conversion) return { property: plain }
  const { minimum: _low, maximum: _high, ...model } = property.model
  const bits: { bits?: BitField } = conversion.bits ? { bits: conversion.bits } : {}
  return { property: { ...plain, ...bits, model: { ...model, type: conversion.rawType } }, conversion }
}

/** What the device holds for a value; the nearest that it can hold. */
function rawOf(conversion: Conversion, value: PropertyValue): PropertyValue {
  const raw = conversion.write(formatValue(value))
  if (!raw.ok) return conversion.rawType === 'STRING' ? '' : 0
  if (conversion.bits) {
    const field = typeof raw.value === 'bigint' ? raw.value : Math.round(Number(raw.value))
    const whole = writeBits(conversion.bits, 0, field)
    return whole.ok ? whole.value : 0
  }
  return conversion.rawType === 'INT' && typeof raw.value === 'number' ? Math.round(raw.value) : raw.value
}
