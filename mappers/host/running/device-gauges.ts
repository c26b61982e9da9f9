import type { Metrics } from '../../../platform/health/index.ts'
import type { DeviceStats, HostStats, LineStats } from '../stats.ts'

/** Shows each device and each line of a mapper, as long as it is there. */
export interface DeviceGauges {
  take(stats: HostStats): void
}

const LONGEST_LABEL = 100

export function deviceGaugesOf(metrics: Metrics, mapper: string): DeviceGauges {
  const gauge = (what: string, help: string, label: 'device' | 'line', more: readonly string[] = []) =>
    metrics.gauge({ name: `skerry_mapper_${what}`, help, labels: ['mapper', label, ...more] })
  const cycle = gauge('device_cycle_seconds', 'Shortest collect cycle of a device, planned and last.', 'device', [
    'kind',
  ])
  const reads = gauge('device_reads', 'Calls that read a device since its mapper started.', 'device')
  const failures = gauge('device_failed_visits', 'Properties of a device that could not be read.', 'device')
  const online = gauge('device_online', '1 while a device is online.', 'device')
  const load = gauge('line_load', 'Share of the time that reading as asked for takes on a connection.', 'line')
  const busy = gauge('line_busy_seconds', 'How long calls were under way on a connection.', 'line')

  const devices = new Followed<DeviceStats>((device, read) => [
    cycle.follow(() => read().plannedCycleMs / 1000, { mapper, device, kind: 'planned' }),
    cycle.follow(() => read().cycleMs / 1000, { mapper, device, kind: 'actual' }),
    reads.follow(() => read().reads, { mapper, device }),
    failures.follow(() => read().failures, { mapper, device }),
    online.follow(() => Number(read().state === 'online'), { mapper, device }),
  ])
  const lines = new Followed<LineStats>((key, read) => {
    const line = key.slice(0, LONGEST_LABEL)
    return [
      load.follow(() => read().planned, { mapper, line }),
      busy.follow(() => read().busyMs / 1000, { mapper, line }),
    ]
  })
  return {
    take(stats) {
      devices.take(stats.devices)
      lines.take(stats.lines)
    },
  }
}

/** Follows what there is at the moment, and lets go of what is gone. */
class Followed<T> {
  readonly #follow: (key: string, read: () => T) => readonly Disposable[]
  readonly #followers = new Map<string, readonly Disposable[]>()
  #latest: ReadonlyMap<string, T> = new Map()

  constructor(follow: (key: string, read: () => T) => readonly Disposable[]) {
    this.#follow = follow
  }

  take(latest: ReadonlyMap<string, T>): void {
    this.#latest = latest
    for (const [key, first] of latest) {
      if (!this.#followers.has(key))
        this.#followers.set(
          key,
          this.#follow(key, () => this.#latest.get(key) ?? first),
        )
    }
    for (const [key, followers] of this.#followers) {
      if (latest.has(key)) continue
      for (const follower of followers) follower[Symbol.dispose]()
      this.#followers.delete(key)
    }
  }
}
