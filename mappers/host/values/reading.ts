import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Parsed, PropertyReading, PropertyValue } from '../../../schemas/index.ts'
import type { Outcome, Reading } from '../../contract/index.ts'
import type { PropertyPlan } from '../admission/admission.ts'
import { coerce } from './coerce.ts'
import { isWithin } from './deadband.ts'

/** A raw value that was written, and the wish that it stands for; rounding must not make the wish look unfulfilled. */
export interface Echo {
  readonly raw: PropertyValue
  readonly text: string
}

/** A driver's outcome as the twin takes it: canonical text, source time, quality. `now` is Unix ms. */
export function toReading(plan: PropertyPlan, outcome: Outcome<Reading>, now: number, echo?: Echo): PropertyReading {
  const property = plan.model.name
  // Drivers are other people's code: `undefined` must not become a text.
  if (!outcome?.ok || !isValue(outcome.value?.value)) {
    return { property, sourceTime: now, quality: 'bad', cause: failureOf(outcome) }
  }
  const { value, quality = 'good', cause } = outcome.value
  const sourceTime = timeOf(outcome.value, now)
  const text = echo && plan.conversion?.confirms(echo.raw, value, echo.text) ? ok(echo.text) : textOf(plan, value)
  if (!text.ok) return { property, sourceTime, quality: 'bad', cause: text.reason }
  if (cause === undefined) return { property, value: text.value, sourceTime, quality }
  return { property, value: text.value, sourceTime, quality, cause }
}

function isValue(value: unknown): boolean {
  switch (typeof value) {
    case 'number':
    case 'string':
    case 'boolean':
    case 'bigint':
      return true
    default:
      return value instanceof Uint8Array
  }
}

function timeOf({ sourceTime }: Reading, now: number): number {
  return sourceTime !== undefined && Number.isFinite(sourceTime) ? sourceTime : now
}

function failureOf(outcome: Outcome<Reading> | undefined): string {
  if (outcome?.ok !== false) return 'the mapper gave no value'
  return outcome.error === undefined ? 'the mapper gave no reason' : describeError(outcome.error)
}

function textOf({ conversion, model }: PropertyPlan, raw: PropertyValue): Parsed<string> {
  const value = conversion ? conversion.read(raw) : ok(raw)
  return value.ok ? coerce(model.type ?? 'STRING', value.value) : value
}

function ok<T>(value: T): Parsed<T> {
  return { ok: true, value }
}

export interface Sent {
  readonly reading: PropertyReading
  /** Monotonic ms. */
  readonly at: number
}

/** Whether the twin has to hear of this reading: it differs from the last one, its report cycle is over, or its age is watched. */
export function isNews(plan: PropertyPlan, last: Sent | undefined, reading: PropertyReading, now: number): boolean {
  if (!last) return true
  const before = last.reading
  if (before.quality !== reading.quality || before.cause !== reading.cause) return true
  if (before.value !== reading.value && !isNoise(plan, before.value, reading.value)) return true
  const since = now - last.at
  if (plan.report !== undefined && since >= plan.report.milliseconds) return true
  return plan.confirm !== undefined && reading.quality !== 'bad' && since >= plan.confirm.milliseconds
}

function isNoise({ deadband, model }: PropertyPlan, sent: string | undefined, value: string | undefined): boolean {
  if (!deadband || sent === undefined || value === undefined) return false
  return isWithin(deadband, model.type ?? 'STRING', sent, value)
}
