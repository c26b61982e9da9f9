import { type Duration, ms } from '../../../platform/time/index.ts'
import type { Pod } from '../pod/pod.ts'
import type { Plan } from './plan.ts'
import { SANDBOX, type Waits } from './waits.ts'

/** What one run of a worker has come to. */
export interface Outcome {
  /** Nothing of it is left, and nobody wants it. */
  readonly isGone: boolean
  /** Look again then, though nothing is heard meanwhile. */
  readonly wakeAfter?: Duration
}

/** Until a disk that took nothing is tried again. */
const KEEP_AGAIN_MS = 10_000
const SOONEST_MS = 10

/** Of a pod that goes on: when it is looked at again. */
export function nextLook(
  { pod, plan, waits }: { readonly pod: Pod; readonly plan: Plan; readonly waits: Waits },
  kept: { readonly startedAt: number; readonly hasEnded: boolean; readonly isKept: boolean },
  now: number,
): Outcome {
  const { activeDeadlineSeconds: most } = pod.spec
  const after = plan.wakeAt === undefined ? [] : [plan.wakeAt - now]
  if (most !== undefined && !plan.isOver && !kept.hasEnded) after.push(kept.startedAt + most * 1000 - now)
  if (!kept.isKept) after.push(KEEP_AGAIN_MS)
  const next = waits.next([
    ...(plan.sandbox === 'make' ? [SANDBOX] : []),
    ...plan.start.map(({ container }) => container.name),
  ])
  if (next) after.push(next.milliseconds)
  return after.length === 0
    ? { isGone: false }
    : { isGone: false, wakeAfter: ms(Math.max(SOONEST_MS, Math.min(...after))) }
}
