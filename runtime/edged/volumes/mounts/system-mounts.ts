import { readFile, realpath } from 'node:fs/promises'
import { UnavailableError } from '../../../../platform/lifecycle/index.ts'
import { type Clock, seconds } from '../../../../platform/time/index.ts'
import { mountsUnder, parseMountinfo } from './mountinfo.ts'
import type { MountPoint, Mounts, TmpfsOptions } from './mounts.ts'
import { runProgram } from './run-program.ts'

const DEADLINE = seconds(20)
/** capabilities(7) */
const CAP_SYS_ADMIN = 21n

/** The programs `mount` and `umount` of util-linux, and what the kernel tells in /proc. */
export class SystemMounts implements Mounts {
  readonly #clock: Clock
  #isAllowed: boolean | undefined
  /** Of the kernel, since Linux 6.4. */
  #knowsNoSwap = true

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async isAllowed(): Promise<boolean> {
    this.#isAllowed ??= process.geteuid?.() === 0 && mayMount(await readFile('/proc/self/status', 'utf8'))
    return this.#isAllowed
  }

  async tmpfs(target: string, { bytes, mode, gid }: TmpfsOptions, signal?: AbortSignal): Promise<void> {
    const options = [
      ...(bytes > 0 ? [`size=${Math.trunc(bytes)}`] : []),
      `mode=${mode.toString(8)}`,
      ...(gid === undefined ? [] : [`gid=${gid}`]),
    ]
    const mount = (more: readonly string[]) =>
      this.#run('mount', ['-n', '-c', '-t', 'tmpfs', '-o', [...options, ...more].join(','), 'tmpfs', target], {
        signal,
      })
    if (!this.#knowsNoSwap) return mount([])
    try {
      await mount(['noswap'])
    } catch (error) {
      signal?.throwIfAborted()
      // Whether the option was the reason shows by the same mount without it.
      await mount([]).catch(() => Promise.reject(error))
      this.#knowsNoSwap = false
    }
  }

  async bind(descriptor: number, target: string, signal?: AbortSignal): Promise<void> {
    // Not made canonical (-c): the path to the descriptor is not what is meant, the descriptor is.
    await this.#run('mount', ['-n', '-c', '--bind', '/proc/self/fd/3', target], { descriptor, signal })
  }

  async unmount(target: string, signal?: AbortSignal): Promise<void> {
    await this.#run('umount', ['-n', target], { signal })
  }

  async isMounted(folder: string): Promise<boolean> {
    // The kernel tells paths without links.
    const real = await realpath(folder)
    return (await this.under(real)).some(({ path }) => path === real)
  }

  async under(folder: string): Promise<readonly MountPoint[]> {
    const mounts = parseMountinfo(await readFile('/proc/self/mountinfo', 'latin1'))
    return mountsUnder(await realpath(folder), mounts.map(decoded))
  }

  async #run(
    program: string,
    args: readonly string[],
    { descriptor, signal }: { readonly descriptor?: number; readonly signal: AbortSignal | undefined },
  ): Promise<void> {
    const run = { program, args, deadline: DEADLINE, ...(descriptor === undefined ? {} : { descriptor }) }
    const { code, complaint } = await runProgram(this.#clock, run, signal)
    if (code === 0) return
    throw new UnavailableError('The system does not mount or unmount', {
      code: 'EDGED_MOUNT_FAILED',
      fields: { program, target: args.at(-1), reason: complaint.split('\n')[0] ?? '' },
    })
  }
}

function mayMount(status: string): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'
  return ((BigInt(`0x${effective}`) >> CAP_SYS_ADMIN) & 1n) === 1n
}

/** Read byte by byte, as the kernel escapes it. */
function decoded({ path, type }: MountPoint): MountPoint {
  return { path: Buffer.from(path, 'latin1').toString('utf8'), type }
}
