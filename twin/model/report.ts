import type { DeviceReport, PropertyReading, Reported, Twin, TwinProperty, WriteResult } from '../../schemas/index.ts'
import { orderId } from './orders.ts'
import { propertyOf, settled, withoutFailure, withProperties } from './property.ts'
import { refuseText, type TwinLimits } from './update.ts'

/**
 * What the mapper host says of one device, in its order: readings, then results of writes. Properties that the twin does not
 * have and results of outdated orders are passed over. The same twin when nothing changes.
 */
export function applyReport(twin: Twin, report: DeviceReport, limits: TwinLimits, now: number): Twin {
  const changed = new Map<string, TwinProperty>()
  const update = (name: string, change: (property: TwinProperty) => TwinProperty) => {
    const before = changed.get(name) ?? propertyOf(twin, name)
    const after = before && change(before)
    if (after && after !== before) changed.set(name, after)
  }
  for (const reading of report.readings)
    update(reading.property, (property) => settled(take(property, reading, limits, twin.generation, now)))
  for (const write of report.writes) update(write.property, (property) => conclude(twin, property, write, now))
  return withProperties(twin, changed)
}

function take(property: TwinProperty, reading: PropertyReading, limits: TwinLimits, generation: number, now: number) {
  const { reported } = property
  const tooLong = reading.value === undefined ? undefined : refuseText(reading.value, limits)
  const value = tooLong === undefined ? (reading.value ?? reported?.value) : reported?.value
  // Nothing was ever read: there is no value that the quality could be of.
  if (value === undefined) return property
  const quality = tooLong === undefined ? reading.quality : 'bad'
  const cause = tooLong ?? reading.cause
  if (reported && reported.value === value && reported.quality === quality && reported.cause === cause) return property
  const isRead = reading.value !== undefined && tooLong === undefined
  const next: Reported = {
    value,
    timestamp: now,
    // A failed reading says nothing newer about the value that is kept.
    sourceTime: isRead ? reading.sourceTime : (reported?.sourceTime ?? reading.sourceTime),
    quality,
    ...(cause === undefined ? {} : { cause }),
    version: { cloud: generation, edge: (reported?.version.edge ?? 0) + 1 },
  }
  return { ...property, reported: next }
}

function conclude(twin: Twin, property: TwinProperty, write: WriteResult, now: number): TwinProperty {
  const { desired, failure } = property
  if (!desired || orderId(twin, desired) !== write.orderId) return property
  if (!write.failure) return failure ? withoutFailure(property) : property
  const { reason, message } = write.failure
  if (failure && failure.reason === reason && failure.message === message) return property
  return { ...property, failure: { value: desired.value, reason, message, timestamp: now } }
}
