import type { Rate } from '../../../platform/time/index.ts'
import type { WriteLimits } from './writes/write-queue.ts'

/** What an operator says about the load that device states may put on the API server. */
export interface DeviceLimits {
  /** ms between two writes of values of one device. */
  readonly readingInterval: number
  readonly writesPerSecond: number
  /** Of them, those that copy values from DeviceStatus to Device. */
  readonly copiesPerSecond: number
  readonly writesAtOnce: number
  readonly eventsPerSecond: number
}

/** Measured: the embedded API on a small machine takes a thousand values a second and still answers within milliseconds. */
export const DEFAULT_DEVICE_LIMITS: DeviceLimits = {
  readingInterval: 900,
  writesPerSecond: 1500,
  copiesPerSecond: 100,
  writesAtOnce: 16,
  eventsPerSecond: 10,
}

/** Changes of state of one device go at once, unless it flutters. */
const STATE = { perSecond: 4, burst: 10 }

export function controllerLimits(limits: DeviceLimits = DEFAULT_DEVICE_LIMITS): {
  readonly writes: WriteLimits
  readonly events: Rate
} {
  const { readingInterval, writesPerSecond, copiesPerSecond, writesAtOnce, eventsPerSecond } = limits
  // Two at once after a rest: a report that comes a little early or late waits for nothing.
  const reading = { perSecond: 1000 / readingInterval, burst: 2 }
  const writes = {
    server: { perSecond: writesPerSecond, burst: Math.max(1, writesPerSecond / 5) },
    mirrors: { perSecond: copiesPerSecond, burst: copiesPerSecond },
    atOnce: writesAtOnce,
    device: { state: STATE, reading, mirror: reading },
  }
  return { writes, events: { perSecond: eventsPerSecond, burst: 5 * eventsPerSecond } }
}
