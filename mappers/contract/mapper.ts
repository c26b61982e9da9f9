import type { AccessMode, DeviceId, PropertyType, PropertyValue, Quality } from '../../schemas/index.ts'
import type { ConfigIssue, ConfigSchema } from './config-schema.ts'

/**
 * What a protocol author writes: one inert value. Nothing happens until the host calls `connect`. The host promises:
 *
 * 1. Calls on one connection never overlap; `watch` runs alongside.
 * 2. Configs reach the driver parsed, defaulted and frozen. A bad spec is refused with a pointer, before any socket.
 * 3. The visits of one call are due together; equal collect cycles are aligned, so that neighbours can be merged.
 * 4. Each call has a deadline. Abort or throw: the connection is disposed once, its devices are offline, and after a wait
 *    it is connected, watched and written to again. Only a DeviceSilentError leaves the connection as it is: the devices of
 *    that peer are offline, are asked again after growing waits, and cost their neighbours little.
 * 5. A visit id missing from the results is a failed outcome; an unknown one costs the connection.
 * 6. Conversion (`convert`, `deadband`), coercion to the property's type, bounds, timestamps, cycles, twin updates, orders and
 *    read-back are the host's.
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
   * Why a device cannot share the connection that another one with the same key uses, e.g. other settings of one serial line; it
   * is refused as long as the other is there. Pure.
   */
  conflict?(device: Device, other: Device): ConfigIssue | undefined
  /**
   * Devices on one connection that fail together, e.g. the unit on a serial line. A call never holds two peers, so that the
   * host knows who was silent. Default: all devices of a connection are one peer.
   */
  peer?(device: Device): string
  /**
   * How long one call for these visits of a device may take, ms; what takes longer costs the connection. Default: 2000. In a
   * call for several devices the most patient one counts.
   */
  deadline?(device: Device, visits: readonly Visit<Device, Visitor>[]): number | undefined
  /**
   * How long reading these visits in one call keeps the connection busy, ms; undefined where nobody can say. Pure. The host adds
   * up what a connection is asked for, and warns when the collect cycles cannot fit.
   */
  busTime?(visits: readonly Visit<Device, Visitor>[]): number | undefined
  /**
   * True for what `watch` reports by itself; everything else is polled. Default: all, where there is a `watch`. Pure. A pushed
   * property with a time to live is read too, so that the host knows that its last value still holds.
   */
  isPushed?(visitor: Visitor): boolean
  /** True for what can only be called: such a property is neither read nor written. Pure. */
  isCallable?(visitor: Visitor): boolean
  /**
   * Offline admission check: why this property can never be visited this way, or nothing. Pure. `device` is undefined where
   * the device itself is refused already.
   */
  reject?(property: Property, visitor: Visitor, device: Device | undefined): string | undefined
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
  /** Runs what `isCallable`. Resolves to what it gave back; a refusal of the device is a failed outcome. */
  call?(
    connection: Connection,
    call: Call<Device, Visitor>,
    signal: AbortSignal,
  ): Promise<Outcome<readonly PropertyValue[]>>
  /**
   * What the source recorded from `since` (Unix ms) on, oldest first for each visit. Called after an outage, before `watch` and
   * `read` go on; a throw is logged and costs nothing.
   */
  history?(
    connection: Connection,
    visits: readonly Visit<Device, Visitor>[],
    since: number,
    report: Report,
    signal: AbortSignal,
  ): Promise<void>
  /** What is out there. `device` says where to look, e.g. a server or a line; ends by itself or when the signal aborts. */
  discover?(device: Device, context: MapperContext): AsyncIterable<Discovered>
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
  /** Of the Device, `namespace/name`. The host always gives it. */
  readonly deviceId?: DeviceId
  readonly device: Device
  readonly property: Property
  readonly visitor: Visitor
}
export interface Order<Device, Visitor> extends Visit<Device, Visitor> {
  /** Of the property's type and within its bounds. */
  readonly value: PropertyValue
}
/** One call of something callable. Arguments are as the caller gave them. */
export interface Call<Device, Visitor> extends Visit<Device, Visitor> {
  readonly arguments: readonly PropertyValue[]
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

/** Something that was found: a device, with what its manifest would say of it. */
export interface Discovered {
  readonly name: string
  readonly description?: string
  /** `protocol.configData`. */
  readonly device: { readonly [key: string]: unknown }
  readonly properties: readonly DiscoveredProperty[]
}
export interface DiscoveredProperty extends Property {
  readonly description?: string
  /** `visitors.configData`. */
  readonly visitor: { readonly [key: string]: unknown }
}

/** A visit that failed is a result; a connection that failed is a throw; a DeviceSilentError is neither. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error }
export type Results<T> = ReadonlyMap<VisitId, Outcome<T>>
export interface Report {
  (id: VisitId, outcome: Outcome<Reading>): void
  /**
   * For devices that say themselves whether they are there. One that is away is offline for this reason whatever its readings
   * say, and is not written to until it is back; its connection and its neighbours notice nothing. The host always gives it.
   */
  presence?(presence: 'here' | 'away', reason?: string): void
}

/** Everything a driver is lent. No bus, no twin, no store, no timers of its own. */
export interface MapperContext {
  readonly clock: { now(): number; sleep(milliseconds: number, signal: AbortSignal): Promise<void> }
  readonly log: { debug(message: string, fields?: object): void; warn(message: string, fields?: object): void }
  /** Aborts when connecting has to end: at its deadline or because the host stops. */
  readonly signal: AbortSignal
  /** A folder for files of this mapper alone, e.g. a trust store; exists, mode 0700, and stays over restarts. */
  readonly folder: string
  /** The MQTT broker of this node, with an account for this mapper; absent where there is none. */
  readonly broker?: LocalBroker
}

export interface LocalBroker {
  /** E.g. `mqtt://127.0.0.1:1883`. */
  readonly url: string
  readonly username?: string
  readonly password?: string
  /** Files, where the broker is another one than that of the edge and asks for them. */
  readonly passwordFile?: string
  readonly ca?: string
  readonly certificate?: string
  readonly key?: string
  /** Take any certificate of the broker. */
  readonly insecureSkipVerify?: boolean
}

/** Identity at run time. At compile time it infers the three types from the value and checks the rest against them. */
export function defineMapper<Device, Visitor, Connection extends AsyncDisposable>(
  mapper: Mapper<Device, Visitor, Connection>,
): Mapper<Device, Visitor, Connection> {
  return Object.freeze(mapper)
}
