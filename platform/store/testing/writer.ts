import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { silentLogger } from '../../log/logger.ts'
import { systemClock } from '../../time/system-clock.ts'
import { openStore } from '../open-store.ts'
import { pairs } from './pairs.ts'

export interface Writer {
  readonly child: ChildProcess
  /** All lines so far, once one of them is enough. Fails when the process ends before. */
  until(isEnough: (line: string, count: number) => boolean): Promise<readonly string[]>
  kill(): Promise<void>
  close(): Promise<void>
}

/** Starts writer-process.ts; `on` may put a command before it. */
export function startWriter(
  t: TestContext,
  { file, mode = 'add', on = (...command) => command }: WriterOptions,
): Writer {
  const script = fileURLToPath(new URL('./writer-process.ts', import.meta.url))
  const [command = '', ...rest] = on(process.execPath, script, file, mode)
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close')
    child.kill(signal)
    await closed
  }
  const kill = () => end('SIGKILL')
  t.after(async () => {
    await kill()
    assert.equal(stderr, '', 'not even a warning that SQLite is experimental')
  })
  const source = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const lines: string[] = []
  const until = async (isEnough: (line: string, count: number) => boolean) => {
    while (true) {
      const next = await source.next()
      assert.ok(!next.done, `the writer ended: ${lines.at(-1)} ${stderr}`)
      lines.push(next.value)
      if (isEnough(next.value, lines.length)) return lines
    }
  }
  return { child, until, kill, close: () => end('SIGTERM') }
}

export interface WriterOptions {
  readonly file: string
  readonly mode?: 'add' | 'put' | 'backup'
  readonly on?: (...command: readonly string[]) => readonly string[]
}

/** So many acknowledged in a row. */
export function healthy(times: number): (line: string) => boolean {
  let count = 0
  return (line) => {
    count = line.startsWith('ok ') ? count + 1 : 0
    return count === times
  }
}

/** Keys that were acknowledged and are not in the file. */
export async function lostOf(lines: readonly string[], file: string): Promise<readonly string[]> {
  await using store = await openStore(file, [pairs], { clock: systemClock, log: silentLogger })
  const rows = await store.read({ statement: 'pairs.all', parameters: [] })
  const written = new Set(rows.map(({ key }) => key))
  return lines.flatMap((line) => (line.startsWith('ok ') && !written.has(line.slice(3)) ? [line.slice(3)] : []))
}
