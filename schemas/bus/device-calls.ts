import type { DeviceId } from '../device/index.ts'
import { type RequestChannel, requestChannel } from './declare.ts'

/** An argument as its caller wrote it: a scalar, or several where a property takes more than one. */
export type CallArgument = string | number | boolean | readonly (string | number | boolean)[]

/** One call of a method of `spec.methods`. Made at most once; nothing is kept for later. */
export interface DeviceCall {
  readonly id: DeviceId
  readonly method: string
  /** By name of the property. */
  readonly arguments: Readonly<Record<string, CallArgument>>
  /** ms from now within which the answer has to be there. */
  readonly timeout: number
}

/** Texts are canonical, see formatValue; null: called, without giving anything back. */
export type CallResult = string | null | readonly string[]

export type DeviceCallAnswer =
  | { readonly ok: true; readonly results: Readonly<Record<string, CallResult>> }
  | CallRefusal

export interface CallRefusal {
  readonly ok: false
  readonly code: CallCode
  readonly reason: string
  /** What was done before it failed. */
  readonly results?: Readonly<Record<string, CallResult>>
}

/**
 * 400 not understood or not allowed, nothing was sent to the device; 404 no such device or method; 502 the device refused or
 * failed; 503 the device or its mapper is away or busy, nothing was sent; 504 no answer in time, the device may have acted.
 */
export type CallCode = 400 | 404 | 500 | 502 | 503 | 504

/** Served by the host of a protocol, under each name that it serves. */
export function deviceCalls(protocol: string): RequestChannel<DeviceCall, DeviceCallAnswer> {
  return requestChannel(`devices.call.${protocol}`)
}

/** The same for any device of this node, within the bounds of calls under way. Served by DeviceMethods. */
export const callDevice = requestChannel<DeviceCall, DeviceCallAnswer>('devices.call')
