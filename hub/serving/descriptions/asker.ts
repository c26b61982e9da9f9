import type { User } from '../user.ts'

/** Who asks. */
export interface Asker {
  readonly user: User
  /** His bearer token, unless he acts as somebody else. Never logged. */
  readonly token: string | undefined
  readonly signal: AbortSignal
}
