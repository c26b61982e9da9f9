import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'

export interface StreamBoundsOptions {
  /** Streams that one caller may have, and all together. */
  readonly perCaller: number
  readonly altogether: number
  readonly metrics?: Metrics
}

/** How many streams there are at a time, by caller and in sum. */
export class StreamBounds {
  readonly #options: StreamBoundsOptions
  readonly #held = new Map<string, number>()
  #count = 0

  constructor(options: StreamBoundsOptions) {
    this.#options = options
    const { metrics = silentMetrics } = options
    metrics
      .gauge({
        name: 'skerry_stream_open',
        help: 'Requests to kubelets of gateways that are under way: logs, exec, attach, port-forward, metrics.',
      })
      .follow(() => this.#count)
  }

  /** Nothing where the caller, or all together, have their most. To be disposed at the end of the stream. */
  tryHold(caller: string): Disposable | undefined {
    const held = this.#held.get(caller) ?? 0
    if (held >= this.#options.perCaller || this.#count >= this.#options.altogether) return undefined
    this.#held.set(caller, held + 1)
    this.#count++
    let isHeld = true
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return
        isHeld = false
        this.#count--
        const left = (this.#held.get(caller) ?? 1) - 1
        if (left === 0) this.#held.delete(caller)
        else this.#held.set(caller, left)
      },
    }
  }
}
