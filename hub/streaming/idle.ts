import { type Duration, minutes } from '../../platform/time/index.ts'

/** Until streams end on which nothing moves: as long as upstream. */
export const IDLE_WITHIN: Duration = minutes(240)
