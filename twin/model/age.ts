import type { Reported, Twin, TwinProperty } from '../../schemas/index.ts'
import { propertyOf, withProperties } from './property.ts'
import { isConfirmation, type TakenReading } from './reading.ts'

/** The property with this time to live. It counts from now where there was none: nobody had to confirm the value until now. */
export function withTimeToLive(property: TwinProperty, timeToLive: number | undefined, now: number): TwinProperty {
  if (property.timeToLive === timeToLive) return property
  const { timeToLive: before, reported, ...rest } = property
  if (timeToLive === undefined) return { ...rest, ...(reported ? { reported: withoutAge(reported) } : {}) }
  const isNew = before === undefined
  return { ...rest, timeToLive, ...(reported ? { reported: isNew ? { ...reported, confirmed: now } : reported } : {}) }
}

/** The twin with these values stale, each since the Unix ms; those that cannot be are passed over. */
export function expire(twin: Twin, due: ReadonlyMap<string, number>): Twin {
  const changed = new Map<string, TwinProperty>()
  for (const [name, staleSince] of due) {
    const property = propertyOf(twin, name)
    if (!property?.reported || property.timeToLive === undefined || property.reported.stale) continue
    changed.set(name, { ...property, reported: { ...property.reported, stale: true, staleSince } })
  }
  return withProperties(twin, changed)
}

/** Of what was read, the properties whose value in the twin it confirms: those that somebody watches the age of. */
export function confirmedBy(twin: Twin, readings: Iterable<readonly [string, TakenReading]>): readonly string[] {
  const names: string[] = []
  for (const [name, reading] of readings) {
    const property = propertyOf(twin, name)
    if (property?.timeToLive === undefined || !isConfirmation(reading)) continue
    const { reported } = property
    // A reading that the twin did not take, for its type or its length, confirms nothing.
    if (reported && reported.value === reading.value && isConfirmation(reported)) names.push(name)
  }
  return names
}

/** The twin as it goes to disk: with the last confirmations, which change too often to be written for their own sake. */
export function withConfirmations(twin: Twin, confirmedAt: (property: string) => number | undefined): Twin {
  if (!Object.values(twin.properties).some(({ timeToLive }) => timeToLive !== undefined)) return twin
  const properties = Object.entries(twin.properties).map(([name, property]): [string, TwinProperty] => {
    const confirmed = property.reported && confirmedAt(name)
    if (!property.reported || confirmed === undefined) return [name, property]
    return [name, { ...property, reported: { ...property.reported, confirmed } }]
  })
  return { ...twin, properties: Object.fromEntries(properties) }
}

function withoutAge({ stale: _stale, staleSince: _since, confirmed: _confirmed, ...reported }: Reported): Reported {
  return reported
}
