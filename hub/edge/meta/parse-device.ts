import {
  type AssignedDevice,
  type Device,
  type DeviceModel,
  isRule,
  type Json,
  type JsonObject,
  type KubeObject,
  parseIntents,
  type Rule,
} from '../../../schemas/index.ts'
import { isObject } from '../json.ts'

/**
 * Objects from the API server have passed its schema, and those from disk were stored from there; what is checked here is
 * that the parts which everybody relies on are there. Undefined for anything else.
 */
export function parseDevice(text: string): Device | undefined {
  const value = parseJson(text)
  return isDevice(value) ? value : undefined
}

/** A device with what a Skerry cloud says of it beside its fields. */
export function parseAssigned(text: string): Omit<AssignedDevice, 'model'> | undefined {
  const device = parseDevice(text)
  if (!device) return undefined
  const intents = parseIntents(Reflect.get(device, 'skerry'))
  return { device, ...(intents ? { intents } : {}) }
}

export function parseDeviceModel(text: string): DeviceModel | undefined {
  const value = parseJson(text)
  return isModel(value) ? value : undefined
}

/** A pod, and the node that it is bound to. */
export function parsePod(text: string): { readonly object: JsonObject; readonly nodeName: string } | undefined {
  const object = parseJson(text)
  if (!isObject(object) || !isObject(object['metadata']) || !isObject(object['spec'])) return undefined
  const { nodeName } = object['spec']
  return { object, nodeName: typeof nodeName === 'string' ? nodeName : '' }
}

export function parseRule(text: string): Rule | undefined {
  const object: unknown = parseJson(text)
  return isNamed(object) && isRule(object) ? object : undefined
}

/** JSON that this edge has stored itself; undefined where it is none. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text)
  } catch {
    // One damaged row must not keep the node from serving the others.
    return undefined
  }
}

function isNamed(value: unknown): value is KubeObject {
  if (typeof value !== 'object' || value === null || !('metadata' in value)) return false
  const { metadata } = value
  return typeof metadata === 'object' && metadata !== null && 'name' in metadata && typeof metadata.name === 'string'
}

function isDevice(value: unknown): value is Device {
  return hasNameAndSpec(value) && hasNamedProperties(value.spec)
}

function isModel(value: unknown): value is DeviceModel {
  return hasNameAndSpec(value) && hasNamedProperties(value.spec)
}

function hasNameAndSpec(value: unknown): value is { readonly metadata: object; readonly spec: object } {
  if (typeof value !== 'object' || value === null || !('metadata' in value) || !('spec' in value)) return false
  const { metadata, spec } = value
  if (typeof metadata !== 'object' || metadata === null || typeof spec !== 'object' || spec === null) return false
  return 'name' in metadata && typeof metadata.name === 'string'
}

function hasNamedProperties(spec: object): boolean {
  if (!('properties' in spec) || spec.properties === undefined || spec.properties === null) return true
  const { properties } = spec
  return Array.isArray(properties) && properties.every((each) => typeof each?.name === 'string')
}
