import type { DeviceId, DeviceState } from '../../schemas/index.ts'

/** What a protocol host counts; sums since it started, sent along with the heartbeat. */
export interface HostCounts {
  reads: number
  visits: number
  failedVisits: number
  writes: number
  failedWrites: number
  connects: number
  lostConnections: number
  /** Calls that a device did not answer though its connection is good. */
  silentCalls: number
  droppedReports: number
  /** Readings that devices recorded while they were away. */
  recordedReadings: number
}

export interface HostStats extends HostCounts {
  /** The first MOST_DEVICES of them. */
  readonly devices: Map<DeviceId, DeviceStats>
  /** By connection key; the first MOST_LINES of them. */
  readonly lines: Map<string, LineStats>
}

export interface DeviceStats {
  /** Calls that read it. */
  reads: number
  /** Properties that could not be read. */
  failures: number
  /** Shortest collect cycle, ms; 0 where nothing is polled. */
  plannedCycleMs: number
  /** How long the last such cycle really took, ms; 0 before the second. */
  cycleMs: number
  state: DeviceState
}

export interface LineStats {
  /** Share of the time that reading as asked for takes, 1 is all; 0 where the mapper cannot say. */
  planned: number
  /** How long calls were under way, ms. */
  busyMs: number
}

/** Metrics have a label for each: there must not be many more. */
const MOST_DEVICES = 1000
const MOST_LINES = 1000

export function createStats(): HostStats {
  return {
    reads: 0,
    visits: 0,
    failedVisits: 0,
    writes: 0,
    failedWrites: 0,
    connects: 0,
    lostConnections: 0,
    silentCalls: 0,
    droppedReports: 0,
    recordedReadings: 0,
    devices: new Map(),
    lines: new Map(),
  }
}

/** What is counted of one device; of one too many it is counted for nobody. */
export function deviceStats({ devices }: HostStats, id: DeviceId): DeviceStats {
  const found = devices.get(id)
  if (found) return found
  const made: DeviceStats = { reads: 0, failures: 0, plannedCycleMs: 0, cycleMs: 0, state: 'unknown' }
  if (devices.size < MOST_DEVICES) devices.set(id, made)
  return made
}

export function lineStats({ lines }: HostStats, key: string): LineStats {
  const found = lines.get(key)
  if (found) return found
  const made: LineStats = { planned: 0, busyMs: 0 }
  if (lines.size < MOST_LINES) lines.set(key, made)
  return made
}
