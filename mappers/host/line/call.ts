import { BugError } from '../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, ms, withDeadline } from '../../../platform/time/index.ts'
import type { Outcome, Results, VisitId } from '../../contract/index.ts'
import type { AnyMapper, AnyVisit } from '../admission/admission.ts'
import type { HostSettings } from '../settings.ts'
import { patienceFor } from './patience.ts'

export interface CallOptions {
  readonly clock: Clock
  readonly settings: HostSettings
  readonly mapper: Pick<AnyMapper, 'protocol' | 'deadline'>
  readonly signal: AbortSignal
}

/**
 * Runs one call of a driver within its deadline. A visit that it forgot becomes a failed outcome; an answer nobody asked
 * for is a bug of the driver and costs it the connection.
 */
export async function callDriver<T>(
  visits: readonly AnyVisit[],
  options: CallOptions,
  call: (signal: AbortSignal) => Promise<Results<T>>,
): Promise<ReadonlyMap<VisitId, Outcome<T>>> {
  const { clock, mapper, signal } = options
  const { protocol } = mapper
  const results = await withDeadline(clock, deadlineOf(visits, options), signal, call)
  if (!(results instanceof Map)) {
    throw new BugError(
      'The mapper did not answer with a Map of outcomes by visit id: let it return what readEach or writeEach gives',
      {
        code: 'MAPPERS_NO_RESULTS',
        fields: { mapper: protocol },
      },
    )
  }
  // Nearly always each visit has its answer, and nothing else came.
  if (results.size === visits.length && visits.every(({ id }) => results.get(id))) return results
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

/** The devices of one peer wait for each other anyway: the most patient one decides. */
export function deadlineOf(
  visits: readonly AnyVisit[],
  { settings, mapper }: Pick<CallOptions, 'settings' | 'mapper'>,
): Duration {
  const patience = patienceOf(visits, mapper)
  const base = patience > 0 ? patience : settings.callDeadline.milliseconds
  return ms(base + settings.visitAllowance.milliseconds * visits.length)
}

function patienceOf(visits: readonly AnyVisit[], mapper: CallOptions['mapper']): number {
  const [first] = visits
  if (!first || !mapper.deadline) return 0
  if (visits.every(({ device }) => device === first.device)) return patienceFor(mapper, first.device, visits)
  let most = 0
  for (const [device, own] of Map.groupBy(visits, (visit) => visit.device)) {
    most = Math.max(most, patienceFor(mapper, device, own))
  }
  return most
}
