import * as prom from 'prom-client'
import { BugError } from '../lifecycle/errors.ts'
import type { Counter, Gauge, Histogram, HistogramOptions, Labels, MetricOptions, Metrics } from './metrics.ts'

const DEFAULT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export interface CreateMetricsOptions {
  /** Label of `skerry_build_info`. */
  readonly version?: string
}

/** The metrics of this process, with those of Node.js, in a registry of its own. */
export function createMetrics({ version = 'unknown' }: CreateMetricsOptions = {}): Metrics {
  const registry = new prom.Registry()
  const made = new Map<string, Made>()
  prom.collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 })

  const once = <K extends Made['kind']>(kind: K, options: MetricOptions, make: () => Extract<Made, { kind: K }>) => {
    const found = made.get(options.name)
    const metric = found ?? make()
    if (!isKind(metric, kind) || metric.labels !== labelsOf(options)) {
      throw new BugError('A metric has two declarations', {
        code: 'PLATFORM_METRIC_TWICE',
        fields: { metric: options.name },
      })
    }
    made.set(options.name, metric)
    return metric
  }
  const base = ({ name, help, labels = [] }: MetricOptions) => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  })

  const metrics: Metrics = {
    counter: (options) =>
      once('counter', options, () => {
        const counter = new prom.Counter(base(options))
        return {
          kind: 'counter',
          labels: labelsOf(options),
          metric: { add: (count = 1, labels) => (labels ? counter.inc(labels, count) : counter.inc(count)) },
        }
      }).metric,
    gauge: (options) =>
      once('gauge', options, () => ({ kind: 'gauge', labels: labelsOf(options), metric: createGauge(base(options)) }))
        .metric,
    histogram: (options: HistogramOptions) =>
      once('histogram', options, () => {
        const histogram = new prom.Histogram({ ...base(options), buckets: [...(options.buckets ?? DEFAULT_BUCKETS)] })
        return {
          kind: 'histogram',
          labels: labelsOf(options),
          metric: {
            observe: (value, labels) => (labels ? histogram.observe(labels, value) : histogram.observe(value)),
          },
        }
      }).metric,
    text: () => registry.metrics(),
  }
  metrics
    .gauge({ name: 'skerry_build_info', help: 'Always 1; its labels say what runs.', labels: ['version', 'node'] })
    .set(1, { version, node: process.version })
  return metrics
}

type Made =
  | { readonly kind: 'counter'; readonly labels: string; readonly metric: Counter }
  | { readonly kind: 'gauge'; readonly labels: string; readonly metric: Gauge }
  | { readonly kind: 'histogram'; readonly labels: string; readonly metric: Histogram }

function isKind<K extends Made['kind']>(made: Made, kind: K): made is Extract<Made, { kind: K }> {
  return made.kind === kind
}

function labelsOf({ labels = [] }: MetricOptions): string {
  return [...labels].sort().join(',')
}

function createGauge(configuration: {
  name: string
  help: string
  labelNames: string[]
  registers: prom.Registry[]
}): Gauge {
  const readers = new Map<string, { readonly labels: Labels; readonly read: () => number }>()
  const gauge = new prom.Gauge({
    ...configuration,
    collect: () => {
      for (const { labels, read } of readers.values()) gauge.set(labels, read())
    },
  })
  return {
    set: (value, labels) => (labels ? gauge.set(labels, value) : gauge.set(value)),
    follow(read, labels = {}) {
      const key = JSON.stringify(Object.entries(labels).sort())
      const reader = { labels, read }
      readers.set(key, reader)
      return {
        [Symbol.dispose]: () => {
          if (readers.get(key) !== reader) return
          readers.delete(key)
          gauge.remove(labels)
        },
      }
    },
  }
}
