import type { Device, Json } from '../../../../schemas/index.ts'
import { isKubeObject } from '../../../cloud/kubernetes/guards.ts'
import { DEVICES } from '../../../cloud/kubernetes/resources.ts'

/** A Device as it goes on the wire. */
export function parseDevice(content: Json): Device | undefined {
  const value: unknown = content
  return isKubeObject(value) && DEVICES.accepts(value) ? value : undefined
}
