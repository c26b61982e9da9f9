import type { PropertyValue } from '../../schemas/index.ts'
import type { Outcome, Reading, Results, VisitId } from './mapper.ts'

/**
 * Does `work` for one visit (or order) after the other; what it throws is the failure of that one. A Reading, a bare value and,
 * for orders, nothing may come back. Throws when the signal aborts.
 */
export async function readEach<V extends { readonly id: VisitId }>(
  visits: readonly V[],
  signal: AbortSignal,
  work: (visit: V) => Promise<PropertyValue | Reading> | PropertyValue | Reading,
): Promise<Results<Reading>> {
  return each(visits, signal, async (visit) => {
    const value = await work(visit)
    return isReading(value) ? value : { value }
  })
}

/** As readEach, for orders. */
export async function writeEach<O extends { readonly id: VisitId }>(
  orders: readonly O[],
  signal: AbortSignal,
  work: (order: O) => Promise<unknown> | unknown,
): Promise<Results<void>> {
  return each(orders, signal, async (order) => void (await work(order)))
}

/** For protocols without connections: nothing is open, so nothing is closed. */
export async function noConnection(): Promise<AsyncDisposable> {
  return { [Symbol.asyncDispose]: async () => undefined }
}

async function each<V extends { readonly id: VisitId }, T>(
  visits: readonly V[],
  signal: AbortSignal,
  work: (visit: V) => Promise<T>,
): Promise<Map<VisitId, Outcome<T>>> {
  const results = new Map<VisitId, Outcome<T>>()
  for (const visit of visits) {
    signal.throwIfAborted()
    try {
      results.set(visit.id, { ok: true, value: await work(visit) })
    } catch (error) {
      signal.throwIfAborted()
      results.set(visit.id, { ok: false, error: error instanceof Error ? error : new Error(String(error)) })
    }
  }
  return results
}

function isReading(value: PropertyValue | Reading): value is Reading {
  return typeof value === 'object' && !(value instanceof Uint8Array)
}
