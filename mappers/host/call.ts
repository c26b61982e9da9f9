import { BugError } from '../../platform/lifecycle/index.ts'
import { type Clock, ms, withDeadline } from '../../platform/time/index.ts'
import type { Outcome, Results, VisitId } from '../contract/index.ts'
import type { HostSettings } from './settings.ts'

export interface CallOptions {
  readonly clock: Clock
  readonly settings: HostSettings
  readonly protocol: string
  readonly signal: AbortSignal
}

/**
 * Runs one call of a driver within its deadline. A visit that it forgot becomes a failed outcome; an answer nobody asked
 * for is a bug of the driver and costs it the connection.
 */
export async function callDriver<T>(
  visits: readonly { readonly id: VisitId }[],
  options: CallOptions,
  call: (signal: AbortSignal) => Promise<Results<T>>,
): Promise<ReadonlyMap<VisitId, Outcome<T>>> {
  const { clock, settings, protocol, signal } = options
  const deadline = ms(settings.callDeadline.milliseconds + settings.visitAllowance.milliseconds * visits.length)
  const results = await withDeadline(clock, deadline, signal, call)
  const asked = new Set(visits.map(({ id }) => id))
  for (const id of results.keys()) {
    if (asked.has(id)) continue
    throw new BugError('The mapper answered a visit that it was not asked for', {
      code: 'MAPPERS_UNKNOWN_VISIT',
      fields: { mapper: protocol, visit: id },
    })
  }
  const missing: Outcome<T> = { ok: false, error: new Error(`mapper ${protocol} gave no answer for this property`) }
  return new Map(visits.map(({ id }) => [id, results.get(id) ?? missing]))
}
