import type { DesiredPolicy } from './desired-policy.ts'

/** Cloud and edge wanted different values of a property without knowing of each other. Long values are clipped here. */
export interface Conflict {
  /** The same for the same conflict everywhere and for ever. */
  readonly id: string
  /** Whose value the property was given. */
  readonly winner: 'cloud' | 'edge'
  /** The rule that decided. */
  readonly policy: DesiredPolicy
  /** Times by the clock of the cloud; of the arrival at the edge where nobody wrote it down. */
  readonly cloud: ConflictingWish & { readonly generation: number }
  /** Times by the clock of the edge. */
  readonly edge: ConflictingWish
}

export interface ConflictingWish {
  readonly value: string
  /** Unix ms. */
  readonly timestamp: number
  readonly author: string
}
