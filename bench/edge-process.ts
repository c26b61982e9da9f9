import { wait } from './print.ts'
import { cpuSeconds, residentMb, startEdge } from './running-edge.ts'

/** Until what the start has left behind is given back. */
const SETTLING_MS = 12_000

export interface EdgeFigures {
  readonly startMs: number
  readonly residentMb: number
  /** Of one core, while nothing happens. */
  readonly cpuPercent: number
}

/** Runs `skerry edge` on the folder as people do, and measures the process as a whole. */
export async function measureEdge(folder: string, watchMs: number): Promise<EdgeFigures> {
  const edge = await startEdge(folder)
  try {
    await wait(SETTLING_MS)
    const before = await cpuSeconds(edge.pid)
    await wait(watchMs)
    const cpuPercent = (((await cpuSeconds(edge.pid)) - before) / (watchMs / 1000)) * 100
    return { startMs: edge.startMs, residentMb: await residentMb(edge.pid), cpuPercent }
  } finally {
    await edge.stop()
  }
}
