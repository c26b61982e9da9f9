import { fieldOf, isObject } from './fields.ts'
import { QUALITIES, type Quality } from './twin.ts'

/** UTF-16 units of `actual.metadata.cause`. */
const LONGEST_CAUSE = 1000

export type Refusal = { readonly refusal: string }

/** A side that is there must have a value: KubeEdge crashes where it is missing. */
export function decodeExpected(side: unknown): { readonly value: string } | Refusal | undefined {
  if (side === undefined) return undefined
  if (!isObject(side)) return { refusal: 'expected is not an object' }
  const value = fieldOf(side, 'value')
  return typeof value === 'string' ? { value } : { refusal: 'expected.value is missing or is not a string' }
}

/** The part of a TwinChange that is a reading. */
export interface ActualSide {
  readonly actual?: string
  readonly actualTime?: number
  readonly actualQuality?: Exclude<Quality, 'good'>
  readonly actualCause?: string
}

const NO_METADATA: ActualSide = {}

export function decodeActual(side: unknown): ActualSide | Refusal {
  if (side === undefined) return {}
  if (!isObject(side)) return { refusal: 'actual is not an object' }
  const given = fieldOf(side, 'metadata') ?? undefined
  const metadata = given === undefined ? NO_METADATA : decodeMetadata(given)
  if ('refusal' in metadata) return metadata
  const value = fieldOf(side, 'value') ?? undefined
  if (value === undefined && metadata.actualQuality === 'bad') return metadata
  return typeof value === 'string'
    ? { actual: value, ...metadata }
    : { refusal: 'actual.value is missing or is not a string' }
}

/** What KubeEdge's clients send is a timestamp, or 0 for none; it is not asked for, so it must not be nonsense. */
function decodeMetadata(metadata: unknown): ActualSide | Refusal {
  if (!isObject(metadata)) return { refusal: 'actual.metadata is not an object' }
  for (const key of ['timestamp', 'sourceTime']) {
    const time = fieldOf(metadata, key) ?? 0
    if (!isTime(time)) return { refusal: `actual.metadata.${key} is not a time in Unix ms` }
  }
  const quality = fieldOf(metadata, 'quality') ?? 'good'
  if (!isQuality(quality)) return { refusal: `actual.metadata.quality is none of ${QUALITIES.join(', ')}` }
  const cause = fieldOf(metadata, 'cause') ?? ''
  if (typeof cause !== 'string' || cause.length > LONGEST_CAUSE || !cause.isWellFormed()) {
    return { refusal: `actual.metadata.cause is no text of at most ${LONGEST_CAUSE} characters` }
  }
  const time = [fieldOf(metadata, 'sourceTime'), fieldOf(metadata, 'timestamp')].find(
    (each) => isTime(each) && each > 0,
  )
  return {
    ...(isTime(time) ? { actualTime: time } : {}),
    ...(quality === 'good' ? {} : { actualQuality: quality }),
    ...(quality === 'good' || cause === '' ? {} : { actualCause: cause }),
  }
}

/** Milliseconds that a Date can hold. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 8_640_000_000_000_000
}

function isQuality(value: unknown): value is Quality {
  return QUALITIES.some((quality) => quality === value)
}
