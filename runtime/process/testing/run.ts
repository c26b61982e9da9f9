import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly cwd?: string
  readonly timeoutMs?: number
  /** Ends it as the timeout does. */
  readonly signal?: AbortSignal
}

/** What takes a second may take very long on a machine that does ten other things; nothing waits so long when all is well. */
const PATIENCE = 60_000

/** Runs a program to its end, or ends it at the timeout (code null). */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = spawn(program, args, {
    env: { ...process.env, ...options.env },
    cwd: options.cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const output = collect(child)
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(options.input ?? '')
  const end = () => child.kill('SIGKILL')
  const timer = setTimeout(end, options.timeoutMs ?? PATIENCE)
  options.signal?.addEventListener('abort', end, { once: true })
  if (options.signal?.aborted) end()
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  return { code: typeof code === 'number' ? code : null, stdout: output.stdout(), stderr: output.stderr() }
}

/** Output of a child so far, and a way to wait for text in it. */
export function collect(child: ChildProcess) {
  let out = ''
  let err = ''
  const listeners = new Set<() => void>()
  const notify = () => {
    for (const listener of [...listeners]) listener()
  }
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8')
    notify()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString('utf8')
    notify()
  })
  child.once('close', notify)
  return {
    stdout: () => out,
    stderr: () => err,
    /** First match of the pattern in standard output from `offset` on; rejects at the timeout or when the child ends without it. */
    waitFor(pattern: RegExp, timeoutMs = PATIENCE, offset = 0): Promise<RegExpExecArray> {
      return new Promise((resolve, reject) => {
        const stop = (finish: () => void) => {
          clearTimeout(timer)
          listeners.delete(look)
          finish()
        }
        const fail = (why: string) =>
          reject(new Error(`${why} before ${pattern}\nstdout: ${out.slice(-2000)}\nstderr: ${err.slice(-2000)}`))
        const look = () => {
          const match = pattern.exec(out.slice(offset))
          if (match) return stop(() => resolve(match))
          if (child.exitCode !== null || child.signalCode !== null) stop(() => fail('the program ended'))
        }
        const timer = setTimeout(() => stop(() => fail(`${timeoutMs} ms passed`)), timeoutMs)
        listeners.add(look)
        look()
      })
    },
  }
}

/** Tries until the look succeeds (returns something but undefined); the last failure explains a timeout. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined>,
  timeoutMs = PATIENCE,
): Promise<T> {
  const end = performance.now() + timeoutMs
  let last: unknown
  while (performance.now() < end) {
    try {
      const found = await look()
      if (found !== undefined) return found
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${what}: not within ${timeoutMs} ms`, { cause: last })
}
