export type Labels = Readonly<Record<string, string>>

/** Names begin with `skerry_`. Asking again for a name returns the same metric, so that a restarted module goes on counting. */
export interface MetricOptions {
  readonly name: string
  readonly help: string
  /** Names of the labels that each value carries. Their values must be few: no device, no topic. */
  readonly labels?: readonly string[]
}

export interface HistogramOptions extends MetricOptions {
  /** Upper bounds; default: 1 ms to 10 s, in seconds. */
  readonly buckets?: readonly number[]
}

export interface Counter {
  add(count?: number, labels?: Labels): void
}

export interface Gauge {
  set(value: number, labels?: Labels): void
  /** From now on `read` is asked at each scrape for the value with these labels; the latest reader counts, until disposed. */
  follow(read: () => number, labels?: Labels): Disposable
}

export interface Histogram {
  observe(value: number, labels?: Labels): void
}

/** What a process counts. */
export interface Metrics {
  counter(options: MetricOptions): Counter
  gauge(options: MetricOptions): Gauge
  histogram(options: HistogramOptions): Histogram
  /** Prometheus text format. */
  text(): Promise<string>
}

/** Counts nothing. */
export const silentMetrics: Metrics = {
  counter: () => ({ add: () => undefined }),
  gauge: () => ({ set: () => undefined, follow: () => ({ [Symbol.dispose]: () => undefined }) }),
  histogram: () => ({ observe: () => undefined }),
  text: async () => '',
}
