import type { PropertyValue } from '../../schemas/index.ts'
import { isConnectionLost } from './lost.ts'
import type { Outcome, Reading, Results, VisitId } from './mapper.ts'
import { isDeviceSilent } from './silent.ts'

/** What `work` of readEach may give; null as JSON has it. */
type Given = PropertyValue | Reading | undefined | null

/**
 * Does `work` for one visit after the other; what it throws is the failure of that one. It gives a Reading or a bare value, or
 * nothing where the device has no such value. Throws when the signal aborts, and a DeviceSilentError or ConnectionLostError of
 * `work`: that is of all.
 */
export async function readEach<V extends { readonly id: VisitId }>(
  visits: readonly V[],
  signal: AbortSignal,
  work: (visit: V) => Promise<Given> | Given,
): Promise<Results<Reading>> {
  return each(visits, signal, async (visit) => {
    const value = await work(visit)
    if (value === undefined || value === null) throw new Error('the device has no such value')
    return isReading(value) ? value : { value }
  })
}

/** As readEach, for orders; what comes back does not matter. */
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
      if (isDeviceSilent(error) || isConnectionLost(error)) throw error
      results.set(visit.id, { ok: false, error: error instanceof Error ? error : new Error(String(error)) })
    }
  }
  return results
}

function isReading(value: PropertyValue | Reading): value is Reading {
  return typeof value === 'object' && !(value instanceof Uint8Array)
}
