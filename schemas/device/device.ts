import type { Conflict } from './conflict.ts'
import type { CloudIntent } from './intent.ts'
import type { Condition, JsonObject, KubeObject, ObjectMeta } from './kubernetes.ts'

/** API group and storage version of the device kinds (KubeEdge 1.15 and later). */
export const DEVICE_GROUP = 'devices.kubeedge.io'
export const DEVICE_VERSION = 'v1beta1'
export const DEVICE_API_VERSION = `${DEVICE_GROUP}/${DEVICE_VERSION}`

/** `spec.properties[].type` of a DeviceModel: exactly these seven. */
export const PROPERTY_TYPES = ['INT', 'FLOAT', 'DOUBLE', 'STRING', 'BOOLEAN', 'BYTES', 'STREAM'] as const
export type PropertyType = (typeof PROPERTY_TYPES)[number]

export const ACCESS_MODES = ['ReadWrite', 'ReadOnly'] as const
export type AccessMode = (typeof ACCESS_MODES)[number]

/** Type of device: what it has, not how one unit of it is reached. */
export interface DeviceModel extends KubeObject {
  readonly spec: DeviceModelSpec
}

export interface DeviceModelSpec {
  readonly protocol?: string
  /** Defaults for `Device.spec.protocol.configData`; keys of the device win, shallowly. */
  readonly protocolConfigData?: JsonObject
  readonly properties?: readonly ModelProperty[]
}

export interface ModelProperty {
  readonly name: string
  readonly description?: string
  readonly type?: PropertyType
  readonly accessMode?: AccessMode
  /** Bounds are strings in the CRD; they bind desired values of numeric properties. */
  readonly minimum?: string
  readonly maximum?: string
  readonly unit?: string
  /** Default visitor; keys of the device's visitor win, shallowly. */
  readonly visitors?: VisitorConfig
}

export interface VisitorConfig {
  readonly protocolName?: string
  readonly configData?: JsonObject
}

/** One physical device. */
export interface Device extends KubeObject {
  readonly spec: DeviceSpec
  readonly status?: DeviceConditionsStatus
}

export interface DeviceSpec {
  readonly deviceModelRef?: { readonly name: string }
  /** The only binding to a node; empty means that no edge gets the device. */
  readonly nodeName?: string
  readonly protocol?: VisitorConfig
  readonly properties?: readonly DeviceProperty[]
  readonly methods?: readonly DeviceMethod[]
  /** When present, overrides the legacy fields of the same names in status. Cycle in ms. */
  readonly stateReport?: { readonly reportToCloud?: boolean; readonly reportCycle?: number }
}

export interface DeviceProperty {
  readonly name: string
  readonly desired?: { readonly value: string; readonly metadata?: Readonly<Record<string, string>> }
  readonly visitors?: VisitorConfig
  /** ms; how often an unchanged value goes to the twin. */
  readonly reportCycle?: number
  /** ms; how often the host reads the device. */
  readonly collectCycle?: number
  readonly reportToCloud?: boolean
  readonly pushMethod?: JsonObject
}

export interface DeviceMethod {
  readonly name: string
  readonly description?: string
  readonly propertyNames?: readonly string[]
}

/** Skerry's addition: `status` of a Device (subresource of v1beta1). Twins and state mirror DeviceStatus. */
export interface DeviceConditionsStatus {
  readonly observedGeneration?: number
  readonly conditions?: readonly Condition[]
  readonly state?: string
  readonly lastOnlineTime?: string
  readonly twins?: readonly StatusTwin[]
  /** Of the desired values in the spec; a changed value has a new one. */
  readonly intents?: readonly StatusIntent[]
  /** That stand, or are over and were told of lately. */
  readonly conflicts?: readonly StatusConflict[]
  /** Legacy input of KubeEdge 1.19 to 1.22, see `DeviceSpec.stateReport`. */
  readonly reportToCloud?: boolean
  readonly reportCycle?: number
}

export interface StatusIntent extends CloudIntent {
  readonly propertyName: string
}

export interface StatusConflict extends Conflict {
  readonly propertyName: string
  /** Neither side has wished for anything since. */
  readonly standing: boolean
}

/** KubeEdge 1.23: same name and namespace as its Device, owned by it. Has no status subresource. */
export interface DeviceStatus extends KubeObject {
  readonly spec?: JsonObject
  readonly status?: {
    readonly twins?: readonly StatusTwin[]
    readonly state?: string
    /** RFC 3339 UTC; kept while offline. */
    readonly lastOnlineTime?: string
    /** Reserved for third parties; never written here. */
    readonly extensions?: JsonObject
  }
}

export interface StatusTwin {
  readonly propertyName: string
  readonly reported?: StatusTwinValue
  readonly observedDesired?: StatusTwinValue
}

export interface StatusTwinValue {
  readonly value: string
  /** `timestamp` (ms as text) and `type`. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** `namespace/name`, the identity of a device everywhere at the edge. */
export type DeviceId = string

export function deviceIdOf(metadata: Pick<ObjectMeta, 'namespace' | 'name'>): DeviceId {
  return `${metadata.namespace ?? 'default'}/${metadata.name}`
}

/** Splits a device id at its first slash; a bare name belongs to namespace `default`. */
export function splitDeviceId(id: DeviceId): { readonly namespace: string; readonly name: string } {
  const slash = id.indexOf('/')
  if (slash < 0) return { namespace: 'default', name: id }
  return { namespace: id.slice(0, slash), name: id.slice(slash + 1) }
}

/** States a device link can be in; also what `state/update` accepts, case-insensitively (with `ok`). */
export const DEVICE_STATES = ['online', 'offline', 'ok', 'unknown', 'unhealthy'] as const
export type DeviceState = (typeof DEVICE_STATES)[number]
