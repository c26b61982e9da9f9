import type { Desired, Twin, TwinChange, TwinProperty, TwinUpdate } from '../../schemas/index.ts'
import { withoutConflict } from './conflict.ts'
import { refuseForKubeEdge } from './kubeedge-names.ts'
import {
  freeType,
  isFulfilled,
  means,
  propertyOf,
  refuseValue,
  refuseWish,
  settled,
  withoutFailure,
  withProperties,
} from './property.ts'
import { takeReading } from './reading.ts'

/** What clients may make a twin hold. */
export interface TwinLimits {
  /** UTF-8 bytes of one value. */
  readonly valueBytes: number
  /** Properties that no Device declares, and the UTF-16 units of all their values together. */
  readonly freeProperties: number
  readonly freeUnits: number
  /** Texts that clients may use as names and values. */
  readonly names: 'any' | 'kubeedge'
}

export const TWIN_LIMITS: TwinLimits = { valueBytes: 65_536, freeProperties: 256, freeUnits: 1_048_576, names: 'any' }

export type Updated = { readonly ok: true; readonly twin: Twin } | { readonly ok: false; readonly reason: string }

/**
 * A client's twin/update: all of it, or none with a reason. What is already so is no change, except a repeated wish that the
 * device has not followed: that is a new try, or one that ends a conflict. The same twin when nothing changes.
 */
export function applyUpdate(twin: Twin, update: TwinUpdate, limits: TwinLimits, now: number): Updated {
  const changed = new Map<string, TwinProperty | undefined>()
  for (const [name, change] of update.twin) {
    const narrow = limits.names === 'kubeedge' ? refuseForKubeEdge(name, change) : undefined
    if (narrow !== undefined) return refused(`${name}: ${narrow}`)
    const property = propertyOf(twin, name)
    if (change === null) {
      if (property?.optional) changed.set(name, undefined)
      continue
    }
    const base = property ?? makeFree(change)
    if (!base) return refused(`${name}: unknown type ${change.type?.slice(0, 64)}`)
    const reason = refuseChange(name, base, change, limits)
    if (reason !== undefined) return refused(`${name}: ${reason}`)
    const next = applyChange(base, change, { generation: twin.generation, author: update.author, now })
    if (next !== property) changed.set(name, next)
  }
  const next = withProperties(twin, changed)
  const excess = next === twin ? undefined : refuseExcess(next, changed, limits)
  return excess === undefined ? { ok: true, twin: next } : refused(excess)
}

function refused(reason: string): Updated {
  return { ok: false, reason }
}

function makeFree({ type = 'string', optional = true }: TwinChange): TwinProperty | undefined {
  return freeType(type) && { type, declared: false, optional, writable: true }
}

function refuseChange(name: string, property: TwinProperty, change: TwinChange, limits: TwinLimits) {
  const { expected, actual } = change
  for (const text of [expected, actual]) {
    const reason = text === undefined ? undefined : refuseText(text, limits)
    if (reason) return reason
  }
  const wish = expected === undefined ? undefined : refuseWish(name, property, expected)
  if (wish !== undefined) return `expected value ${wish}`
  const value = actual === undefined ? undefined : refuseValue(property, actual)
  return value === undefined ? undefined : `actual value ${value}`
}

/** A text that is no Unicode, or too long for a twin. */
export function refuseText(text: string, { valueBytes }: TwinLimits): string | undefined {
  if (!text.isWellFormed()) return 'the value is not valid Unicode'
  // A UTF-16 unit takes three bytes at most.
  const isLong = text.length * 3 > valueBytes && Buffer.byteLength(text) > valueBytes
  return isLong ? `the value is longer than ${valueBytes} bytes` : undefined
}

interface Circumstances {
  readonly generation: number
  readonly author: string | undefined
  readonly now: number
}

function applyChange(before: TwinProperty, change: TwinChange, circumstances: Circumstances): TwinProperty {
  const { generation, now } = circumstances
  let property = before
  if (change.optional === false && property.optional) property = { ...property, optional: false }
  if (change.actual !== undefined || change.actualQuality) property = report(property, change, generation, now)
  if (change.expected !== undefined) property = wish(property, change.expected, circumstances)
  return property
}

function report(property: TwinProperty, change: TwinChange, generation: number, now: number): TwinProperty {
  const { actual: value, actualTime: sourceTime = now, actualQuality: quality = 'good', actualCause } = change
  const cause = quality === 'bad' ? (actualCause ?? 'reported as bad by an MQTT client') : actualCause
  return settled(takeReading(property, { value, sourceTime, quality, cause }, generation, now))
}

function wish(property: TwinProperty, value: string, { generation, author, now }: Circumstances): TwinProperty {
  const { desired, reported, failure, conflict } = property
  const isOpen = failure !== undefined || conflict !== undefined || (reported !== undefined && !isFulfilled(property))
  if (desired && means(property, desired.value, value) && !isOpen) return property
  const version = { cloud: generation, edge: (desired?.version.edge ?? 0) + 1 }
  const by = author === undefined ? {} : { author }
  const next: Desired = { value, timestamp: now, version, origin: 'edge', ...by }
  // Whoever wishes now knows the intent of the cloud: it has arrived here.
  return { ...withoutFailure(withoutConflict(property)), desired: next }
}

/** Why a twin holds too much of what no Device declares, or nothing. */
export function refuseExcess(
  twin: Twin,
  changed: ReadonlyMap<string, TwinProperty | undefined>,
  limits: TwinLimits,
): string | undefined {
  if (![...changed.values()].some((property) => property && !property.declared)) return undefined
  const free = Object.values(twin.properties).filter(({ declared }) => !declared)
  if (free.length > limits.freeProperties) {
    return `a twin holds at most ${limits.freeProperties} properties that its Device does not declare`
  }
  let units = 0
  for (const { desired, reported } of free) units += (desired?.value.length ?? 0) + (reported?.value.length ?? 0)
  return units > limits.freeUnits ? 'the properties that the Device does not declare are too large together' : undefined
}
