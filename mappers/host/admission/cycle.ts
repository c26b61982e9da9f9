import { type Duration, ms } from '../../../platform/time/index.ts'

const DEFAULT_MS = 1000
const SHORTEST_MS = 10
/** Nobody collects every eleven days; manifests of KubeEdge before 1.18 count in nanoseconds. */
const SURELY_NANOSECONDS = 1_000_000_000

export interface Cycle {
  readonly duration: Duration
  /** Why the value was not taken as it stands. */
  readonly warning?: string
}

/** `collectCycle` or `reportCycle` of a manifest. */
export function parseCycle(raw: number | undefined): Cycle {
  // KubeEdge writes 0 for a cycle that is not given.
  if (raw === undefined || raw === 0) return { duration: ms(DEFAULT_MS) }
  if (!Number.isFinite(raw) || raw < 0) {
    return { duration: ms(DEFAULT_MS), warning: `must be more than 0 ms; ${raw} is taken as ${DEFAULT_MS} ms` }
  }
  if (raw < SHORTEST_MS) {
    return { duration: ms(SHORTEST_MS), warning: `${raw} ms is too short and taken as ${SHORTEST_MS} ms` }
  }
  if (raw < SURELY_NANOSECONDS) return { duration: ms(raw) }
  const duration = ms(Math.max(SHORTEST_MS, raw / 1_000_000))
  return {
    duration,
    warning: `is in milliseconds; ${raw} looks like nanoseconds and is taken as ${duration.milliseconds} ms`,
  }
}
