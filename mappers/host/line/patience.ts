import type { AnyMapper, AnyVisit } from '../admission/admission.ts'

/** Milliseconds for one call; 0 where the mapper does not say, or fails to: that must not cost the connection. */
export function patienceFor(mapper: Pick<AnyMapper, 'deadline'>, device: unknown, visits: readonly AnyVisit[]): number {
  try {
    const patience = mapper.deadline?.(device, visits)
    return typeof patience === 'number' && Number.isFinite(patience) ? patience : 0
  } catch {
    return 0
  }
}
