import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeEdgeFolder } from './edge-folder.ts'
import { type EdgeFigures, measureEdge } from './edge-process.ts'

/** An idle edge half without devices, and one with 10,000 twins, as whole processes: start, memory and processor. */
export async function measureScale(): Promise<void> {
  const idle = await measure('idle edge half, no devices', 0, ' (at most 130 MB and 1 %)')
  const full = await measure('10,000 twins of 10 properties', 10_000)
  const more = `${((full.startMs - idle.startMs) / 1000).toFixed(2)} s and ${(full.residentMb - idle.residentMb).toFixed(0)} MB more (at most 3 s and 200 MB)`
  process.stdout.write(`${'loading 10,000 twins of 10 properties'.padEnd(44)}${more}\n`)
}

async function measure(name: string, devices: number, limit = ''): Promise<EdgeFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-bench-'))
  try {
    await makeEdgeFolder(folder, devices, 10)
    // The first start fills the compile cache and reports a state for each device.
    await measureEdge(folder, 1000)
    const figures = await measureEdge(folder, 10_000)
    const { startMs, residentMb, cpuPercent } = figures
    const text = `${(startMs / 1000).toFixed(2)} s to start  ${residentMb.toFixed(0)} MB resident  ${cpuPercent.toFixed(2)} % of a core${limit}`
    process.stdout.write(`${name.padEnd(44)}${text}\n`)
    return figures
  } finally {
    await rm(folder, { recursive: true })
  }
}
