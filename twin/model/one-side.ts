import type { TwinUpdate } from '../../schemas/index.ts'

/** Why a client that may change this side of a twin alone may not make this update, or nothing. */
export function refuseSide(twin: TwinUpdate['twin'], side: 'desired' | 'reported' | undefined): string | undefined {
  if (side === undefined) return undefined
  for (const [name, change] of twin) {
    if (change === null) return `${name}: this client may change one side of the twin, so it cannot delete a property`
    if (side === 'reported' && change.expected !== undefined) {
      return `${name}: this client may report actual values, not set expected ones`
    }
    if (side === 'desired' && (change.actual !== undefined || change.actualQuality !== undefined)) {
      return `${name}: this client may set expected values, not report actual ones`
    }
  }
  return undefined
}
