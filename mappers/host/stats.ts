/** What a protocol host counts; sums since it started, sent along with the heartbeat. */
export interface HostStats {
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
  }
}
