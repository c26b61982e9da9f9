import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdtemp, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { NEEDS } from './needs.ts'

/** A disk of a few megabytes that only the processes started on it see. It outlives them and goes with the test. */
export interface SmallDisk {
  /** Where it is for a process that runs on it. */
  readonly path: string
  /** The same for this process; SQLite cannot open a file by it. */
  readonly outside: string
  /** A command line that runs the given one on the disk; it becomes that program, so that its process id is the one to kill. */
  on(...command: readonly string[]): readonly [string, ...string[]]
  /** Takes all space that is left; answers nothing when there is none. */
  fill(): Promise<void>
  free(): Promise<void>
  /** `size=8m`, `ro`, `rw`; false when it is busy. */
  remount(options: string): boolean
}

const PRIVILEGED = ['-m']
const UNPRIVILEGED = ['-r', '-m']

/** Reason to skip a test that mounts a disk of its own, or false. In CI it is not skipped. */
export function needsSmallDisk(): string | false {
  if (process.env['CI'] === 'true' || modeOf() !== undefined) return false
  return `${NEEDS}unshare and the right to mount`
}

export async function smallDisk(t: TestContext, size: string): Promise<SmallDisk> {
  const mode = modeOf()
  if (!mode)
    throw new Error('unshare -m and the right to mount are needed: run the tests as root or allow user namespaces')
  const path = await mkdtemp(join(tmpdir(), 'skerry-disk-'))
  const mount = 'mount -t tmpfs -o "size=$1" tmpfs "$0" && echo mounted && exec cat'
  const holder = spawn('unshare', [...mode, 'sh', '-c', mount, path, size], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(async () => {
    holder.stdin.end()
    if (holder.exitCode === null) await once(holder, 'exit')
    await rmdir(path)
  })
  await once(holder.stdout, 'data')
  const outside = `/proc/${holder.pid}/root${path}`
  const enter = ['-t', String(holder.pid), ...(mode === PRIVILEGED ? ['-m'] : ['-U', '-m', '--preserve-credentials'])]
  const filler = join(outside, 'filler')
  return {
    path,
    outside,
    on: (...command) => ['nsenter', ...enter, ...command],
    async fill() {
      for (let bytes = 65_536; bytes >= 1; ) {
        try {
          await appendFile(filler, Buffer.alloc(bytes))
        } catch {
          // No space for so much.
          bytes = Math.floor(bytes / 16)
        }
      }
    },
    free: () => rm(filler),
    remount: (options) =>
      spawnSync('nsenter', [...enter, 'mount', '-o', `remount,${options}`, path], { stdio: 'ignore' }).status === 0,
  }
}

function modeOf(): readonly string[] | undefined {
  const works = (mode: readonly string[]) =>
    spawnSync('unshare', [...mode, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' }).status === 0
  return [PRIVILEGED, UNPRIVILEGED].find(works)
}
