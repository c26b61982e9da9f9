import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../runtime/process/version.ts'

/** Clock ticks of /proc a second; 100 on every Linux that Node.js runs on. */
const TICKS = 100

/** `skerry edge` as people run it, watched from outside. */
export interface RunningEdge {
  readonly pid: number
  /** Until it said that it is ready. */
  readonly startMs: number
  /** Sums of the values of a metric with these labels; 0 where there is none. */
  metrics(): Promise<(name: string, labels?: string) => number>
  stop(): Promise<void>
}

export async function startEdge(folder: string, nodeOptions: readonly string[] = []): Promise<RunningEdge> {
  const start = performance.now()
  const child = fork(join(packageRoot, 'bin', 'skerry.mjs'), ['edge', '--data', folder], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [...nodeOptions],
  })
  const [message]: unknown[] = await once(child, 'message')
  const url = /"edge":"(http[^"]+)"/.exec(JSON.stringify(message))?.[1] ?? ''
  return {
    pid: child.pid ?? 0,
    startMs: performance.now() - start,
    async metrics() {
      const text = await (await fetch(`${url}/metrics`)).text()
      return (name, labels = '') => sumOf(text, name, labels)
    },
    async stop() {
      child.kill()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}

function sumOf(text: string, name: string, labels: string): number {
  let sum = 0
  for (const line of text.split('\n')) {
    const [, found = '', rest = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (found === name && rest.includes(labels)) sum += Number(value)
  }
  return sum
}

export async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1000
}

/** CPU seconds so far, of a process or of one of its threads. */
export async function cpuSeconds(pid: number, thread = ''): Promise<number> {
  const stat = await readFile(thread === '' ? `/proc/${pid}/stat` : `/proc/${pid}/task/${thread}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** CPU seconds so far by the names of the threads. */
export async function cpuByThread(pid: number): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, number>()
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const name = (await readFile(`/proc/${pid}/task/${thread}/comm`, 'utf8')).trim()
    sums.set(name, (sums.get(name) ?? 0) + (await cpuSeconds(pid, thread)))
  }
  return sums
}
