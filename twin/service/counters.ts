import type { Counter, Metrics } from '../../platform/health/index.ts'
import { QUALITIES } from '../../schemas/index.ts'
import type { TwinKeeper } from './keeper.ts'
import type { Tally } from './tally.ts'

export interface Counters {
  /** Label `outcome`: stored or failed. */
  readonly commits: Counter
  readonly refused: Counter
  readonly unsent: Counter
  readonly expired: Counter
}

export function createCounters(metrics: Metrics): Counters {
  return {
    commits: metrics.counter({
      name: 'skerry_twin_commits_total',
      help: 'Twins written to disk; one commit may hold several changes of its device.',
      labels: ['outcome'],
    }),
    refused: metrics.counter({
      name: 'skerry_twin_refused_total',
      help: 'Changes refused because too many waited already.',
    }),
    unsent: metrics.counter({
      name: 'skerry_twin_unsent_total',
      help: 'Messages about twins that the MQTT broker did not take.',
    }),
    expired: metrics.counter({
      name: 'skerry_twin_expired_total',
      help: 'Reported values that became stale: nothing confirmed them within their time to live.',
    }),
  }
}

export function followTally(metrics: Metrics, tally: Tally): readonly Disposable[] {
  const stale = metrics.gauge({
    name: 'skerry_twin_stale_properties',
    help: 'Reported values that nothing has confirmed within their time to live.',
  })
  const qualities = metrics.gauge({
    name: 'skerry_twin_properties',
    help: 'Properties by quality: good, uncertain, bad. Bad ones keep their last value, where there ever was one.',
    labels: ['quality'],
  })
  return [
    stale.follow(() => tally.counts.stale),
    ...QUALITIES.map((quality) => qualities.follow(() => tally.counts[quality], { quality })),
  ]
}

export function followQueues(metrics: Metrics, keeper: TwinKeeper): readonly Disposable[] {
  return [
    metrics.gauge({ name: 'skerry_twins', help: 'Twins that are kept.' }).follow(() => keeper.count),
    metrics
      .gauge({ name: 'skerry_twin_waiting', help: 'Changes of twins that are not on disk yet.' })
      .follow(() => keeper.waiting),
  ]
}
