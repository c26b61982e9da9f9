import type { Bus } from '../../platform/bus/index.ts'
import {
  assignedDevices,
  type DeviceId,
  type DeviceMethod,
  hasPlainTopic,
  type PlainProperty,
  type PlainTwin,
  plainDeviceTopic,
  plainPropertyTopic,
  splitDeviceId,
  type Twin,
  twins,
} from '../../schemas/index.ts'
import { plainTwin } from '../model/plain.ts'
import type { Rights } from './caller.ts'
import { problem } from './problem.ts'

/** Most devices in one answer. */
export const MOST_DEVICES = 500

export interface DeviceList {
  readonly items: readonly PlainTwin[]
  /** For the next page; absent on the last. */
  readonly continue?: DeviceId
}

/** The devices that somebody may see, by name. */
export function listDevices(
  bus: Bus,
  rights: Rights,
  wanted: { readonly namespace?: string; readonly limit: number; readonly after?: string },
): DeviceList {
  const { namespace, limit, after = '' } = wanted
  const ids = [...bus.list(twins).keys()]
    .filter((id) => id > after && (namespace === undefined || splitDeviceId(id).namespace === namespace))
    .filter((id) => maySee(rights, id))
    .sort()
  const page = ids.slice(0, limit)
  const last = page.at(-1)
  const items = page.flatMap((id) => {
    const twin = bus.get(twins, id)
    return twin ? [plainTwin(twin)] : []
  })
  return ids.length > page.length && last !== undefined ? { items, continue: last } : { items }
}

export function maySee(rights: Rights, id: DeviceId): boolean {
  return rights.mayHear(plainDeviceTopic(id))
}

/** A device that nobody may know of is answered as one that is not there. */
export function twinOf(bus: Bus, rights: Rights, id: DeviceId): Twin {
  const twin = maySee(rights, id) ? bus.get(twins, id) : undefined
  if (!twin) throw problem(404, `there is no device ${id} on this node, or it is not yours to see`)
  return twin
}

export function propertyOfDevice(bus: Bus, rights: Rights, id: DeviceId, name: string): PlainProperty {
  const { properties } = plainTwin(twinOf(bus, rights, id))
  const isThere = Object.hasOwn(properties, name) && hasPlainTopic(name)
  const property = isThere && rights.mayHear(plainPropertyTopic(id, name)) ? properties[name] : undefined
  if (!property) throw problem(404, `device ${id} has no property ${name}`)
  return property
}

export function methodsOf(bus: Bus, rights: Rights, id: DeviceId): readonly DeviceMethod[] {
  twinOf(bus, rights, id)
  return bus.get(assignedDevices, id)?.device.spec?.methods ?? []
}
