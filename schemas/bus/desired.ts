import type { DeviceId } from '../device/index.ts'
import type { PlainValue } from '../twin/plain.ts'
import { requestChannel } from './declare.ts'

/** What somebody at this node wants of a device: all of it is taken, or nothing. */
export interface DesiredRequest {
  readonly id: DeviceId
  /** Texts by name of the property, BYTES in base64. */
  readonly values: Readonly<Record<string, string>>
  /** Who wants it, such as `user:anna`; it stands in the twin and in conflicts. */
  readonly author: string
}

export type DesiredAnswer =
  | { readonly ok: true; readonly values: Readonly<Record<string, PlainValue>> }
  | DesiredRefusal

/** 400 not allowed by the model or not understood; 404 no such device or property; 500 not stored. */
export interface DesiredRefusal {
  readonly ok: false
  readonly code: 400 | 404 | 500
  readonly reason: string
}

/**
 * Sets desired values under the rules of twin/update, except that no property is made. Served by DeviceTwin; answered after they
 * are durable. It is a wish of the edge: who wins over the cloud is the policy of the property.
 */
export const setDesired = requestChannel<DesiredRequest, DesiredAnswer>('twin.desired')
