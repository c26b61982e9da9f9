import type { Metrics } from '../../../platform/health/index.ts'
import { createStats, type HostCounts, type HostStats } from '../stats.ts'
import { deviceGaugesOf } from './device-gauges.ts'

const HELP: Readonly<Record<keyof HostCounts, readonly [name: string, help: string]>> = {
  reads: ['skerry_mapper_reads_total', 'Read calls of a mapper.'],
  visits: ['skerry_mapper_visits_total', 'Properties read by a mapper.'],
  failedVisits: ['skerry_mapper_failed_visits_total', 'Properties that could not be read.'],
  writes: ['skerry_mapper_writes_total', 'Orders written by a mapper.'],
  failedWrites: ['skerry_mapper_failed_writes_total', 'Orders that were not written or not read back.'],
  connects: ['skerry_mapper_connects_total', 'Connections made by a mapper.'],
  lostConnections: ['skerry_mapper_lost_connections_total', 'Connections lost by a mapper.'],
  silentCalls: [
    'skerry_mapper_silent_calls_total',
    'Calls that a device did not answer though its connection is good.',
  ],
  recordedReadings: [
    'skerry_mapper_recorded_readings_total',
    'Readings that devices recorded while they were away, and the mapper fetched.',
  ],
  droppedReports: ['skerry_mapper_dropped_reports_total', 'Readings dropped because the twin did not take them.'],
}

const KEYS = [
  'reads',
  'visits',
  'failedVisits',
  'writes',
  'failedWrites',
  'connects',
  'lostConnections',
  'silentCalls',
  'droppedReports',
  'recordedReadings',
] as const

/** Takes the sums of one run of a mapper after the other and counts what was added. */
export interface Counters {
  begin(): void
  take(stats: HostStats): void
}

export function countersOf(metrics: Metrics, mapper: string): Counters {
  const counters = KEYS.map((key) => {
    const [name, help] = HELP[key]
    return [key, metrics.counter({ name, help, labels: ['mapper'] })] as const
  })
  let before: HostCounts = createStats()
  const gauges = deviceGaugesOf(metrics, mapper)
  return {
    begin() {
      before = createStats()
    },
    take(stats) {
      for (const [key, counter] of counters) counter.add(stats[key] - before[key], { mapper })
      before = { ...stats }
      gauges.take(stats)
    },
  }
}
