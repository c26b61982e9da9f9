import type { Metrics } from '../../../platform/health/index.ts'
import type { ApiContext } from '../rest/context.ts'

export interface ControllerOptions {
  readonly api: ApiContext
  readonly metrics: Metrics
}

/** What keeps objects as Kubernetes promises, beside the requests. */
export interface Controller {
  /** Takes up what is there and follows the changes from now on, until disposed. */
  watch(): Disposable
  /** Works until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
}
