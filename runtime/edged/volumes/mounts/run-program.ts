import { spawn } from 'node:child_process'
import { plainEnvironment } from '../../../../platform/environment/index.ts'
import { UnavailableError } from '../../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, withDeadline } from '../../../../platform/time/index.ts'

export interface ProgramRun {
  readonly program: string
  readonly args: readonly string[]
  /** It finds this open file as `/proc/self/fd/3`. */
  readonly descriptor?: number
  readonly deadline: Duration
}

export interface ProgramEnd {
  /** Null where a signal ended it. */
  readonly code: number | null
  readonly output: string
  /** What it said of its failure, shortened. */
  readonly complaint: string
}

const MOST_OUTPUT = 64 * 1024
const LONGEST_COMPLAINT = 400

/** Runs a program of the system to its end; it is killed at the deadline. Rejects where it is not installed. */
export async function runProgram(clock: Clock, run: ProgramRun, signal?: AbortSignal): Promise<ProgramEnd> {
  return withDeadline(clock, run.deadline, signal, (ending) => {
    const { program, args, descriptor } = run
    const { promise, resolve, reject } = Promise.withResolvers<ProgramEnd>()
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe', ...(descriptor === undefined ? [] : [descriptor])],
      env: { ...plainEnvironment(), LC_ALL: 'C' },
      signal: ending,
      killSignal: 'SIGKILL',
    })
    const [output, complaint] = [new Beginning(MOST_OUTPUT), new Beginning(LONGEST_COMPLAINT)]
    child.stdout?.on('data', (chunk: Buffer) => output.add(chunk))
    child.stderr?.on('data', (chunk: Buffer) => complaint.add(chunk))
    child.once('error', (error) => {
      const isMissing = 'code' in error && error.code === 'ENOENT'
      // An aborted child tells of it by an error of its own, before the reason of the signal is heard.
      reject(ending.aborted ? ending.reason : isMissing ? notInstalled(program, error) : error)
    })
    child.once('close', (code) => resolve({ code, output: output.text, complaint: complaint.text.trim() }))
    return promise
  })
}

function notInstalled(program: string, cause: Error): UnavailableError {
  return new UnavailableError('A program that Edged needs is not installed on this node', {
    code: 'EDGED_PROGRAM_MISSING',
    fields: { program },
    cause,
  })
}

/** The first bytes of what a program says. */
class Beginning {
  readonly #most: number
  readonly #chunks: Buffer[] = []
  #bytes = 0

  constructor(most: number) {
    this.#most = most
  }

  add(chunk: Buffer): void {
    const kept = chunk.subarray(0, this.#most - this.#bytes)
    if (kept.length > 0) this.#chunks.push(kept)
    this.#bytes += kept.length
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }
}
