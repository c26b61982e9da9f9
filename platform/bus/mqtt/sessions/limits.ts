import { type Duration, minutes } from '../../../time/index.ts'

export interface SessionLimits {
  /** Messages that a client has not acknowledged, and messages of one client that are worked on at once. */
  readonly maxInflight: number
  /** Filters of one client. */
  readonly maxSubscriptions: number
  /** Messages that wait for one client. */
  readonly maxQueued: number
  readonly maxQueuedBytes: number
  /** Sessions that outlive their connection. */
  readonly maxSessions: number
  /** Topics with a retained message, and their bytes. */
  readonly maxRetained: number
  readonly maxRetainedBytes: number
  /** How long a session waits for its client; 0 milliseconds is for ever. */
  readonly expireAfter: Duration
}

export const SESSION_LIMITS: SessionLimits = {
  // A client with 256 updates under way is not held up, also while the receipts of some are on the wire.
  maxInflight: 512,
  maxSubscriptions: 1000,
  // Publishers wait once a quarter is taken: the rest has room for what seven of them have under way by then.
  maxQueued: 5000,
  maxQueuedBytes: 4 * 1024 * 1024,
  maxSessions: 1000,
  maxRetained: 10_000,
  maxRetainedBytes: 64 * 1024 * 1024,
  expireAfter: minutes(7 * 24 * 60),
}
