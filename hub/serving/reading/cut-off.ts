import type { Metrics } from '../../../platform/health/index.ts'

/** Told of each client that was cut off because it did not read what it had asked for. */
export type CutOff = (what: 'list' | 'watch') => void

export function countCutOffs(metrics: Metrics): CutOff {
  const counter = metrics.counter({
    name: 'skerry_api_cut_off_total',
    help: 'Clients that were cut off because they did not read their list or watch.',
    labels: ['what'],
  })
  return (what) => counter.add(1, { what })
}
