import type { CloudIntents, Device, DeviceId, DeviceModel, DeviceState } from '../device/index.ts'
import type { CloudUpdate, Quality, Twin } from '../twin/index.ts'
import { requestChannel, stateChannel } from './declare.ts'

/** A device that this node has to serve, from durable metadata. Written by MetaManager; key: device id. */
export interface AssignedDevice {
  readonly device: Device
  /** Absent until the model has arrived; a device without its model is not driven. */
  readonly model?: DeviceModel
  /** Of the desired values in the spec; absent from a cloud that does not say. */
  readonly intents?: CloudIntents
}
export const assignedDevices = stateChannel<AssignedDevice>('devices.assigned')

/** Names of the kinds that MetaManager lists completely before this turns true (keys `devices`, `pods`, `rules`), so that nobody takes "not listed yet" for "deleted". */
export const listed = stateChannel<boolean>('devices.listed')

/** What the mapper host has to bring to each device. Written by DeviceTwin; key: device id. */
export interface DeviceOrders {
  readonly properties: Readonly<Record<string, OrderedValue>>
}
export interface OrderedValue {
  readonly value: string
  /** Differs for each new wish, also for a repeated value: a host writes once per id and again on reconnect. */
  readonly id: string
}
export const deviceOrders = stateChannel<DeviceOrders>('twins.orders')

/** Readings and write results of one device, in the order they happened. Answered after they are durable. */
export interface DeviceReport {
  readonly id: DeviceId
  readonly readings: readonly PropertyReading[]
  readonly writes: readonly WriteResult[]
}
export interface PropertyReading {
  readonly property: string
  /** Canonical text, see formatValue. Absent when the read failed (quality bad). */
  readonly value?: string
  /** Unix ms. */
  readonly sourceTime: number
  readonly quality: Quality
  readonly cause?: string
  /** Recorded by its source while nobody could listen: taken only where it is newer than what the twin has. */
  readonly history?: boolean
}
export interface WriteResult {
  readonly property: string
  readonly orderId: string
  readonly value: string
  /** Absent: written, and read back as the same value (the reading is in the same report). */
  readonly failure?: { readonly reason: string; readonly message: string }
}
/** Devices that the twin does not know (deleted meanwhile) are named in `unknown`; the rest is durable. */
export interface ReportAnswer {
  readonly unknown: readonly DeviceId[]
}
export const reportDevices = requestChannel<readonly DeviceReport[], ReportAnswer>('twin.report')

/** Until when the twin knows a device, so that a host which begins anew can ask for what came after. Served by DeviceTwin. */
export interface KnownUntil {
  /** Source time of the newest value that is not doubted, Unix ms; absent: there is none. */
  readonly until?: number
}
export const knownUntil = requestChannel<{ readonly id: DeviceId; readonly uid: string }, KnownUntil>('twin.known')

/** Life of the link to one device, as the host sees it. Answered after it is durable. */
export interface DeviceStateReport {
  readonly id: DeviceId
  readonly state: DeviceState
  readonly reason?: string
  /** The reason as one word for programs, where there is one. */
  readonly code?: StateCode
}
/** Why a device has its state: it becomes the reason of condition Online. */
export type StateCode = 'MapperCrashed' | 'MapperBroken' | 'NoMapper'
export const reportStates = requestChannel<readonly DeviceStateReport[], ReportAnswer>('twin.state')

/**
 * What became of a cloud's word about one device. `stale`: part of it was older than what the edge has, and was left out, so
 * the cloud has to be told again how it is here. `refused`: none of it was taken, with the reason.
 */
export interface CloudUpdateAnswer {
  readonly outcome: 'taken' | 'stale' | 'unknown' | 'refused'
  readonly reason?: string
}
/** The cloud speaks of one device (`twin/cloud_updated`, `updated`). Served by DeviceTwin; answered after it is durable. */
export const updateFromCloud = requestChannel<CloudUpdate, CloudUpdateAnswer>('twin.cloud')

/** Every twin as it is on disk. Written by DeviceTwin after each commit; key: device id. */
export const twins = stateChannel<Twin>('twins')

/** The road to the cloud. Written by EdgeHub; key `cloud`. */
export interface LinkState {
  readonly connected: boolean
  /** Unix ms. */
  readonly since: number
  readonly detail: string
}
export const links = stateChannel<LinkState>('links')

/** Where a mapper comes from. */
export type MapperOrigin =
  | { readonly kind: 'built-in' }
  /** `path` is the module that its name led to. */
  | { readonly kind: 'package'; readonly name: string; readonly version?: string; readonly path: string }
  | { readonly kind: 'path'; readonly path: string; readonly version?: string }

/** A mapper of this node. Written by the mapper host; key: of its own for each. */
export interface MapperEntry {
  /** Absent while nobody could ask the mapper. */
  readonly protocol?: string
  /** Names in `protocolName` that it serves; none when others serve them. */
  readonly serves: readonly string[]
  readonly contract?: number
  readonly origin: MapperOrigin
  readonly isolation: 'worker' | 'process' | 'none'
  readonly state: 'loading' | 'idle' | 'running' | 'restarting' | 'broken'
  /** Why it is in this state. */
  readonly detail: string
  readonly devices: number
  readonly crashes: number
  /** JSON Schemas of device and visitor configuration. */
  readonly deviceSchema?: object
  readonly visitorSchema?: object
}
export const mappersLoaded = stateChannel<MapperEntry>('mappers.loaded')

/** A device that its mapper refused offline: configuration that can never work. Written by the mapper host; key: device id. */
export interface DeviceRefusal {
  readonly generation: number
  /** JSON pointer into the Device, e.g. /spec/properties/0/visitors/configData/offset. */
  readonly pointer: string
  readonly message: string
  /** Worth saying, but the device is driven all the same: no reason for Accepted=False. */
  readonly warning?: boolean
}
export const deviceRefusals = stateChannel<readonly DeviceRefusal[]>('devices.refused')
