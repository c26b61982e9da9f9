import type { DeviceReport, PropertyReading, Twin, TwinProperty, WriteResult } from '../../schemas/index.ts'
import { orderId } from './orders.ts'
import { propertyOf, refuseValue, settled, withoutFailure, withProperties } from './property.ts'
import { type TakenReading, takeReading } from './reading.ts'
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
    update(reading.property, (property) =>
      isOutdated(property, reading)
        ? property
        : settled(takeReading(property, judge(property, reading, limits), twin.generation, now)),
    )
  for (const write of report.writes) update(write.property, (property) => conclude(twin, property, write, now))
  return withProperties(twin, changed)
}

/** What is read now always counts, whatever the clock of its source says; what was recorded may come too late. */
function isOutdated({ reported }: TwinProperty, { history, sourceTime }: PropertyReading): boolean {
  return history === true && reported !== undefined && sourceTime <= reported.sourceTime
}

/** A value that the property cannot have is no value, but a failed reading that says why. */
function judge(
  property: TwinProperty,
  { value, quality, cause, sourceTime, history }: PropertyReading,
  limits: TwinLimits,
): TakenReading {
  if (value === undefined) return { sourceTime, quality: 'bad', cause: cause ?? NO_CAUSE }
  const refusal = refuseText(value, limits) ?? refuseValue(property, value)
  return refusal === undefined
    ? { value, sourceTime, quality, history, cause: quality === 'bad' ? (cause ?? NO_CAUSE) : cause }
    : { sourceTime, quality: 'bad', cause: refusal }
}

const NO_CAUSE = 'no cause was given'

function conclude(twin: Twin, property: TwinProperty, write: WriteResult, now: number): TwinProperty {
  const { desired, failure } = property
  if (!desired || orderId(twin, desired) !== write.orderId) return property
  if (!write.failure) return failure ? withoutFailure(property) : property
  const { reason, message } = write.failure
  if (failure && failure.reason === reason && failure.message === message) return property
  return { ...property, failure: { value: desired.value, reason, message, timestamp: now } }
}
