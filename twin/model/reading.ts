import type { Quality, Reported, TwinProperty } from '../../schemas/index.ts'

/** What somebody read of a property, judged already. */
export interface TakenReading {
  /** Absent when it could not be read (quality bad): the last value stays. */
  readonly value?: string | undefined
  /** Unix ms. */
  readonly sourceTime: number
  readonly quality: Quality
  readonly cause?: string | undefined
  /** Recorded earlier: it does not say what the device has now. */
  readonly history?: boolean | undefined
}

/** Characters that a twin keeps of a cause. */
const LONGEST_CAUSE = 1000

/** A reading that says what the device has now, also when it has it still. A failed one does not. */
export function isConfirmation({ value, quality, history }: TakenReading): boolean {
  return value !== undefined && quality !== 'bad' && history !== true
}

/**
 * The property as this reading leaves it; the same when it says nothing new. A failed reading keeps the last value, its times and
 * whether it is stale.
 */
export function takeReading(
  property: TwinProperty,
  reading: TakenReading,
  generation: number,
  now: number,
): TwinProperty {
  const { reported } = property
  const value = reading.value ?? reported?.value
  const { quality } = reading
  const cause = reading.cause?.slice(0, LONGEST_CAUSE).toWellFormed()
  if (value === undefined) {
    // Nothing was ever read: there is no value that the quality could be of.
    if (cause === undefined || property.unread?.cause === cause) return property
    return { ...property, unread: { cause, timestamp: now } }
  }
  const isFreshened = reported?.stale === true && isConfirmation(reading)
  const isSame = reported?.value === value && reported.quality === quality && reported.cause === cause
  if (isSame && !isFreshened) return property
  const isKept = reading.value === undefined && reported !== undefined
  const next: Reported = {
    value,
    timestamp: isKept ? reported.timestamp : now,
    sourceTime: isKept ? reported.sourceTime : reading.sourceTime,
    quality,
    ...(cause === undefined ? {} : { cause }),
    ...(isConfirmation(reading) ? {} : ageOf(reported)),
    version: { cloud: generation, edge: (reported?.version.edge ?? 0) + 1 },
  }
  const { unread: _, ...rest } = property
  return { ...rest, reported: next }
}

/** What a reading that confirms nothing leaves as it was. */
function ageOf(reported: Reported | undefined): Pick<Reported, 'stale' | 'staleSince' | 'confirmed'> {
  if (!reported) return {}
  const { stale, staleSince, confirmed = reported.timestamp } = reported
  return { ...(stale ? { stale } : {}), ...(staleSince === undefined ? {} : { staleSince }), confirmed }
}
