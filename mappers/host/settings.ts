import type { BackoffOptions, Duration } from '../../platform/time/index.ts'
import { ms, seconds } from '../../platform/time/index.ts'

/** How patient the host is. A device that stops answering is offline after its collect cycle and one call deadline. */
export interface HostSettings {
  readonly connectDeadline: Duration
  /** For one read or write of a driver, whatever its size. */
  readonly callDeadline: Duration
  /** Added to the call deadline for each visit, so that a batch of a thousand on a slow line is not cut short. */
  readonly visitAllowance: Duration
  readonly disposeDeadline: Duration
  /** For what one device recorded during an outage. */
  readonly historyDeadline: Duration
  /** For the twin to make a report durable. */
  readonly reportDeadline: Duration
  readonly reconnect: BackoffOptions
  /** After a write that failed or was not read back. */
  readonly rewrite: BackoffOptions
  /** After a report that the twin did not take. */
  readonly resend: BackoffOptions
}

export const defaultSettings: HostSettings = {
  connectDeadline: seconds(3),
  callDeadline: seconds(2),
  visitAllowance: ms(10),
  disposeDeadline: seconds(2),
  historyDeadline: seconds(10),
  reportDeadline: seconds(10),
  reconnect: { first: ms(250), most: seconds(10) },
  rewrite: { first: seconds(1), most: seconds(60) },
  resend: { first: ms(100), most: seconds(5) },
}
