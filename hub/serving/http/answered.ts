import type { Attributes, Decision } from '../../kube/rbac/index.ts'
import type { User } from '../user.ts'

/** One request that was answered, as far as its audit goes. */
export interface Answered {
  readonly id: string
  readonly url: URL
  /** Unix ms. */
  readonly received: number
  readonly answered: number
  readonly address: string
  readonly agent: string
  /** Undefined where its credentials are those of nobody. */
  readonly sender?: User
  /** Whom the sender acted as. */
  readonly actedAs?: User
  readonly verb: string
  readonly attributes?: Attributes
  readonly decision?: Decision
  /** Of a new object, which its path does not name. */
  readonly name?: string
  readonly code: number
  /** Of a failure. */
  readonly reason?: string
  readonly message?: string
}

/** Where requests are recorded. */
export interface AuditTrail {
  record(answered: Answered): void
}
