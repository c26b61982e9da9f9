import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { Places } from '../../../platform/lifecycle/index.ts'

export interface StreamBoundsOptions {
  /** Streams that one caller may have, and all together. */
  readonly perCaller: number
  readonly altogether: number
  readonly metrics?: Metrics
}

/** How many streams there are at a time, by caller and in sum. */
export class StreamBounds {
  readonly #options: StreamBoundsOptions
  readonly #places = new Places<string>()

  constructor(options: StreamBoundsOptions) {
    this.#options = options
    const { metrics = silentMetrics } = options
    metrics
      .gauge({
        name: 'skerry_stream_open',
        help: 'Requests to kubelets of gateways that are under way: logs, exec, attach, port-forward, metrics.',
      })
      .follow(() => this.#places.taken)
  }

  /** Nothing where the caller, or all together, have their most. To be disposed at the end of the stream. */
  tryHold(caller: string): Disposable | undefined {
    const { perCaller, altogether } = this.#options
    if (this.#places.takenBy(caller) >= perCaller || this.#places.taken >= altogether) return undefined
    return this.#places.take(caller)
  }
}
