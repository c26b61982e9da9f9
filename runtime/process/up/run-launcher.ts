import { spawn } from 'node:child_process'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, withDeadline } from '../../../platform/time/index.ts'

export interface LauncherRun {
  readonly launcher: string
  readonly args: readonly string[]
  readonly clock: Clock
  readonly deadline: Duration
  readonly signal: AbortSignal
}

/** Most text that a short command may print. */
const OUTPUT_LIMIT = 1_048_576

/** Runs one skerry command to its end and gives what it printed; a failure carries its last line of error text. */
export function runLauncher(run: LauncherRun): Promise<string> {
  return withDeadline(run.clock, run.deadline, run.signal, (signal) => {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [run.launcher, ...run.args], { stdio: ['ignore', 'pipe', 'pipe'], signal })
      let output = ''
      let complaint = ''
      child.stdout.on('data', (chunk: Buffer) => {
        if (output.length < OUTPUT_LIMIT) output += chunk.toString('utf8')
      })
      child.stderr.on('data', (chunk: Buffer) => {
        if (complaint.length < OUTPUT_LIMIT) complaint += chunk.toString('utf8')
      })
      child.once('error', reject)
      child.once('close', (code) => {
        if (code === 0) return resolve(output)
        const reason = complaint.trim().split('\n').at(-1) ?? ''
        reject(
          new UnavailableError(`skerry ${run.args[0]} failed: ${reason}`, {
            code: 'PROCESS_COMMAND_FAILED',
            fields: { command: run.args[0], code },
          }),
        )
      })
    })
  })
}
