import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../runtime/process/version.ts'

/** Clock ticks of /proc a second; 100 on every Linux that Node.js runs on. */
const TICKS = 100
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
  const start = performance.now()
  const child = fork(join(packageRoot, 'bin', 'skerry.mjs'), ['edge', '--data', folder], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  try {
    await once(child, 'message')
    const startMs = performance.now() - start
    await wait(SETTLING_MS)
    const before = await cpuSeconds(child)
    await wait(watchMs)
    const cpuPercent = (((await cpuSeconds(child)) - before) / (watchMs / 1000)) * 100
    return { startMs, residentMb: await residentMb(child), cpuPercent }
  } finally {
    child.kill()
    await once(child, 'exit')
  }
}

async function residentMb({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1000
}

async function cpuSeconds({ pid }: ChildProcess): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
