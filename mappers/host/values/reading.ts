import { describeError } from '../../../platform/lifecycle/index.ts'
import type { PropertyReading } from '../../../schemas/index.ts'
import type { Outcome, Reading } from '../../contract/index.ts'
import type { PropertyPlan } from '../admission/admission.ts'
import { coerce } from './coerce.ts'

/** A driver's outcome as the twin takes it: canonical text, source time, quality. `now` is Unix ms. */
export function toReading(plan: PropertyPlan, outcome: Outcome<Reading>, now: number): PropertyReading {
  const property = plan.model.name
  if (!outcome.ok) return { property, sourceTime: now, quality: 'bad', cause: describeError(outcome.error) }
  const { value, sourceTime = now, quality = 'good', cause } = outcome.value
  const text = coerce(plan.visit.property.type, value)
  if (!text.ok) return { property, sourceTime, quality: 'bad', cause: text.reason }
  return { property, value: text.value, sourceTime, quality, ...(cause === undefined ? {} : { cause }) }
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
  if (before.value !== reading.value || before.quality !== reading.quality || before.cause !== reading.cause)
    return true
  const since = now - last.at
  if (plan.report !== undefined && since >= plan.report.milliseconds) return true
  return plan.confirm !== undefined && reading.quality !== 'bad' && since >= plan.confirm.milliseconds
}
