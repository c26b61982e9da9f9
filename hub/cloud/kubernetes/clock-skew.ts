import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, minutes } from '../../../platform/time/index.ts'

/** More than this is told. `Date` has whole seconds, and an answer takes its time. */
const WORTH_TELLING_MS = 60_000
const TELL_EVERY = minutes(60)

/** Watches how far the clocks here and at the API are apart, by `Date` of its answers. */
export function followSkew({
  clock,
  log,
  metrics = silentMetrics,
}: {
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
}): (date: number, now: number) => void {
  const skew = metrics.gauge({
    name: 'skerry_kubernetes_clock_skew_seconds',
    help: 'How far the clock here is ahead of that of the Kubernetes API; below zero where it is behind.',
  })
  let toldAt = Number.NEGATIVE_INFINITY
  return (date, now) => {
    const ahead = Math.round((now - date) / 1000)
    skew.set(ahead)
    if (Math.abs(ahead) * 1000 < WORTH_TELLING_MS) return
    if (clock.monotonic() - toldAt < TELL_EVERY.milliseconds) return
    toldAt = clock.monotonic()
    log.warn('The clocks here and at the Kubernetes API are apart: set them, or certificates and tokens fail', {
      aheadSeconds: ahead,
    })
  }
}
