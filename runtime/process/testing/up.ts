import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Endpoints } from '../../../schemas/config/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { parseEndpoints } from '../parse-endpoints.ts'
import { packageRoot } from '../version.ts'
import { collect, type Ran, run } from './run.ts'

export const launcher = join(packageRoot, 'bin', 'skerry.mjs')

/** A `skerry up` of a test, with the programs that people use beside it. */
export interface RunningUp {
  readonly directory: string
  readonly child: ChildProcess
  readonly endpoints: Endpoints
  readonly output: ReturnType<typeof collect>
  kubectl(...args: readonly string[]): Promise<Ran>
  skerry(...args: readonly string[]): Promise<Ran>
  /** Process id of a part, from `skerry status`. */
  pid(part: string): Promise<number>
  /** SIGTERM and the exit code. */
  stop(): Promise<number | null>
}

/** It goes when the process ends. */
export function temporaryDirectory(): string {
  return temporaryFolder('skerry-e2e-')
}

export async function removeDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 5 })
}

/** Starts `skerry up --ports auto` and waits until it says that it is ready. */
export async function startUp(directory: string, ...more: readonly string[]): Promise<RunningUp> {
  const child = spawn(
    process.execPath,
    [launcher, 'up', '--data', directory, '--ports', 'auto', '-o', 'json', ...more],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const output = collect(child)
  const match = await output.waitFor(/^\{"ready":true.*$/m, 60_000).catch((error: unknown) => {
    // Nobody gets what would stop it.
    child.kill('SIGTERM')
    throw error
  })
  const ready: unknown = JSON.parse(match[0])
  const endpoints = parseEndpoints(
    typeof ready === 'object' && ready !== null && 'endpoints' in ready ? ready.endpoints : undefined,
    'skerry up',
  )
  const env = {
    KUBECONFIG: endpoints.kubeconfig ?? '',
    HOME: directory,
    KUBECACHEDIR: join(directory, 'kubectl-cache'),
  }
  const skerry = (...args: readonly string[]) => run(process.execPath, [launcher, ...args, '--data', directory])
  return {
    directory,
    child,
    endpoints,
    output,
    kubectl: (...args) => run('kubectl', args, { env }),
    skerry,
    async pid(part) {
      const answer = await skerry('status', '-o', 'json')
      const report: unknown = JSON.parse(answer.stdout)
      const processes = typeof report === 'object' && report !== null && 'processes' in report ? report.processes : []
      for (const each of Array.isArray(processes) ? processes : []) if (each.name === part) return Number(each.pid)
      throw new Error(`no part named ${part}: ${answer.stdout}`)
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const closed = once(child, 'close')
        child.kill('SIGTERM')
        await closed
      }
      return child.exitCode
    },
  }
}
