import type { Condition, Device, DeviceConditionsStatus, DeviceStatus, StatusTwin } from '../../../../schemas/index.ts'
import { conditionNamed } from '../conditions/conditions.ts'
import { EDGE_ANNOTATION } from '../views/edge-record.ts'
import { EXTRA } from '../views/twin-view.ts'
import type { Urgency } from '../writes/fair-queue.ts'
import { sameJson, sameJsonBut } from './same-json.ts'
import type { WantedStatus } from './wanted-status.ts'

/** The next write that a device needs. */
export type NextWrite =
  | { readonly target: 'device'; readonly urgency: Urgency; readonly status: Partial<DeviceConditionsStatus> }
  | { readonly target: 'status'; readonly urgency: Urgency; readonly change: StatusChange }

export interface StatusChange {
  readonly status?: NonNullable<DeviceStatus['status']>
  readonly annotations?: Readonly<Record<string, string>>
}

/**
 * What differs between the wanted and the known state of the two objects, the most urgent first; nothing where all is told. Pure.
 *
 * A change of state goes to Device, which has its conditions, then to DeviceStatus. Values go to DeviceStatus, where KubeEdge's
 * users read them, then to Device as a copy. The record of what the edge has told stands on DeviceStatus, and so is written only
 * when everything that Device alone holds is there.
 */
export function nextWrite(
  device: Device,
  status: DeviceStatus | undefined,
  wanted: WantedStatus,
): NextWrite | undefined {
  const ofDevice = deviceChange(device, wanted)
  const isReading = ofDevice !== undefined && isOnlyReadings(ofDevice, device.status)
  if (ofDevice && !isReading) return { target: 'device', urgency: 'state', status: ofDevice }
  const ofStatus = statusChange(status, wanted)
  if (!status) return { target: 'status', urgency: 'state', change: ofStatus ?? {} }
  if (ofStatus) return { target: 'status', urgency: urgencyOf(ofStatus, status), change: ofStatus }
  return ofDevice && { target: 'device', urgency: 'mirror', status: ofDevice }
}

function deviceChange(device: Device, wanted: WantedStatus): Partial<DeviceConditionsStatus> | undefined {
  const target = {
    conditions: wanted.conditions,
    ...(device.metadata.generation === undefined ? {} : { observedGeneration: device.metadata.generation }),
    ...(wanted.state === undefined ? {} : { state: wanted.state }),
    ...(wanted.lastOnlineTime === undefined ? {} : { lastOnlineTime: wanted.lastOnlineTime }),
    ...(wanted.deviceTwins === undefined ? {} : { twins: wanted.deviceTwins }),
    intents: wanted.intents,
    ...(wanted.conflicts.length === 0 && !device.status?.conflicts ? {} : { conflicts: wanted.conflicts }),
  }
  return changed(target, device.status)
}

function statusChange(status: DeviceStatus | undefined, wanted: WantedStatus): StatusChange | undefined {
  const target = {
    ...(wanted.reportedState === undefined ? {} : { state: wanted.reportedState }),
    ...(wanted.lastOnlineTime === undefined ? {} : { lastOnlineTime: wanted.lastOnlineTime }),
    ...(wanted.statusTwins === undefined ? {} : { twins: wanted.statusTwins }),
  }
  const differing = changed(target, status?.status)
  const { record } = wanted
  const isTold = record === undefined || status?.metadata.annotations?.[EDGE_ANNOTATION] === record
  if (!differing && isTold) return undefined
  return {
    ...(differing ? { status: differing } : {}),
    ...(isTold ? {} : { annotations: { [EDGE_ANNOTATION]: record } }),
  }
}

function urgencyOf({ status: change }: StatusChange, { status }: DeviceStatus): Urgency {
  if (change?.state !== undefined) return 'state'
  return change?.twins === undefined || hasOnlyNewValues(change.twins, status?.twins) ? 'reading' : 'state'
}

function isOnlyReadings(change: Partial<DeviceConditionsStatus>, present: DeviceConditionsStatus | undefined): boolean {
  const { conditions, twins, lastOnlineTime: _time, ...others } = change
  if (Object.keys(others).length > 0) return false
  if (conditions && !conditions.every((condition) => isSameButWait(condition, present?.conditions))) return false
  return twins === undefined || hasOnlyNewValues(twins, present?.twins)
}

/** What is waited for is said with the present value, which changes as values do. */
function isSameButWait(condition: Condition, present: readonly Condition[] | undefined): boolean {
  const known = conditionNamed(present, condition.type)
  if (!known || known.reason !== condition.reason) return false
  return sameJson(condition, condition.reason === 'Pending' ? { ...known, message: condition.message } : known)
}

/** The same properties with the same desired values and the same quality: only what was read, and when, is another. */
function hasOnlyNewValues(twins: readonly StatusTwin[], present: readonly StatusTwin[] | undefined): boolean {
  if (!Array.isArray(present) || present.length !== twins.length) return false
  return twins.every((twin, at) => {
    const known: unknown = present[at]
    return typeof known === 'object' && known !== null && isSameButReading(twin, known)
  })
}

const REPORTED: ReadonlySet<string> = new Set(['reported'])
const OF_READING: ReadonlySet<string> = new Set(['timestamp', EXTRA.sourceTime])

function isSameButReading(twin: object, known: object): boolean {
  if (!sameJsonBut(REPORTED, twin, known)) return false
  const [reported, before] = [Reflect.get(twin, 'reported'), Reflect.get(known, 'reported')]
  if (!isObject(reported) || !isObject(before)) return sameJson(reported, before)
  return sameJsonBut(OF_READING, Object(Reflect.get(reported, 'metadata')), Object(Reflect.get(before, 'metadata')))
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Those fields of `target` that `present` does not hold. */
function changed<T extends object>(target: T, present: object | undefined): Partial<T> | undefined {
  let differing: Partial<T> | undefined
  for (const key of Object.keys(target)) {
    const value: unknown = Reflect.get(target, key)
    if (sameJson(value, present && Reflect.get(present, key))) continue
    differing ??= {}
    Reflect.set(differing, key, value)
  }
  return differing
}
