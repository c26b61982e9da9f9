import type { AccessMode, PropertyType, PropertyValue, Quality } from '../../schemas/index.ts'
import type { ConfigSchema } from './config-schema.ts'

/**
 * What a protocol author writes: one inert value. Nothing happens until the host calls `connect`. The host promises:
 *
 * 1. Calls on one connection never overlap; `watch` runs alongside.
 * 2. Configs reach the driver parsed, defaulted and frozen. A bad spec is refused with a pointer, before any socket.
 * 3. The visits of one call are due together; equal collect cycles are aligned, so that neighbours can be merged.
 * 4. Each call has a deadline. Abort or throw: the connection is disposed once, its devices are offline, and after a wait
 *    it is connected, watched and written to again.
 * 5. A visit id missing from the results is a failed outcome; an unknown one costs the connection.
 * 6. Coercion to the property's type, bounds, timestamps, cycles, twin updates, orders and read-back are the host's.
 * 7. Adding, changing or removing one device never disturbs others on its connection unless its key changed.
 */
export interface Mapper<Device, Visitor, Connection extends AsyncDisposable> {
  readonly contract: 1
  readonly protocol: string
  /** How to reach a device, and how to reach one property on it. Types, defaults, admission and docs come from these two. */
  readonly deviceConfig: ConfigSchema<Device>
  readonly visitorConfig: ConfigSchema<Visitor>
  /** Devices that answer the same key share one connection: a serial line, a gateway, an OPC UA session. */
  connectionKey(device: Device): string
  /**
   * How long this device may take for one call, ms; a device that does not answer within it is offline. Default: 2000. In a call
   * for several devices on one connection the most patient one counts.
   */
  deadline?(device: Device): number | undefined
  /** Offline admission check: why this property can never be visited this way, or nothing. Pure. */
  reject?(property: Property, visitor: Visitor): string | undefined
  /** The host disposes the connection, once. */
  connect(device: Device, context: MapperContext): Promise<Connection>
  /** At least one of `read` and `watch`. A method that is absent is a capability the protocol lacks. */
  read?(
    connection: Connection,
    visits: readonly Visit<Device, Visitor>[],
    signal: AbortSignal,
  ): Promise<Results<Reading>>
  /** For protocols that push; one call per device. Runs until the signal aborts; settling earlier means the connection is lost. */
  watch?(
    connection: Connection,
    visits: readonly Visit<Device, Visitor>[],
    report: Report,
    signal: AbortSignal,
  ): Promise<void>
  write?(connection: Connection, orders: readonly Order<Device, Visitor>[], signal: AbortSignal): Promise<Results<void>>
  discover?(context: MapperContext): AsyncIterable<{ readonly name: string; readonly device: Device }>
}

/** One property of a device, with the defaults of its DeviceModel filled in. */
export interface Property {
  readonly name: string
  readonly type: PropertyType
  readonly accessMode: AccessMode
  readonly unit?: string
  /** Bounds as the DeviceModel spells them. The host checks them; a driver need not. */
  readonly minimum?: string
  readonly maximum?: string
}

/** One property of one device, configs already parsed and frozen. An order is a visit that carries a value in. */
export interface Visit<Device, Visitor> {
  readonly id: VisitId
  readonly device: Device
  readonly property: Property
  readonly visitor: Visitor
}
export interface Order<Device, Visitor> extends Visit<Device, Visitor> {
  /** Of the property's type and within its bounds. */
  readonly value: PropertyValue
}
export type VisitId = string & { readonly __visit: never }

/** One value as the source gave it. The host coerces it to the property's type. */
export interface Reading {
  readonly value: PropertyValue
  /** When the source measured it, Unix ms; the host's time of the answer where the source has no clock. */
  readonly sourceTime?: number
  /** Default good. A value that could not be read at all is a failed outcome, not a bad reading. */
  readonly quality?: Exclude<Quality, 'bad'>
  /** Why the driver doubts the value. */
  readonly cause?: string
}

/** A visit that failed is a result; a connection that failed is a throw. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error }
export type Results<T> = ReadonlyMap<VisitId, Outcome<T>>
export type Report = (id: VisitId, outcome: Outcome<Reading>) => void

/** Everything a driver is lent. No bus, no twin, no store, no timers of its own. */
export interface MapperContext {
  readonly clock: { now(): number; sleep(milliseconds: number, signal: AbortSignal): Promise<void> }
  readonly log: { debug(message: string, fields?: object): void; warn(message: string, fields?: object): void }
  /** Aborts when connecting has to end: at its deadline or because the host stops. */
  readonly signal: AbortSignal
}

/** Identity at run time. At compile time it infers the three types from the value and checks the rest against them. */
export function defineMapper<Device, Visitor, Connection extends AsyncDisposable>(
  mapper: Mapper<Device, Visitor, Connection>,
): Mapper<Device, Visitor, Connection> {
  return Object.freeze(mapper)
}
