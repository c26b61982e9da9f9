import type { Outcome } from '../../contract/index.ts'
import { failed, statusError } from '../values/reading.ts'
import { faultOf, isTooLarge } from './faults.ts'

/** How many operations one request may hold. Shrinks when the server finds a request too large. */
export interface BatchLimit {
  size: number
}

/**
 * Runs the service for all items, in as many requests as the limit says. What the server refuses as a whole fails for the items
 * of that request; everything else that goes wrong is thrown. Results stand in the order of the items.
 */
export async function inBatches<I, R>(
  items: readonly I[],
  limit: BatchLimit,
  service: (batch: readonly I[]) => Promise<readonly R[]>,
): Promise<readonly Outcome<R>[]> {
  const outcomes: Outcome<R>[] = []
  while (outcomes.length < items.length) {
    const batch = items.slice(outcomes.length, outcomes.length + limit.size)
    try {
      const results = await service(batch)
      if (results.length !== batch.length) {
        throw new Error(`the server answered ${results.length} of ${batch.length} questions`)
      }
      for (const value of results) outcomes.push({ ok: true, value })
    } catch (error) {
      const fault = faultOf(error)
      if (!fault) throw error
      if (isTooLarge(fault) && batch.length > 1) limit.size = Math.ceil(batch.length / 2)
      else for (const _ of batch) outcomes.push(failed(statusError(fault)))
    }
  }
  return outcomes
}
