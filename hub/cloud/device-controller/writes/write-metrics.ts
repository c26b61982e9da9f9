import type { Metrics } from '../../../../platform/health/index.ts'
import type { Clock } from '../../../../platform/time/index.ts'
import { type FairQueue, URGENCIES, type Urgency } from './fair-queue.ts'

export interface WriteMetrics {
  waited(urgency: Urgency, since: number): void
  written(urgency: Urgency, outcome: string): void
  throttled(by: 'device' | 'server' | 'mirror' | 'resting'): void
}

/** What is counted of the writes of device states. */
export function writeMetrics(metrics: Metrics, queue: FairQueue, clock: Clock, limit: () => number): WriteMetrics {
  const labels = ['urgency']
  const depth = metrics.gauge({
    name: 'skerry_devicecontroller_writes_waiting',
    help: 'Devices whose state may be written, as soon as the API server takes it.',
    labels,
  })
  const age = metrics.gauge({
    name: 'skerry_devicecontroller_write_age_seconds',
    help: 'Age of the longest wait of such a device.',
    labels,
  })
  for (const urgency of URGENCIES) {
    depth.follow(() => queue.depth(urgency), { urgency })
    age.follow(() => (clock.monotonic() - (queue.oldest(urgency) ?? clock.monotonic())) / 1000, { urgency })
  }
  metrics
    .gauge({
      name: 'skerry_devicecontroller_writes_at_once',
      help: 'Writes that the API server takes side by side now.',
    })
    .follow(limit)
  const waits = metrics.histogram({
    name: 'skerry_devicecontroller_write_wait_seconds',
    help: 'From a change to the begin of its write.',
    labels,
  })
  const writes = metrics.counter({
    name: 'skerry_devicecontroller_writes_total',
    help: 'Writes of device states, by urgency and outcome.',
    labels: ['urgency', 'outcome'],
  })
  const throttled = metrics.counter({
    name: 'skerry_devicecontroller_writes_throttled_total',
    help: 'Waits that a limit imposed: of one device, of the API server, of copies of values, or because the API server rests.',
    labels: ['by'],
  })
  return {
    waited: (urgency, since) => waits.observe((clock.monotonic() - since) / 1000, { urgency }),
    written: (urgency, outcome) => writes.add(1, { urgency, outcome }),
    throttled: (by) => throttled.add(1, { by }),
  }
}
